//! Reads the outcome of a call from the first words of its reply. That works for a reply that was kept and is sent
//! again, too.

use super::{Reply, Status};

/// The outcome of a call (RFC 5531 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It gets no reply.
    Silence,
    /// It was denied: the credential or the version of RPC won't do.
    Denied,
    /// It was accepted.
    Accepted {
        /// `accept_stat`: 0 for SUCCESS.
        stat: u32,
        /// The first word of the result, which most procedures have their status in.
        first: Option<u32>,
        /// The word behind opaque bytes with which the result begins, if it does.
        behind_cookie: Option<u32>,
    },
}

impl Outcome {
    /// The status of a call that was carried out, which stands there; none if it was not, or has none.
    #[inline]
    pub fn status(self, place: Status) -> Option<u32> {
        match (self, place) {
            (Outcome::Accepted { stat: 0, first, .. }, Status::First) => first,
            (Outcome::Accepted { stat: 0, behind_cookie, .. }, Status::BehindCookie) => behind_cookie,
            _ => None,
        }
    }
}

/// Words before `reply_stat`: record mark, xid, and that it is a reply.
const REPLY_STAT: usize = 3;
const ACCEPT_STAT: usize = 6;
const RESULT: usize = 7;
const MSG_ACCEPTED: u32 = 0;

impl Reply {
    /// Returns the outcome that the reply reports.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        let Some(head) = self.head() else { return Outcome::Silence };
        let words = head.as_chunks::<4>().0;
        let word = |at: usize| words.get(at).map(|word| u32::from_be_bytes(*word));
        match (word(REPLY_STAT), word(ACCEPT_STAT)) {
            (Some(MSG_ACCEPTED), Some(stat)) => {
                let first = word(RESULT);
                let behind = |length: u32| word(RESULT + 1 + usize::try_from(length).ok()?.div_ceil(4));
                Outcome::Accepted { stat, first, behind_cookie: first.and_then(behind) }
            }
            _ => Outcome::Denied,
        }
    }
}

#[cfg(test)]
mod tests;

//! The answers of transitions.

use crate::{
    error::FsError,
    opens::{LeaseKey, Lock, OpenToken, Rights, Waiter},
};

/// A caching right that is being taken away. Its holder has to be notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Break {
    /// Whose.
    pub key: LeaseKey,
    /// The rights before the break.
    pub from: Rights,
    /// The rights that may be kept.
    pub to: Rights,
    /// The lease's epoch after this break.
    pub epoch: u16,
    /// Until when it must be acknowledged, in milliseconds of the caller's monotonic clock; `None` if no
    /// acknowledgement is due and the rights are already gone.
    pub deadline_ms: Option<u64>,
}

/// Why something is refused for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Denied {
    /// An open whose share mode is in the way.
    Share(OpenToken),
    /// A lock that is in the way.
    Locked(Lock),
    /// The node goes with its last open.
    Deleting,
    /// An open has no lock with exactly this range.
    NotLocked,
    /// No such open.
    UnknownOpen,
    /// The token is in use.
    TokenInUse,
    /// A range or name that the holder cannot have.
    Invalid,
    /// One of [`crate::opens::limits`] is reached.
    Limit,
}

impl From<&Denied> for FsError {
    fn from(denied: &Denied) -> FsError {
        match denied {
            Denied::Share(_) | Denied::Deleting => FsError::ShareDenied,
            Denied::Locked(_) => FsError::Locked,
            Denied::NotLocked => FsError::NotFound,
            Denied::UnknownOpen => FsError::Stale,
            Denied::TokenInUse => FsError::Exists,
            Denied::Invalid => FsError::Invalid,
            Denied::Limit => FsError::NoSpace,
        }
    }
}

/// The answer to an open or an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Outcome {
    /// Go on, and send these breaks. Nothing waits for their acknowledgement.
    Granted(Vec<Break>),
    /// Refused; nothing is changed.
    Denied(Denied),
    /// Send these breaks and ask again when rights of the node were acknowledged, returned or revoked.
    MustBreak(Vec<Break>),
    /// The breaks are on their way: ask again as for `MustBreak`; until then at the latest, in milliseconds.
    Wait {
        /// The first deadline of those that are waited for.
        until_ms: u64,
    },
}

/// The answer to a request for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum LockOutcome {
    /// The lock is held.
    Granted {
        /// To be sent. Nothing waits for their acknowledgement.
        breaks: Vec<Break>,
        /// Waiters that got their locks because this one made another smaller or weaker.
        woken: Vec<Waiter>,
    },
    /// The request stands in line; it will be in a list of woken waiters.
    Queued {
        /// To be sent. Nothing waits for their acknowledgement.
        breaks: Vec<Break>,
    },
    /// Refused; nothing is changed.
    Denied(Denied),
    /// As [`Outcome::MustBreak`]; the request does not stand in line yet.
    MustBreak(Vec<Break>),
    /// As [`Outcome::Wait`]; the request does not stand in line yet.
    Wait {
        /// The first deadline of those that are waited for.
        until_ms: u64,
    },
}

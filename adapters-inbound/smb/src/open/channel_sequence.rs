//! Requests through an open over several channels, and what is left of those that were sent before a channel failed
//! (MS-SMB2, 3.3.5.2.10).

use dittofs_smb_wire::NtStatus;
use parking_lot::Mutex;

/// The counts of an open.
#[derive(Debug, Default)]
pub(crate) struct ChannelSequence(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// The newest sequence of any request.
    sequence: u16,
    /// Requests of it under way.
    requests: u64,
    /// Requests of older ones under way.
    older: u64,
}

/// The part of a request that is about channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) sequence: u16,
    /// Whether it was sent before.
    pub(crate) is_replay: bool,
    /// Whether it changes something.
    pub(crate) changes: bool,
}

/// A request under way.
pub(crate) struct Counted<'c> {
    of: &'c ChannelSequence,
    sequence: u16,
}

impl ChannelSequence {
    /// Counts a request. One that is not counted goes on all the same, unless it changes something.
    ///
    /// # Errors
    /// `FILE_NOT_AVAILABLE`: it is older than what was sent later, or one of before may still be under way.
    pub(crate) fn begin(&self, sent: Sent) -> Result<Option<Counted<'_>>, NtStatus> {
        let mut counts = self.0.lock();
        let ahead = sent.sequence.wrapping_sub(counts.sequence).cast_signed();
        let waits = sent.is_replay && counts.older > 0;
        if ahead < 0 || waits {
            return if sent.changes { Err(NtStatus::FILE_NOT_AVAILABLE) } else { Ok(None) };
        }
        if ahead > 0 {
            counts.older += std::mem::take(&mut counts.requests);
            counts.sequence = sent.sequence;
        }
        counts.requests += 1;
        Ok(Some(Counted { of: self, sequence: sent.sequence }))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut counts = self.of.0.lock();
        let of_newest = counts.sequence == self.sequence;
        let count = if of_newest { &mut counts.requests } else { &mut counts.older };
        *count = count.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;

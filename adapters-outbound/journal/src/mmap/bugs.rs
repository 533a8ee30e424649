//! Rules that a test breaks on purpose, to show that the other tests would notice. Nothing but a test of this crate can
//! break one: elsewhere there is nothing to set, and `has` is always false.

#[cfg(test)]
use std::sync::OnceLock;

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// Checksums of records start from the journal alone: what an earlier use of a segment left passes.
    SeedIsJournalOnly,
    /// Recovery takes a record whose checksum passes, whatever its number.
    AnyNumberTaken,
    /// Both of them: stale bytes are accepted.
    StaleBytesAccepted,
    /// Recovery goes on with the incarnation that it found.
    IncarnationKept,
    /// Numbers go on right above those that recovery saw.
    NumbersGivenAgain,
}

/// The rules that are broken in a journal.
#[derive(Debug, Default)]
pub(super) struct Bugs {
    #[cfg(test)]
    seeded: OnceLock<Bug>,
}

impl Bugs {
    /// Whether this rule is broken.
    #[cfg(test)]
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.seeded.get() == Some(&bug)
    }

    /// Whether this rule is broken: never.
    #[cfg(not(test))]
    pub(super) fn has(&self, _bug: Bug) -> bool {
        false
    }

    #[cfg(test)]
    pub(super) fn seed(&self, bug: Bug) {
        self.seeded.set(bug).expect("one bug at a time");
    }
}

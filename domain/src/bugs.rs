//! Rules that a test breaks on purpose, to show that it would notice. Only a test can break one: the switch is there
//! only with the feature `seeded-bugs`, which no program has, and it is off until a test throws it on its own thread.

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A flush takes parts of regions, and puts what it copied over whatever stands there by then.
    RegionsSplit,
    /// A commit is answered although the newest record is not in the map.
    CommittedEarly,
}

#[cfg(feature = "seeded-bugs")]
thread_local! {
    static SEEDED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Breaks a rule on this thread, or none.
#[cfg(feature = "seeded-bugs")]
pub fn seed(bug: Option<Bug>) {
    SEEDED.set(bug);
}

/// Whether this rule is broken.
#[cfg(feature = "seeded-bugs")]
pub(crate) fn has(bug: Bug) -> bool {
    SEEDED.get() == Some(bug)
}

/// Whether this rule is broken: never.
#[cfg(not(feature = "seeded-bugs"))]
pub(crate) const fn has(_bug: Bug) -> bool {
    false
}

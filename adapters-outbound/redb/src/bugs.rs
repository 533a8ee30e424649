//! Rules of the log that a test breaks on purpose, to show that the other tests would notice. Nothing but a test of this
//! crate can break one: elsewhere there is nothing to set, and `has` is always false.

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Records that an earlier filling of the log left are replayed.
    StaleGenerationReplayed,
    /// A log that begins again keeps its generation.
    GenerationKept,
    /// Records that were durable and are unreadable are removed, as if they had never been acknowledged.
    DamageIsTail,
    /// A record is acknowledged, and not in the log.
    AnsweredWithoutLog,
}

#[cfg(test)]
thread_local! {
    static SEEDED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Whether this rule is broken.
#[cfg(test)]
pub(crate) fn has(bug: Bug) -> bool {
    SEEDED.get() == Some(bug)
}

/// Whether this rule is broken: never.
#[cfg(not(test))]
pub(crate) fn has(_bug: Bug) -> bool {
    false
}

#[cfg(test)]
mod tests;

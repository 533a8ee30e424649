//! When written bytes are answered for.

/// What a COMMIT and a stable write wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// The journal: then the bytes survive what that survives.
    #[default]
    Journal,
    /// The stores: then they survive what those survive, and the journal need not survive anything.
    Stores {
        /// A file that has at most so many unflushed bytes is not put into an object for that: they go into its map. The
        /// next flush puts them into an object, with those of other files. 0: never.
        inline_bytes_max: u32,
    },
}

impl Tier {
    /// Whether nothing but the stores remembers what was answered.
    pub(super) fn is_of_stores(self) -> bool {
        matches!(self, Tier::Stores { .. })
    }
}

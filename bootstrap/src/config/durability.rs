//! The durability contract of a share: when a change is answered, and what it survives from then on.

use std::fmt;

use dittofs_ports::Survives;

/// The tier of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Answered when in memory.
    None,
    /// Answered when synced in journal and metadata store on this machine.
    Local,
    /// Answered when in the content store and in a metadata store that outlives the machine.
    Remote,
}

impl Durability {
    /// The words of the configuration.
    pub const CHOICES: [(&'static str, Durability); 3] =
        [("none", Durability::None), ("local", Durability::Local), ("remote", Durability::Remote)];

    /// The strongest tier that two stores can give together; `None` where they contradict each
    /// other, because one keeps what the other loses.
    #[must_use]
    pub fn strongest(metadata: Survives, content: Survives) -> Option<Durability> {
        match metadata.min(content) {
            Survives::Nothing if metadata != content => None,
            Survives::Nothing | Survives::Process => Some(Durability::None),
            Survives::PowerLoss => Some(Durability::Local),
            Survives::MachineLoss => Some(Durability::Remote),
        }
    }

    /// Whether what is written goes to a journal that outlives the process.
    #[must_use]
    pub fn keeps_a_journal(self) -> bool {
        self == Durability::Local
    }

    /// The tier of a word of the configuration.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Durability> {
        Self::CHOICES.iter().find(|(choice, _)| *choice == word).map(|(_, tier)| *tier)
    }

    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Durability::None => "none",
            Durability::Local => "local",
            Durability::Remote => "remote",
        }
    }

    /// When a COMMIT and a stable write are answered.
    #[must_use]
    pub fn writes_answered(self) -> &'static str {
        match self {
            Durability::None => "they are in memory",
            Durability::Local => "they are synced in the share's journal",
            Durability::Remote => "they are in the content store, or if they are few, in the metadata store",
        }
    }

    /// When a change of names or attributes is answered.
    #[must_use]
    pub fn changes_answered(self) -> &'static str {
        match self {
            Durability::None => "they are in memory",
            Durability::Local => "they are synced in the metadata store",
            Durability::Remote => "they are in a metadata store that outlives this machine",
        }
    }

    /// Describes what happens to unstable writes that nobody commits; the age is in seconds.
    #[must_use]
    pub fn unstable(self, age_max_s: u64) -> String {
        match self {
            Durability::None => "gone when the server stops, as all else".to_owned(),
            Durability::Local | Durability::Remote => {
                format!("as good as committed after {age_max_s} s at the latest; a crash before that may lose them")
            }
        }
    }

    /// Describes the failures that an answered change survives.
    #[must_use]
    pub fn survives(self) -> &'static str {
        match self {
            Durability::None => "nothing: it is gone when the server stops",
            Durability::Local => {
                "a crash of the server, a crash of this machine, a loss of power; not the loss of its disks"
            }
            Durability::Remote => "the loss of this machine",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

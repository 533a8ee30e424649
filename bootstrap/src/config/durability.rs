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

    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Durability::None => "none",
            Durability::Local => "local",
            Durability::Remote => "remote",
        }
    }

    /// When a COMMIT, a stable write or a change of metadata is answered.
    #[must_use]
    pub fn answered(self) -> &'static str {
        match self {
            Durability::None => "it is in memory",
            Durability::Local => "it is synced in the journal and the metadata store of this machine",
            Durability::Remote => "it is in the content store and in a metadata store that outlives this machine",
        }
    }

    /// What an answered change survives.
    #[must_use]
    pub fn survives(self) -> &'static str {
        match self {
            Durability::None => "nothing: it is gone when the server stops",
            Durability::Local => "a crash of the server and a loss of power",
            Durability::Remote => "the loss of this machine",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

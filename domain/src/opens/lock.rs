//! A byte-range lock, and when two of them conflict.

use std::sync::Arc;

use crate::{
    client::ClientId,
    opens::{Denied, LockRange, OpenToken, limits},
};

/// Shared (read) or exclusive (write).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockKind {
    /// Any number of holders.
    Shared,
    /// One holder.
    Exclusive,
}

/// Who owns POSIX locks: a process, as its client names it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockOwner {
    client: ClientId,
    name: Arc<[u8]>,
}

impl LockOwner {
    /// An owner with the opaque name that its client gives it.
    ///
    /// # Errors
    /// `Invalid` over [`limits::OWNER_BYTES`] bytes.
    pub fn new(client: ClientId, name: &[u8]) -> Result<LockOwner, Denied> {
        if name.len() > limits::OWNER_BYTES {
            return Err(Denied::Invalid);
        }
        Ok(LockOwner { client, name: name.into() })
    }

    /// The client.
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// The name, as the client gave it.
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

/// The holder of a lock. It decides which rules apply to the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockHolder {
    /// POSIX's rules (`fcntl`, NFS): an owner never conflicts with itself, its locks merge and split, and its next
    /// lock of a byte replaces the former. Advisory to those who lock alike, mandatory to opens that lock otherwise.
    Owner(LockOwner),
    /// The rules of MS-FSA: locks of an open stack, are undone as they were made, and are mandatory for everybody.
    Open {
        /// The client.
        client: ClientId,
        /// Its open.
        open: OpenToken,
    },
}

impl LockHolder {
    /// The client that the holder is of.
    pub fn client(&self) -> ClientId {
        match self {
            LockHolder::Owner(owner) => owner.client,
            LockHolder::Open { client, .. } => *client,
        }
    }

    /// The open, where locks are held by one.
    pub fn open(&self) -> Option<OpenToken> {
        match self {
            LockHolder::Owner(_) => None,
            LockHolder::Open { open, .. } => Some(*open),
        }
    }
}

/// A byte-range lock, held or asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock {
    /// Where.
    pub range: LockRange,
    /// How.
    pub kind: LockKind,
    /// Who.
    pub holder: LockHolder,
}

impl Lock {
    /// Whether this lock, held, is in the way of `wanted`.
    pub fn blocks(&self, wanted: &Lock) -> bool {
        if self.kind == LockKind::Shared && wanted.kind == LockKind::Shared || !self.range.overlaps(wanted.range) {
            return false;
        }
        match (&self.holder, &wanted.holder) {
            (LockHolder::Owner(a), LockHolder::Owner(b)) => a != b,
            // An open's shared lock stacks on its own exclusive one; nothing else does.
            (LockHolder::Open { open: a, .. }, LockHolder::Open { open: b, .. }) => {
                a != b || !(self.kind == LockKind::Exclusive && wanted.kind == LockKind::Shared)
            }
            (LockHolder::Owner(_), LockHolder::Open { .. }) | (LockHolder::Open { .. }, LockHolder::Owner(_)) => true,
        }
    }

    /// Whether this lock, held, stops reading or writing of `range` by `open`, an open with mandatory locks, or by
    /// anybody else (`None`).
    pub fn stops(&self, open: Option<OpenToken>, range: LockRange, write: bool) -> bool {
        if range.is_empty() || !self.range.overlaps(range) || (self.kind == LockKind::Shared && !write) {
            return false;
        }
        match &self.holder {
            LockHolder::Owner(_) => open.is_some(),
            // A shared lock stops even its own open from writing (MS-FSA, 2.1.4.10).
            LockHolder::Open { open: holder, .. } => self.kind == LockKind::Shared || open != Some(*holder),
        }
    }
}

//! An open file, directory or pipe of a session (MS-SMB2, 3.3.1.10).

mod channel_sequence;
mod lock_room;
mod lock_sequences;
mod watching;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    Name, NodeId, ShareId,
    access::AccessMask,
    opens::{LeaseKey, OpenToken},
};
use dittofs_ports::Caller;
use dittofs_smb_rpc::Pipe;
use dittofs_smb_wire::{NtStatus, identifiers::FileId};
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, futures::Notified};

pub(crate) use channel_sequence::{ChannelSequence, Sent};
pub(crate) use lock_room::LockRoom;
pub(crate) use lock_sequences::{LockSequence, LockSequences};
pub(crate) use watching::Watching;

use crate::{
    below::Below,
    client::Client,
    durable::Durable,
    holdings::{Held, Holding},
    listing::Listing,
    replays::Key,
    tree::Tree,
};

/// An open.
pub(crate) struct Open {
    pub(crate) id: FileId,
    pub(crate) tree: Arc<Tree>,
    pub(crate) kind: OpenKind,
    /// The room that it takes.
    pub(crate) _held: Held,
}

/// What is open.
pub(crate) enum OpenKind {
    /// A node of a share.
    Node(Arc<OpenNode>),
    /// A pipe of `IPC$`.
    Pipe(Mutex<Pipe>),
}

/// Where an open node stands in its share.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory and the name there that were opened; none for the root.
    pub(crate) entry: Option<(NodeId, Name)>,
    /// The path from the share's root, with backslashes.
    pub(crate) path: String,
    /// The directories on this path have it below them.
    below: Below,
    /// The room that a long path takes.
    _room: Held,
}

impl Place {
    /// A place of an open of a session.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if its user has too much open for a path of this length.
    pub(crate) fn new(
        holding: &Arc<Holding>,
        entry: Option<(NodeId, Name)>,
        path: String,
        below: Below,
    ) -> Result<Place, NtStatus> {
        let _room = holding.take((path.len() + below.bytes()) >> 10)?;
        Ok(Place { entry, path, below, _room })
    }

    /// It stands below these.
    pub(crate) fn stand_below(&mut self, below: Below) {
        self.below = below;
    }

    /// It is being closed: whoever waits for that may rename the directories on its path.
    pub(crate) fn leave(&mut self) {
        self.below = Below::default();
    }

    /// Whether it is below a directory.
    pub(crate) fn is_below(&self, share: ShareId, directory: NodeId) -> bool {
        self.below.is_below(share, directory)
    }
}

/// An open node.
pub(crate) struct OpenNode {
    pub(crate) node: NodeId,
    /// The file, where the node is a stream of it; else the node itself.
    pub(crate) file: NodeId,
    pub(crate) token: OpenToken,
    /// The rights that it was opened with.
    pub(crate) access: AccessMask,
    pub(crate) is_directory: bool,
    /// Whether writes are durable when they are answered.
    pub(crate) is_write_through: bool,
    /// The create options that the mode tells of (MS-FSCC, 2.4.31).
    pub(crate) mode: u32,
    /// The key under which its client caches, if it asked to.
    pub(crate) cache: Option<LeaseKey>,
    /// How it outlives its connection, if it does.
    pub(crate) durable: Option<Durable>,
    /// The CREATE that made it, as long as its client may send that again.
    pub(crate) made_by: Mutex<Option<Key>>,
    /// Its client, which lasts as long as a durable open does.
    pub(crate) keeps: Option<Arc<Client>>,
    /// Who opened it, through this open.
    pub(crate) caller: Caller,
    pub(crate) place: Mutex<Place>,
    /// The end of the last read or write.
    pub(crate) position: AtomicU64,
    /// How far a scan of its extended attributes has come.
    pub(crate) scanned: AtomicU64,
    /// Whether the node goes when this is closed.
    pub(crate) delete_on_close: AtomicBool,
    /// How far a listing has come.
    pub(crate) listing: tokio::sync::Mutex<Listing>,
    /// Its watch, if it is a directory that is watched.
    pub(crate) watching: Watching,
    /// Held by each request through the open, and by its close alone.
    pub(crate) in_use: InUse,
    pub(crate) channel_sequence: ChannelSequence,
    pub(crate) lock_sequences: LockSequences,
    pub(crate) lock_room: LockRoom,
}

/// The requests through an open, and its close, which does not overtake them. Only one that waits for a lock, or for
/// changes, holds up nobody: it ends with the close.
#[derive(Default)]
pub(crate) struct InUse {
    requests: RwLock<()>,
    closing: Notify,
}

impl Open {
    /// The node.
    ///
    /// # Errors
    /// `INVALID_DEVICE_REQUEST` for a pipe.
    pub(crate) fn node(&self) -> Result<&OpenNode, NtStatus> {
        match &self.kind {
            OpenKind::Node(node) => Ok(node),
            OpenKind::Pipe(_) => Err(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }
}

impl InUse {
    /// Held by a request while it works.
    pub(crate) async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.requests.read().await
    }

    /// Held by the close: nothing else goes through the open, nor will.
    pub(crate) async fn close(&self) -> RwLockWriteGuard<'_, ()> {
        let alone = self.requests.write().await;
        self.closing.notify_waiters();
        alone
    }

    /// Completes with the close. It has to be called while [`InUse::read`] is held, and misses none then.
    pub(crate) fn closed(&self) -> Notified<'_> {
        self.closing.notified()
    }
}

impl OpenNode {
    /// Demands one of these rights.
    ///
    /// # Errors
    /// `ACCESS_DENIED`.
    pub(crate) fn demand_any(&self, rights: AccessMask) -> Result<(), NtStatus> {
        if self.access.intersects(rights) { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) }
    }

    /// Whether it is a named stream of a file.
    pub(crate) fn is_stream(&self) -> bool {
        self.file != self.node
    }

    /// Notes where a read or write has ended.
    pub(crate) fn moved_to(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(crate) mod tests;

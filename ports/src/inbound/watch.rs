//! Watching directories.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    NodeId,
    error::FsResult,
    watch::{ChangeKinds, ChangeRecord},
};

use super::Caller;

/// A request to watch a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WatchRequest {
    /// The changes to be told of.
    pub kinds: ChangeKinds,
    /// Whether those in the directories below are meant as well.
    pub tree: bool,
    /// Bytes of changes that are kept at most until they are taken, as [`ChangeRecord::bytes`] counts them.
    pub bytes_max: usize,
}

/// The outcome of taking changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchReply {
    /// Nothing has changed since it was last asked: the listener is told when something does.
    Nothing,
    /// These changes, in their order.
    Changes(Vec<ChangeRecord>),
    /// More has changed than could be kept, or it is not known what: the watcher has to list anew.
    Overflowed,
    /// The directory has no name any more, or loses it with its last close. It may be kept after all.
    Removed,
    /// The share is served no more.
    Ended,
}

/// Notifies an adapter that a watcher has something to take. Called right after the change, from whichever task made
/// it: must return at once. Told once until everything was taken.
pub trait ChangeListener: Send + Sync {
    /// There is something to take.
    fn changed(&self);
}

/// A directory that is watched, as long as this is kept. It keeps no store of the share open.
pub trait Watch: Send + Sync {
    /// Takes all that there is.
    fn take(&self) -> WatchReply;
}

/// Changes of one share, for those who watch, whatever protocol they are made by.
///
/// A change is told of once it was applied, and before the call that made it returns. Of calls at the same time, each
/// is told of at any time until it returns: they can be in another order than they were applied in.
#[async_trait]
pub trait WatchService: Send + Sync {
    /// Watches a directory, from now on.
    /// - `Access` where the caller may not list it; `NotDirectory`, `Stale`;
    /// - `NoSpace` if the client or the share has too many watches;
    /// - of a directory below, the watcher is told only where the caller may search and list it, and all that lead
    ///   there, at the time of the change: it hears of no name that it could not have listed;
    /// - what has several names is told of by the one that it got last, and not at all once that one is gone;
    /// - what other servers over the same metadata store change is not told of.
    async fn watch(
        &self,
        caller: &Caller,
        directory: NodeId,
        request: &WatchRequest,
        listener: Arc<dyn ChangeListener>,
    ) -> FsResult<Arc<dyn Watch>>;
}

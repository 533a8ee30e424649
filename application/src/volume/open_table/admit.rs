//! The check before a node is read or changed: what others have open, locked or cached.
//!
//! Permission comes first: who may not do it takes nothing away from anybody.

use std::{ops::Range, sync::Arc};

use dittofs_domain::{
    Node, NodeId,
    access::NodeSecurity,
    error::{FsError, FsResult},
    namespace::permission::{may_read, may_write},
    opens::{LockRange, NodeOpens, Operation, ShareAccess},
    plan::{Query, View},
};
use dittofs_ports::Caller;
use smallvec::SmallVec;

use super::patience_of_ms;
use crate::volume::{
    node_locks::NodeLock,
    nodes::Nodes,
    open_table::{
        Answer, OpenTable, Verdict,
        known::{Known, covers, opened_by},
        known_open,
    },
};

/// An operation that a caller is about to do with a node.
#[derive(Clone, Copy, Debug)]
pub(in crate::volume) enum Wanted {
    /// A read or a write.
    Operation(Operation),
    /// A change of its size to this one.
    Size(u64),
}

/// A node's lock, in which what was asked for may be done.
pub(in crate::volume) struct Admitted<'v> {
    pub(in crate::volume) lock: NodeLock<'v>,
    /// The access of the caller's open; nothing without one.
    pub(in crate::volume) access: ShareAccess,
}

/// The locks of a clone's files.
pub(in crate::volume) struct CloneLocks<'v> {
    /// The destination's.
    pub(in crate::volume) admitted: Admitted<'v>,
    /// The access of the open of the source.
    pub(in crate::volume) read_access: ShareAccess,
    /// None if it is the same file.
    _source: Option<NodeLock<'v>>,
}

impl OpenTable {
    /// Admits a read, or returns why it is refused. Returns the access of the caller's open.
    pub(in crate::volume) async fn check_read(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        length: u32,
    ) -> FsResult<ShareAccess> {
        let operation = Operation::Read(range(offset, u64::from(length)));
        self.check_operation(caller, node, operation, |node| readable(node, caller, ShareAccess::empty())).await
    }

    /// The lock under which a write may be done.
    pub(in crate::volume) async fn lock_to_write(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        length: u32,
    ) -> FsResult<Admitted<'_>> {
        let wanted = Wanted::Operation(Operation::Write(range(offset, u64::from(length))));
        self.lock_to(caller, node, wanted, |node| writable(node, caller, ShareAccess::empty())).await
    }

    /// The lock under which a range may be punched, or grown to. Some bytes at least.
    pub(in crate::volume) async fn lock_to_replace(
        &self,
        caller: &Caller,
        node: NodeId,
        written: &Range<u64>,
    ) -> FsResult<Admitted<'_>> {
        let wanted = Wanted::Operation(Operation::Write(locked(written)));
        self.lock_to(caller, node, wanted, |node| writable(node, caller, ShareAccess::empty())).await
    }

    /// The locks of two files, or of one, in which a range of the one may be read for a change of the other: those of
    /// both, in the order of their ids, and what the opens are for.
    pub(in crate::volume) async fn lock_to_clone(
        &self,
        (reader, source, read): (&Caller, NodeId, Range<u64>),
        (writer, node, written): (&Caller, NodeId, Range<u64>),
    ) -> FsResult<CloneLocks<'_>> {
        let patience_ms = self.share.now_ms() + patience_of_ms(writer);
        let may_read = |node: &Node| readable(node, reader, ShareAccess::empty());
        let may_write = |node: &Node| writable(node, writer, ShareAccess::empty());
        let read_access = self.check_operation(reader, source, Operation::Read(locked(&read)), may_read).await?;
        loop {
            let freed = self.freed(node).notified();
            let earlier = if source < node { Some(self.locks.lock(source).await) } else { None };
            let lock = self.locks.lock(node).await;
            let later = if source > node { Some(self.locks.lock(source).await) } else { None };
            let source = earlier.or(later);
            match self.inquire(writer, node, (Operation::Write(locked(&written)), false), &may_write).await? {
                Verdict::Done(access) => {
                    return Ok(CloneLocks { admitted: Admitted { lock, access }, read_access, _source: source });
                }
                Verdict::Wait { until_ms } => {
                    drop((lock, source));
                    self.wait_freed(freed, until_ms, patience_ms).await?;
                }
            }
        }
    }

    /// Lets an operation go on as far as others have the node open, locked or cached, waiting for those who cache;
    /// what the caller's open is for. `may` is asked where that does not cover the operation, before anything is taken
    /// from anybody or the operation refused: whoever is admitted is judged by the operation itself.
    ///
    /// # Errors
    /// `ShareDenied`, `Locked`; `Busy` after waiting; those of `may`, and `Stale`, only where somebody has anything on
    /// the node.
    pub(in crate::volume) async fn check_operation(
        &self,
        caller: &Caller,
        node: NodeId,
        operation: Operation,
        may: impl Fn(&Node) -> FsResult<()> + Sync,
    ) -> FsResult<ShareAccess> {
        if let Known::Admitted(access) = self.known(caller, node, operation) {
            return Ok(access);
        }
        let patience_ms = self.share.now_ms() + patience_of_ms(caller);
        self.check_until(caller, node, operation, (patience_ms, may)).await
    }

    /// The same for as long as the caller says, on the monotonic clock. `Busy` after that.
    pub(in crate::volume) async fn check_until(
        &self,
        caller: &Caller,
        node: NodeId,
        operation: Operation,
        (patience_ms, may): (u64, impl Fn(&Node) -> FsResult<()> + Sync),
    ) -> FsResult<ShareAccess> {
        loop {
            let freed = self.freed(node).notified();
            match self.inquire(caller, node, (operation, false), &may).await? {
                Verdict::Done(access) => return Ok(access),
                Verdict::Wait { until_ms } => self.wait_freed(freed, until_ms, patience_ms).await?,
            }
        }
    }

    /// As [`OpenTable::check_operation`], under the node's lock, which is kept: nobody gets anything on the node until the
    /// operation is done.
    pub(in crate::volume) async fn lock_to(
        &self,
        caller: &Caller,
        node: NodeId,
        wanted: Wanted,
        may: impl Fn(&Node) -> FsResult<()> + Sync,
    ) -> FsResult<Admitted<'_>> {
        let patience_ms = self.share.now_ms() + patience_of_ms(caller);
        loop {
            let freed = self.freed(node).notified();
            let lock = self.locks.lock(node).await;
            let asked = match wanted {
                Wanted::Operation(operation) => (operation, false),
                Wanted::Size(_) if !self.has_opens(node) => {
                    return Ok(Admitted { lock, access: ShareAccess::empty() });
                }
                Wanted::Size(size) => {
                    let old = self.nodes.overlay_locked(&lock, &*demand(&self.nodes, node, &may).await?).size;
                    (Operation::Truncate(range(old.min(size), old.abs_diff(size))), true)
                }
            };
            match self.inquire(caller, node, asked, &may).await? {
                Verdict::Done(access) => return Ok(Admitted { lock, access }),
                Verdict::Wait { until_ms } => {
                    drop(lock);
                    self.wait_freed(freed, until_ms, patience_ms).await?;
                }
            }
        }
    }

    /// Lets a change of names go on as far as its nodes are concerned. `targets` sees what the query finds, refuses who
    /// may not do it, and says what is done to which node.
    ///
    /// A node that is opened after this check and before the change is one that was opened before its name went.
    pub(in crate::volume) async fn check_names(
        &self,
        caller: &Caller,
        query: Query,
        targets: impl FnOnce(&View) -> FsResult<SmallVec<[(NodeId, Operation); 2]>> + Send,
    ) -> FsResult<()> {
        if self.state.is_idle() {
            return Ok(());
        }
        let targets = targets(&*self.nodes.view(&query).await?)?;
        for (node, operation) in targets {
            self.check_operation(caller, node, operation, |_| Ok(())).await?;
        }
        Ok(())
    }

    /// Whether a node that loses its last name must be kept for now: it is open, it has something unflushed, or
    /// somebody is under its lock. If not, its lock is kept in `lock`, so that this stays so until the name is gone.
    pub(in crate::volume) fn is_busy<'v>(&'v self, node: NodeId, lock: &mut Option<NodeLock<'v>>) -> bool {
        *lock = None;
        *lock = self.locks.try_lock(node);
        lock.is_none() || known_open(&*self.state, node) != Some(false) || self.nodes.pending().has(node)
    }

    /// Asks those who have anything on the node, if this instance does not know what they say; the flag says that
    /// permission was asked for already.
    async fn inquire(
        &self,
        caller: &Caller,
        node: NodeId,
        (operation, permitted): (Operation, bool),
        may: &(impl Fn(&Node) -> FsResult<()> + Sync),
    ) -> FsResult<Verdict<ShareAccess>> {
        match self.known(caller, node, operation) {
            // Whoever may not do it at all is refused by the operation itself: nothing was taken from anybody.
            Known::Admitted(access) => Ok(Verdict::Done(access)),
            Known::Denied { denied, is_covered } => {
                if !is_covered && !permitted {
                    demand(&self.nodes, node, may).await?;
                }
                Err(FsError::from(&denied))
            }
            Known::Ask => self.inquire_of_store(caller, node, (operation, permitted), may).await,
        }
    }

    async fn inquire_of_store(
        &self,
        caller: &Caller,
        node: NodeId,
        (operation, mut permitted): (Operation, bool),
        may: &(impl Fn(&Node) -> FsResult<()> + Sync),
    ) -> FsResult<Verdict<ShareAccess>> {
        loop {
            let question = |opens: &mut NodeOpens, deadline_ms| {
                let (opener, access) = opened_by(opens, caller);
                if !covers(access, operation) && !permitted {
                    return Answer::done(None);
                }
                let outcome = opens.check(caller.client, opener, operation, deadline_ms);
                Answer::<()>::of(outcome, deadline_ms).map(|checked| Some(checked.map(|()| access)))
            };
            match self.ask(node, question).await? {
                Verdict::Done(Some(checked)) => {
                    return checked.map(Verdict::Done).map_err(|denied| FsError::from(&denied));
                }
                Verdict::Wait { until_ms } => return Ok(Verdict::Wait { until_ms }),
                Verdict::Done(None) => {
                    demand(&self.nodes, node, may).await?;
                    permitted = true;
                }
            }
        }
    }
}

async fn demand(nodes: &Nodes, node: NodeId, may: &(impl Fn(&Node) -> FsResult<()> + Sync)) -> FsResult<Arc<Node>> {
    let view = nodes.view(&Query::node(node)).await?;
    let stored = nodes.live(&view, node)?;
    may(stored)?;
    Ok(Arc::clone(stored))
}

/// Demands the right to read content, unless the caller's open is for that.
pub(in crate::volume) fn readable(node: &Node, caller: &Caller, access: ShareAccess) -> FsResult<()> {
    if access.contains(ShareAccess::READ) && node.kind.has_content() {
        return Ok(());
    }
    may_read(&NodeSecurity::from(node), &caller.credentials, caller.opener.is_none())
}

/// Demands the right to write content, unless the caller's open is for that.
pub(in crate::volume) fn writable(node: &Node, caller: &Caller, access: ShareAccess) -> FsResult<()> {
    if access.contains(ShareAccess::WRITE) && node.kind.has_content() {
        return Ok(());
    }
    may_write(&NodeSecurity::from(node), &caller.credentials, caller.opener.is_none())
}

/// Up to `u64::MAX`: to the end.
fn locked(bytes: &Range<u64>) -> LockRange {
    match bytes.end {
        u64::MAX => LockRange::to_end(bytes.start),
        end => range(bytes.start, end.saturating_sub(bytes.start)),
    }
}

fn range(offset: u64, length: u64) -> LockRange {
    LockRange::exact(offset, length).unwrap_or(LockRange::to_end(offset))
}

//! How opens end, and what goes with the last one.

use dittofs_domain::{
    ClientId, NodeId,
    error::{FsError, FsResult},
    opens::{Closed, Deletion, OpenToken, Released, ShareAccess},
};
use dittofs_ports::Caller;

use crate::volume::open_table::{DirectoryLeases, OpenTable, open::own};

/// The ends of opens. Who ends one learns what has to be removed now.
pub(crate) struct Closing<'a>(&'a OpenTable);

/// An open that has ended, and what is left to do.
pub(crate) struct Ended {
    /// The name that has to be removed now, as it was the last open: [`Closing::deleted`] must follow.
    pub(crate) deletion: Option<Deletion>,
    /// Of a stream: its file, which an open with the same token still holds.
    pub(crate) file: Option<NodeId>,
    /// Whether it was for writing.
    pub(crate) could_write: bool,
    /// Whether something was written through it that directories list from now on.
    pub(crate) has_written: bool,
}

impl Ended {
    /// Whether something is left to do.
    pub(crate) fn leaves_something(&self) -> bool {
        self.deletion.is_some() || self.file.is_some() || self.has_written
    }
}

impl OpenTable {
    /// The ends of opens.
    pub(crate) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }
}

impl Closing<'_> {
    /// Closes an open.
    pub(crate) async fn close(&self, caller: &Caller, node: NodeId, open: OpenToken) -> FsResult<Ended> {
        let _lock = self.0.locks.lock(node).await;
        let closed = self
            .0
            .change_opens(node, |opens| match own(opens, caller.client, open).and_then(|_| opens.close(open)) {
                Some(Closed { open, last, deletion, woken }) => (Some((open, last, deletion)), woken),
                None => (None, Vec::new()),
            })
            .await?;
        let (ended, last, deletion) = closed.ok_or(FsError::Stale)?;
        self.0.opens_gone(node, last);
        let deletion = deletion.map(|deletion| deletion.ended_by(caller.client, caller.parent_lease));
        let (could_write, has_written) = (
            ended.share.access.contains(ShareAccess::WRITE),
            DirectoryLeases::of(self.0).take_written(caller.client, open),
        );
        Ok(Ended { deletion, file: ended.file, could_write, has_written })
    }

    pub(crate) async fn set_deletion(
        &self,
        caller: &Caller,
        node: NodeId,
        open: OpenToken,
        deletion: Option<Deletion>,
    ) -> FsResult<()> {
        let _lock = self.0.locks.lock(node).await;
        let set = self.0.change_opens(node, |opens| {
            let set = match own(opens, caller.client, open) {
                Some(own) if deletion.is_some() && !own.share.access.contains(ShareAccess::DELETE) => {
                    Err(FsError::Access)
                }
                Some(_) => opens.set_deletion(open, deletion.clone()).map_err(|denied| FsError::from(&denied)),
                None => Err(FsError::Stale),
            };
            (set, Vec::new())
        });
        set.await?
    }

    /// Whether a node goes with its last open.
    pub(crate) async fn is_deleting(&self, node: NodeId) -> FsResult<bool> {
        if !self.0.has_opens(node) {
            return Ok(false);
        }
        self.0.change_opens(node, |opens| (opens.deletion().is_some(), Vec::new())).await
    }

    /// A name that was due is removed, or can't be.
    pub(crate) async fn deleted(&self, node: NodeId) -> FsResult<()> {
        let _lock = self.0.locks.lock(node).await;
        self.0.change_opens(node, |opens| (opens.deleted(), Vec::new())).await?;
        self.0.opens_gone(node, true);
        Ok(())
    }

    /// Drops all that a client has on this share. One node that fails does not keep the others. Adds the names that have
    /// to be removed now.
    pub(crate) async fn release_client(
        &self,
        client: ClientId,
        deletions: &mut Vec<(NodeId, Deletion)>,
    ) -> FsResult<()> {
        let nodes = self.0.state.nodes_of(client).await.map_err(|error| self.0.share.opens_failed(&error))?;
        let mut result = Ok(());
        for node in nodes {
            let _lock = self.0.locks.lock(node).await;
            let released = self.0.change_opens(node, |opens| {
                let Released { woken, deletion } = opens.release_client(client);
                ((!opens.is_open(), deletion), woken)
            });
            match released.await {
                Ok((last, deletion)) => {
                    self.0.opens_gone(node, last);
                    deletions.extend(deletion.map(|deletion| (node, deletion)));
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }
}

//! Watching a directory.

use std::sync::Arc;

use dittofs_domain::{
    NodeId, NodeKind,
    access::{self, AccessMask, NodeSecurity},
    error::{FsError, FsResult},
    plan::Query,
};
use dittofs_ports::{Caller, ChangeListener, Watch, WatchRequest};

use crate::volume::names::Names;

impl Names {
    pub(crate) async fn watch(
        &self,
        caller: &Caller,
        directory: NodeId,
        request: &WatchRequest,
        listener: Arc<dyn ChangeListener>,
    ) -> FsResult<Arc<dyn Watch>> {
        let seen = self.nodes.view(&Query::node(directory)).await?;
        let node = self.nodes.live(&seen, directory)?;
        if node.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        access::demand(&NodeSecurity::from(&**node), &caller.credentials, AccessMask::LIST_DIRECTORY)?;
        let watches = self.plans.watches();
        let watch = watches.add(caller, directory, request, listener)?;
        // Asked for after it was added: whatever happens from now on, it hears of.
        let seen = self.nodes.view(&Query::node(directory)).await?;
        let is_linked = seen.node(directory).is_ok_and(|node| node.is_linked());
        if !is_linked || self.opens.closing().is_deleting(directory).await? {
            watches.set_deleting(directory, true);
        }
        Ok(watch)
    }
}

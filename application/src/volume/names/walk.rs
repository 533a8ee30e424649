//! From a path to a directory, for mounting.

use dittofs_domain::{
    Name, NodeId, NodeKind,
    error::{FsError, FsResult},
    plan::{EntryKey, Query},
};
use dittofs_ports::Caller;

use crate::volume::names::Names;

impl Names {
    /// The directory at a path inside the share; symlinks are not followed, `..` is refused. The caller must be able to look up each
    /// name on the way: a mount is no way around a directory that others can't search.
    pub(crate) async fn walk(&self, caller: &Caller, path: &[u8]) -> FsResult<NodeId> {
        let mut directory = NodeId::ROOT;
        for component in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            let name = Name::new(component)?;
            let view = self.nodes.view(&Query::child(directory, EntryKey::child(directory, &name))).await?;
            self.nodes.searchable(&view, directory, caller)?;
            let found = view.entry(0).ok_or(FsError::NotFound)?;
            if found.node.kind != NodeKind::Directory {
                return Err(FsError::NotDirectory);
            }
            directory = found.node.id;
        }
        Ok(directory)
    }
}

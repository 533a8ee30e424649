//! From a path to a directory, for mounting.

use dittofs_domain::{
    Name, NodeId, NodeKind,
    error::{FsError, FsResult},
    plan::{EntryKey, Query},
};

use super::Volume;

impl Volume {
    /// The directory at a path inside the share; symlinks are not followed, `..` is refused.
    pub(crate) async fn walk(&self, path: &[u8]) -> FsResult<NodeId> {
        let mut directory = NodeId::ROOT;
        for component in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            let name = Name::new(component)?;
            let view = self.view(&Query::child(directory, EntryKey::child(directory, &name))).await?;
            let found = view.entry(0).ok_or(FsError::NotFound)?;
            if found.node.kind != NodeKind::Directory {
                return Err(FsError::NotDirectory);
            }
            directory = found.node.id;
        }
        Ok(directory)
    }
}

use dittofs_domain::{
    error::{FsError, FsResult},
    namespace::{CreateRequest, LinkRequest, RenameRequest},
};
use dittofs_ports::{Created, Linked, Renamed};

use crate::volume::{names::Names, nodes::Seen};

impl Names {
    pub(super) async fn created_by_then(&self, seen: &Seen, request: &CreateRequest) -> FsResult<Created> {
        let earlier = seen.earlier.as_ref().ok_or(FsError::Unanswered)?;
        // Without a node of its own it gave one that was there another size.
        let (name, node) = match (earlier.made, seen.meant(0, &request.name)) {
            (Some(_), _) => (&request.name, earlier.node.as_ref()),
            (None, Some((name, found))) => (name, Some(&found.node)),
            (None, None) => (&request.name, None),
        };
        let name = name.clone();
        let node = self.nodes.overlay_changed(seen.version, node.ok_or(FsError::Stale)?).await?;
        let directory = self.nodes.changed_by_then(seen, request.directory).await?;
        Ok(Created { node, name, directory, new: earlier.made.is_some() })
    }

    pub(super) async fn linked_by_then(&self, seen: &Seen, request: &LinkRequest) -> FsResult<Linked> {
        let directory = self.nodes.changed_by_then(seen, request.directory).await?;
        Ok(Linked { node: self.nodes.changed_by_then(seen, request.node).await?.after, directory })
    }

    pub(super) async fn renamed_by_then(&self, seen: &Seen, request: &RenameRequest) -> FsResult<Renamed> {
        Ok(Renamed {
            from_directory: self.nodes.changed_by_then(seen, request.from_directory).await?,
            to_directory: self.nodes.changed_by_then(seen, request.to_directory).await?,
        })
    }
}

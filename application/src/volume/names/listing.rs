//! Listing directories.

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    access::{self, AccessMask, NodeSecurity},
    error::{FsError, FsResult},
    plan::{Query, Space},
};
use dittofs_ports::{Caller, Entry, ListReply};
use futures_util::future::join;

use crate::{lock_order::branch, volume::names::Names};

/// Entries that one call lists at most, whatever the client asks for. As many as a protocol answers: more would be
/// memory for nothing.
const ENTRIES_MAX: usize = 8_192;

impl Names {
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        directory: NodeId,
        after: Cookie,
        entries_max: usize,
        with_attributes: bool,
    ) -> FsResult<ListReply> {
        // At the same time, so that a page takes one way to the store; the version of the index is read first. Whoever may
        // not see the entries gets none of them.
        let query = Query::node(directory);
        let list = self.metadata.list(directory, Space::Children, after, entries_max.min(ENTRIES_MAX), with_attributes);
        let (seen, listing) = join(branch(self.nodes.view(&query)), branch(list)).await;
        let seen = seen?;
        let node = self.nodes.live(&seen, directory)?;
        if node.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        let security = NodeSecurity::from(&**node);
        access::demand(&security, &caller.credentials, AccessMask::LIST_DIRECTORY)?;
        // Only callers that could look up a name may see the attributes of its node.
        let searchable = access::granted(&security, &caller.credentials).contains(AccessMask::EXECUTE);
        let with_attributes = with_attributes && searchable;
        let listing = listing.map_err(|error| self.share.metadata_failed(&error))?;
        let mut entries = Vec::with_capacity(listing.entries.len());
        for listed in listing.entries {
            let attributes = match listed.record {
                Some(node) if with_attributes => Some(self.nodes.overlay(seen.version, &node).await?),
                _ => None,
            };
            entries.push(Entry { name: listed.name, cookie: listed.cookie, node: listed.node, attributes });
        }
        let attributes = self.nodes.overlay(seen.version, node).await?;
        self.nodes.accessed(&attributes);
        let parent = node.parent.directory;
        Ok(ListReply { directory: attributes, parent, searchable, entries, complete: listing.complete })
    }
}

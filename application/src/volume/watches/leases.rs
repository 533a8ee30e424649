//! Telling those who cache listings of directories that these are others now (MS-SMB2, 3.3.4.7; MS-FSA, 2.1.4.12).

use dittofs_domain::{
    Node, NodeId, NodeKind,
    opens::Requester,
    plan::{Applied, Query},
    watch::{ChangeKinds, Listings, PlannedChanges},
};
use dittofs_ports::Caller;

use super::Watches;

/// The kinds of changes that a write makes, as [`super::Repeats`] remembers it.
const WRITTEN: ChangeKinds = ChangeKinds::SIZE.union(ChangeKinds::LAST_WRITE);

impl Watches {
    /// Tells of a plan that was applied. Where it was not looked at before, as nobody cached a listing then, it may have
    /// changed any.
    pub(super) async fn tell_leases(&self, planned: Option<&PlannedChanges>, applied: &Applied, by: &Requester) {
        let Some(planned) = planned else {
            return self.directory_leases().change_entries(&Listings::Any, by).await;
        };
        let mut listings = planned.listings();
        for node in planned.modified(applied) {
            listings.add(self.listings_of(node).await);
        }
        self.directory_leases().change_entries(&listings, by).await;
    }

    /// Tells of a write, or notes that the close has to tell of it.
    pub(super) async fn note_written(&self, caller: &Caller, file: &Node) {
        if !self.directory_leases().are_any() || file.kind == NodeKind::Stream {
            return;
        }
        if let Some(open) = caller.opener {
            return self.directory_leases().note_written(caller, open, file.id);
        }
        let (grants, now) = (self.directory_leases().grants(), self.share.monotonic());
        if self.listed.is_told(file.id, WRITTEN, (grants, now)) {
            return;
        }
        self.tell_changed(file.id, &caller.changes_entries_as()).await;
        if caller.parent_lease.is_none() {
            self.listed.note(file.id, WRITTEN, (grants, now));
        }
    }

    /// Tells that a file is listed with another size or other times than before.
    pub(crate) async fn tell_changed(&self, file: NodeId, by: &Requester) {
        let telling = self.directory_leases().begin_telling();
        let listings = match self.nodes.view(&Query::node(file)).await {
            Ok(seen) => match seen.node(file) {
                Ok(node) => self.listings_of(node).await,
                // It is gone, which was told.
                Err(_) => return telling.done(),
            },
            Err(_) => Listings::Any,
        };
        self.directory_leases().change_entries(&listings, by).await;
        telling.done();
    }

    /// The directories that list a node, as far as they are known.
    async fn listings_of(&self, node: &Node) -> Listings {
        let listings = Listings::of_node(node);
        match (&listings, node.kind) {
            (Listings::Any, _) | (_, NodeKind::Directory | NodeKind::Stream) => listings,
            // Its newest name may be gone, and others be left.
            (Listings::Of(_), _) => match self.name_of(node.parent).await {
                Ok(Some(_)) => listings,
                Ok(None) | Err(_) => Listings::Any,
            },
        }
    }
}

//! Repairs: only where nobody else uses the share. Each finding is looked at afresh and repaired by a plan.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind, ObjectId, PlaceId,
    check::{self, Adoption, EntrySeen, Finding, LOST_AND_FOUND},
    content::object::{OBJECT_HEAD_LEN, ObjectHead},
    error::{FsError, FsResult},
    namespace::Fresh,
    node::Parent,
    plan::{EntryKey, ObjectRecord, ObjectState, Plan, Query},
};
use dittofs_ports::{CheckPhase, Counter};

use super::{Checker, Subject, metadata_failed};
use crate::volume::breathe::breathe;

/// Folders that are tried where the name is taken by something else. Somebody would have had to make ten such names.
const LOST_AND_FOUND_TRIES: u32 = 10;

impl Checker<'_> {
    /// Repairs what it can, in an order in which no repair undoes another.
    pub(super) async fn repair_all(&mut self) -> FsResult<()> {
        if !self.options.repair {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..self.outcome.findings.len()).collect();
        order.sort_by_key(|index| self.outcome.findings.get(*index).map(rank));
        let of = order.len() as u64;
        for (done, index) in (0..).zip(order) {
            self.progress(CheckPhase::Repair, done, of);
            let Some(finding) = self.outcome.findings.get(index).cloned() else { continue };
            if matches!(finding, Finding::Orphans { .. }) {
                continue;
            }
            let is_repaired = match self.repair.repair(finding).await {
                // It needs what is damaged; the others do not.
                Err(FsError::Io) => false,
                is_repaired => is_repaired?,
            };
            self.outcome.set_repaired(Some(index), is_repaired);
            breathe().await;
        }
        Ok(())
    }
}

/// Repairs what is found, where that can be done without losing anything.
pub(super) struct Repair<'v> {
    subject: Arc<Subject<'v>>,
    lost_and_found: Option<NodeId>,
}

impl<'v> Repair<'v> {
    pub(super) fn new(subject: Arc<Subject<'v>>) -> Repair<'v> {
        Repair { subject, lost_and_found: None }
    }
}

impl Repair<'_> {
    /// Answers whether it is repaired.
    pub(super) async fn repair(&mut self, finding: Finding) -> FsResult<bool> {
        let now = self.subject.clock.now();
        let plan = match finding {
            Finding::LinkCount { node, counted, only, .. } => {
                self.subject.node(node).await?.whole().map(|node| check::correct_links(&node, counted, only, now))
            }
            Finding::Allocated { node, counted, .. } => {
                self.subject.node(node).await?.whole().map(|node| check::correct_allocated(&node, counted, now))
            }
            Finding::XattrBytes { node, counted, .. } => {
                self.subject.node(node).await?.whole().map(|node| check::correct_xattrs(&node, counted, now))
            }
            Finding::XattrsUnreadable { node } | Finding::XattrsLeft { node } => {
                let stored = self.subject.node(node).await?.whole();
                Some(check::remove_xattrs(node, stored.as_deref(), now))
            }
            Finding::WrongParent { node, found, .. } => {
                self.subject.node(node).await?.whole().map(|node| check::correct_parent(&node, found, now))
            }
            Finding::NoNode { entry, node } => Some(check::remove_dangling(&entry, node, now)),
            Finding::NotFolded { entry, node } => Some(check::refold(&entry, node, now)),
            Finding::SecondName { node, entry } => {
                self.subject.node(node).await?.whole().map(|node| check::break_second_name(&entry, &node, now))
            }
            Finding::NoName { node } => self.adoption(node, None).await?,
            Finding::Circle { node, entry } => self.adoption(node, Some(entry)).await?,
            Finding::NamedThoughRemoved { node, counted, found } => self.linked_again(node, counted, found).await?,
            Finding::NoteMissing { node } => Some(check::put_note(node, now)),
            Finding::NoteSuperfluous { node } => Some(check::drop_note(node, now)),
            Finding::ObjectNotLive { object, .. } => self.revival(object).await?,
            Finding::ReferenceMissing { object, node, chunk } => {
                Some(check::insert_reference(object, node, chunk, now))
            }
            Finding::ReferenceSuperfluous { object, node, chunk } => {
                let is_repaired = self.subject.apply(check::remove_reference(object, node, chunk, now)).await?;
                if self.subject.unused(object).await? {
                    self.mark_pending_delete(object).await?;
                }
                return Ok(is_repaired);
            }
            Finding::Unused { object, .. } => return self.mark_pending_delete(object).await,
            Finding::NoRoot
            | Finding::PendingTruncationNote { .. }
            | Finding::NodeUnreadable { .. }
            | Finding::EntriesUnreadable { .. }
            | Finding::MapUnreadable { .. }
            | Finding::Uncovered { .. }
            | Finding::Overlap { .. }
            | Finding::Malformed { .. }
            | Finding::BehindEnd { .. }
            | Finding::NoContent { .. }
            | Finding::OutsideObject { .. }
            | Finding::ObjectLength { .. }
            | Finding::Orphans { .. }
            | Finding::Statistics { .. }
            | Finding::Damaged { .. } => None,
        };
        match plan {
            Some(plan) => self.subject.apply(plan).await,
            None => Ok(false),
        }
    }

    pub(super) async fn mark_pending_delete(&self, object: ObjectId) -> FsResult<bool> {
        match self.subject.object(object).await? {
            Some(record) if record.state == ObjectState::PendingDelete => Ok(true),
            Some(record) => self.subject.apply(check::mark_pending_delete(record, self.subject.clock.now())).await,
            None => Ok(false),
        }
    }

    /// Makes an object live again that files use, if it is in the content store and says itself what it is.
    pub(super) async fn revival(&self, object: ObjectId) -> FsResult<Option<Plan>> {
        let record = self.subject.object(object).await?;
        let Ok(parts) = self.subject.content.get(self.subject.share(), object, 0..OBJECT_HEAD_LEN).await else {
            return Ok(None);
        };
        let Ok(head) = ObjectHead::parse(&parts.concat()) else { return Ok(None) };
        let last = head.bytes.saturating_sub(1);
        let is_whole = self.subject.content.get(self.subject.share(), object, last..head.bytes.max(1)).await.is_ok();
        if head.object != object || head.share != self.subject.share() || !is_whole {
            return Ok(None);
        }
        let owner = record.map_or(head.epoch, |record| record.owner);
        let revived =
            ObjectRecord { id: object, state: ObjectState::Live, owner, bytes: head.bytes, place: PlaceId::HOME };
        Ok(Some(check::revive(revived, self.subject.clock.now())))
    }

    pub(super) async fn linked_again(&self, node: NodeId, counted: u32, found: Parent) -> FsResult<Option<Plan>> {
        let Some(stored) = self.subject.node(node).await?.whole() else { return Ok(None) };
        let links = match stored.kind {
            NodeKind::Directory => self.subject.subdirectories(node).await?.links(),
            _ => counted,
        };
        Ok(Some(check::clear_unlinked(&stored, links, found, self.subject.clock.now())))
    }

    /// Gives a node a name in `lost+found`.
    pub(super) async fn adoption(&mut self, node: NodeId, circle: Option<EntrySeen>) -> FsResult<Option<Plan>> {
        let Some(stored) = self.subject.node(node).await?.whole().filter(|node| node.kind != NodeKind::Stream) else {
            return Ok(None);
        };
        let Some(directory) = self.lost_and_found().await? else { return Ok(None) };
        let Ok(name) = check::adopted_name(node) else { return Ok(None) };
        let key = EntryKey::child(directory, &name);
        let cookie = self.subject.fresh().await?.cookie;
        Ok(Some(check::adopt(Adoption { node: stored, circle, key, cookie }, self.subject.clock.now())))
    }

    pub(super) async fn lost_and_found(&mut self) -> FsResult<Option<NodeId>> {
        if self.lost_and_found.is_none() {
            self.lost_and_found = self.find_or_make_lost_and_found().await?;
        }
        Ok(self.lost_and_found)
    }

    pub(super) async fn find_or_make_lost_and_found(&self) -> FsResult<Option<NodeId>> {
        for number in 0..LOST_AND_FOUND_TRIES {
            let text = if number == 0 { LOST_AND_FOUND.to_owned() } else { format!("{LOST_AND_FOUND}.{number}") };
            let Ok(name) = Name::new(text.as_bytes()) else { continue };
            let view = self.subject.view(&Query::child(NodeId::ROOT, EntryKey::child(NodeId::ROOT, &name))).await?;
            let Ok(root) = view.node(NodeId::ROOT) else { return Ok(None) };
            match view.entry(0) {
                Some(found) if found.node.kind == NodeKind::Directory => return Ok(Some(found.node.id)),
                Some(_) => {}
                None => return self.make_lost_and_found(root, &name).await,
            }
        }
        Ok(None)
    }

    pub(super) async fn make_lost_and_found(&self, root: &Arc<Node>, name: &Name) -> FsResult<Option<NodeId>> {
        let fresh = self.subject.fresh().await?;
        let is_made =
            self.subject.apply(check::make_lost_and_found(root, name, fresh, self.subject.clock.now())).await?;
        Ok(is_made.then_some(fresh.node))
    }
}

impl Subject<'_> {
    pub(super) async fn fresh(&self) -> FsResult<Fresh> {
        let numbers = self.metadata.allocate(Counter::Ids, 2).await.map_err(|error| metadata_failed(&error))?;
        Ok(Fresh {
            node: NodeId(numbers.start),
            cookie: Cookie(numbers.start + 1),
            scale: self.record.scale,
            holder: None,
        })
    }
}

/// First what sets numbers as they were counted, then what changes them by what it does; objects before references.
fn rank(finding: &Finding) -> u32 {
    match finding {
        Finding::LinkCount { .. } | Finding::Allocated { .. } | Finding::XattrBytes { .. } => 0,
        Finding::ObjectNotLive { .. } => 1,
        Finding::ReferenceMissing { .. } => 2,
        Finding::ReferenceSuperfluous { .. } | Finding::Unused { .. } => 3,
        Finding::WrongParent { .. } | Finding::NamedThoughRemoved { .. } => 4,
        Finding::NoNode { .. } | Finding::SecondName { .. } => 5,
        Finding::Circle { .. } | Finding::NoName { .. } => 6,
        _ => 7,
    }
}

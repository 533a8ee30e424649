//! The changes of a plan, one by one.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Cookie, Node, NodeId, Timestamp,
    content::MapRow,
    plan::{Change, EntryKey, NodeUpdate, Statistics, update},
};

use super::{
    bodies::Body,
    state::State,
    transaction::{Log, Refusal, Undo},
};

impl State {
    /// Makes the changes in order, each noted in the log as soon as it is made.
    pub(super) fn change_all(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
        log: &mut Log,
    ) -> Result<(), Refusal> {
        for change in changes {
            self.change(change, now, log)?;
        }
        // Only now, since a plan may name a node before it makes it.
        let dangling = log.iter().find_map(|step| match step {
            Undo::InsertedEntry(_, node) if self.nodes.slot(*node).is_none() => Some(*node),
            _ => None,
        });
        dangling.map_or(Ok(()), |node| Err(Refusal::Missing(node)))
    }

    fn change(&mut self, change: Change, now: Timestamp, log: &mut Log) -> Result<(), Refusal> {
        let step = match change {
            Change::InsertNode(node) => self.insert_node(*node)?,
            Change::UpdateNode(id, changes) => self.update_node(id, &changes, now)?,
            Change::DeleteNode(id) => self.delete_node(id, log)?,
            Change::InsertEntry { key, node, cookie } => self.insert_entry(key, node, cookie)?,
            Change::DeleteEntry(key) => self.delete_entry(key)?,
            Change::PutRow { node, page, row } => {
                self.nodes.slot(node).ok_or(Refusal::Missing(node))?;
                Undo::Row(node, page, self.put_row(node, page, Some(row)))
            }
            Change::DeleteRow { node, page } => Undo::Row(node, page, self.put_row(node, page, None)),
            Change::PutUnlinked { node, reason } => {
                self.nodes.slot(node).ok_or(Refusal::Missing(node))?;
                Undo::Unlinked(node, self.unlinked.insert(node, reason))
            }
            Change::DeleteUnlinked(node) => Undo::Unlinked(node, self.unlinked.remove(&node)),
            Change::PutXattrs { node, xattrs: Some(xattrs) } => {
                self.nodes.slot(node).ok_or(Refusal::Missing(node))?;
                Undo::Xattrs(node, self.put_xattrs(node, Some(xattrs.to_bytes().into())))
            }
            Change::PutXattrs { node, xattrs: None } => Undo::Xattrs(node, self.put_xattrs(node, None)),
            Change::PutObject(record) => Undo::Object(record.id, self.objects.insert(record.id, record)),
            Change::DeleteObject(id) => Undo::Object(id, self.objects.remove(&id)),
            Change::InsertReference(reference) => {
                if !self.references.insert(reference) {
                    return Ok(());
                }
                Undo::Reference(reference, true)
            }
            Change::DeleteReference(reference) => {
                if !self.references.remove(&reference) {
                    return Ok(());
                }
                Undo::Reference(reference, false)
            }
            Change::GrantLease { .. } => return Err(Refusal::Contradiction),
            Change::RaiseTopology => {
                self.topology += 1;
                Undo::Topology(self.topology - 1)
            }
            Change::Count(difference) => {
                let before = self.statistics;
                self.statistics = Statistics {
                    bytes: before.bytes.checked_add(difference.bytes).ok_or(Refusal::Contradiction)?,
                    nodes: before.nodes.checked_add(difference.nodes).ok_or(Refusal::Contradiction)?,
                };
                Undo::Statistics(before)
            }
        };
        log.push(step);
        Ok(())
    }

    fn insert_node(&mut self, node: Node) -> Result<Undo, Refusal> {
        let id = node.id;
        if self.nodes.slot(id).is_some() {
            return Err(Refusal::Contradiction);
        }
        self.put_node(id, Some(Arc::new(Node { since: self.tree, ..node })));
        Ok(Undo::Node(id, None))
    }

    fn update_node(&mut self, id: NodeId, changes: &NodeUpdate, now: Timestamp) -> Result<Undo, Refusal> {
        let slot = self.nodes.slot_mut(id).ok_or(Refusal::Missing(id))?;
        let mut node = Node::clone(&slot.node);
        update(&mut node, changes, now, self.tree).map_err(|_| Refusal::Contradiction)?;
        let truncation_changed = node.pending_truncation.is_some() != slot.node.pending_truncation.is_some();
        let before = std::mem::replace(&mut slot.node, Arc::new(node));
        if truncation_changed {
            self.note_truncation(id);
        }
        Ok(Undo::Node(id, Some(before)))
    }

    fn delete_node(&mut self, id: NodeId, log: &mut Log) -> Result<Undo, Refusal> {
        let slot = self.nodes.slot(id).ok_or(Refusal::Missing(id))?;
        if !slot.body.as_ref().is_none_or(|body| body.goes_with_node()) {
            return Err(Refusal::Contradiction);
        }
        if let Some(xattrs) = self.put_xattrs(id, None) {
            log.push(Undo::Xattrs(id, Some(xattrs)));
        }
        let slot = self.nodes.slot(id).ok_or(Refusal::Missing(id))?;
        let before = Arc::clone(&slot.node);
        self.put_node(id, None);
        Ok(Undo::Node(id, Some(before)))
    }

    /// Puts a node's record in place, or removes the node, which then has no body.
    pub(super) fn put_node(&mut self, id: NodeId, record: Option<Arc<Node>>) {
        match (record, self.nodes.slot_mut(id)) {
            (Some(record), Some(slot)) => slot.node = record,
            (Some(record), None) => self.nodes.insert(record),
            (None, _) => drop(self.nodes.remove(id)),
        }
        self.note_truncation(id);
    }

    fn note_truncation(&mut self, id: NodeId) {
        if self.nodes.record(id).is_some_and(|node| node.pending_truncation.is_some()) {
            self.pending_truncations.insert(id);
        } else if !self.pending_truncations.is_empty() {
            self.pending_truncations.remove(&id);
        }
    }

    fn insert_entry(&mut self, key: EntryKey, node: NodeId, cookie: Cookie) -> Result<Undo, Refusal> {
        let slot = self.nodes.slot_mut(key.directory).ok_or(Refusal::Missing(key.directory))?;
        let directory = slot.body.get_or_insert_default().directory_mut(key.space);
        let inserted = directory.insert(&self.names, key.name.clone(), node, cookie);
        inserted.map_err(|_| Refusal::Contradiction)?;
        self.folded.insert(&key, cookie);
        Ok(Undo::InsertedEntry(key, node))
    }

    fn delete_entry(&mut self, key: EntryKey) -> Result<Undo, Refusal> {
        let slot = self.nodes.slot_mut(key.directory).ok_or(Refusal::Missing(key.directory))?;
        let body = slot.body.as_deref_mut().ok_or(Refusal::Contradiction)?;
        let removed = body.directory_mut(key.space).remove(&self.names, &key.name);
        let (node, cookie) = removed.ok_or(Refusal::Contradiction)?;
        self.folded.remove(&key, cookie);
        give_up_if_empty(&mut slot.body);
        Ok(Undo::DeletedEntry(key, node, cookie))
    }

    pub(super) fn remove_entry(&mut self, key: &EntryKey) {
        if let Some(slot) = self.nodes.slot_mut(key.directory) {
            if let Some(body) = slot.body.as_deref_mut()
                && let Some((_, cookie)) = body.directory_mut(key.space).remove(&self.names, &key.name)
            {
                self.folded.remove(key, cookie);
            }
            give_up_if_empty(&mut slot.body);
        }
    }

    pub(super) fn restore_entry(&mut self, key: EntryKey, node: NodeId, cookie: Cookie) {
        self.folded.insert(&key, cookie);
        if let Some(slot) = self.nodes.slot_mut(key.directory) {
            let directory = slot.body.get_or_insert_default().directory_mut(key.space);
            let restored = directory.insert(&self.names, key.name, node, cookie);
            debug_assert!(restored.is_ok(), "what is undone was possible before");
        }
    }

    /// Puts a row in place or removes it, and returns the one that was there.
    pub(super) fn put_row(&mut self, node: NodeId, page: u64, row: Option<MapRow>) -> Option<MapRow> {
        let slot = self.nodes.slot_mut(node)?;
        match row {
            Some(row) => slot.body.get_or_insert_default().rows.insert(page, row),
            None => {
                let removed = slot.body.as_deref_mut().and_then(|body| body.rows.remove(page));
                give_up_if_empty(&mut slot.body);
                removed
            }
        }
    }

    /// Puts extended attributes in place or removes them, and returns those that were there.
    pub(super) fn put_xattrs(&mut self, node: NodeId, xattrs: Option<Bytes>) -> Option<Bytes> {
        let slot = self.nodes.slot_mut(node)?;
        if xattrs.is_none() && slot.body.is_none() {
            return None;
        }
        let before = std::mem::replace(&mut slot.body.get_or_insert_default().xattrs, xattrs);
        give_up_if_empty(&mut slot.body);
        before
    }
}

fn give_up_if_empty(body: &mut Option<Box<Body>>) {
    if body.as_ref().is_some_and(|body| body.is_empty()) {
        *body = None;
    }
}

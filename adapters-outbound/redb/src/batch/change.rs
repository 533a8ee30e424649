//! The changes of a plan, one by one.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, Node, NodeId, ShareId, Timestamp,
    content::MapRow,
    node::NodeFlags,
    plan::{Change, EntryKey, NodeUpdate, Space, Statistics, update},
};

use super::{
    Batch, Refusal,
    undo::{Log, Undo},
};
use crate::{
    codec,
    keys::{self, Count, Key},
    tables::Kind,
};

impl Batch<'_> {
    /// Makes the changes in order, each noted in the log as soon as it is made.
    pub(super) fn change_all(
        &mut self,
        share: ShareId,
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
        log: &mut Log,
    ) -> Result<(), Refusal> {
        for change in changes {
            self.change(share, change, now, log)?;
        }
        // Only now, since a plan may name a node before it makes it.
        for id in &log.led_to {
            self.must_be_there(share, *id)?;
        }
        Ok(())
    }

    fn change(&mut self, share: ShareId, change: Change, now: Timestamp, log: &mut Log) -> Result<(), Refusal> {
        match change {
            Change::InsertNode(node) => self.insert_node(share, *node, log),
            Change::UpdateNode(id, changes) => self.update_node(share, id, &changes, now, log),
            Change::DeleteNode(id) => self.delete_node(share, id, log),
            Change::InsertEntry { key, node, cookie } => self.insert_entry(share, &key, node, cookie, log),
            Change::DeleteEntry(key) => self.delete_entry(share, &key, log),
            Change::PutRow { node, page, row } => self.put_row(share, node, page, &row, log),
            Change::DeleteRow { node, page } => self.put(Kind::Row, keys::row(share, node, page), None, log),
            Change::PutUnlinked { node, reason } => {
                self.must_be_there(share, node)?;
                self.put(Kind::Unlinked, keys::node(share, node), Some(codec::encode_reason(reason)), log)
            }
            Change::DeleteUnlinked(id) => self.put(Kind::Unlinked, keys::node(share, id), None, log),
            Change::PutXattrs { node, xattrs: Some(xattrs) } => {
                self.must_be_there(share, node)?;
                self.put(Kind::Xattrs, keys::node(share, node), Some(codec::encode_xattrs(&xattrs)), log)
            }
            Change::PutXattrs { node, xattrs: None } => self.put(Kind::Xattrs, keys::node(share, node), None, log),
            Change::PutObject(record) => {
                self.put(Kind::Object, keys::object(share, record.id), Some(codec::encode_object(&record)), log)
            }
            Change::DeleteObject(id) => self.put(Kind::Object, keys::object(share, id), None, log),
            Change::InsertReference(reference) => {
                self.put(Kind::Reference, keys::reference(share, &reference), Some(Vec::new()), log)
            }
            Change::DeleteReference(reference) => {
                self.put(Kind::Reference, keys::reference(share, &reference), None, log)
            }
            Change::GrantLease { .. } => Err(Refusal::Contradiction),
            Change::RaiseTopology => self.add(share, Count::Topology, 1, log),
            Change::Count(Statistics { bytes, nodes }) => {
                self.add(share, Count::Bytes, bytes, log)?;
                self.add(share, Count::Nodes, nodes, log)
            }
        }
    }

    fn put(&mut self, kind: Kind, key: Key, value: Option<Vec<u8>>, log: &mut Log) -> Result<(), Refusal> {
        let before = self.tables.put(kind, &key, value.as_deref())?;
        log.steps.push(Undo::Table(kind, key, before));
        Ok(())
    }

    fn add(&mut self, share: ShareId, what: Count, difference: i64, log: &mut Log) -> Result<(), Refusal> {
        if difference != 0 {
            let before = self.count(share, what)?;
            self.put_count(share, what, before.checked_add(difference).ok_or(Refusal::Contradiction)?);
            log.steps.push(Undo::Count(what, before));
        }
        Ok(())
    }

    fn must_be_there(&mut self, share: ShareId, id: NodeId) -> Result<(), Refusal> {
        if self.is_there(share, id)? { Ok(()) } else { Err(Refusal::Missing(id)) }
    }

    fn insert_node(&mut self, share: ShareId, node: Node, log: &mut Log) -> Result<(), Refusal> {
        let id = node.id;
        if self.is_there(share, id)? {
            return Err(Refusal::Contradiction);
        }
        let since = self.tree(share)?;
        self.put_node(share, id, Some(Arc::new(Node { since, ..node })))?;
        log.steps.push(Undo::Node(id, None));
        Ok(())
    }

    fn update_node(
        &mut self,
        share: ShareId,
        id: NodeId,
        changes: &NodeUpdate,
        now: Timestamp,
        log: &mut Log,
    ) -> Result<(), Refusal> {
        let before = self.node(share, id)?.ok_or(Refusal::Missing(id))?;
        let mut node = Node::clone(&before);
        update(&mut node, changes, now, self.tree(share)?).map_err(|_| Refusal::Contradiction)?;
        self.put_node(share, id, Some(Arc::new(node)))?;
        log.steps.push(Undo::Node(id, Some(before)));
        Ok(())
    }

    fn delete_node(&mut self, share: ShareId, id: NodeId, log: &mut Log) -> Result<(), Refusal> {
        let before = self.node(share, id)?.ok_or(Refusal::Missing(id))?;
        let rows = keys::row(share, id, 0)..=keys::row(share, id, u64::MAX);
        let is_bare = self.tables.is_empty(Kind::Row, rows)?
            && self.tables.is_empty_directory(share, id, Space::Children)?
            && self.tables.is_empty_directory(share, id, Space::Streams)?;
        if !is_bare {
            return Err(Refusal::Contradiction);
        }
        if before.flags.contains(NodeFlags::XATTRS) {
            self.put(Kind::Xattrs, keys::node(share, id), None, log)?;
        }
        self.put_node(share, id, None)?;
        log.steps.push(Undo::Node(id, Some(before)));
        Ok(())
    }

    fn insert_entry(
        &mut self,
        share: ShareId,
        key: &EntryKey,
        node: NodeId,
        cookie: Cookie,
        log: &mut Log,
    ) -> Result<(), Refusal> {
        self.must_be_there(share, key.directory)?;
        let since = self.tree(share)?;
        let listing = keys::listing(share, key.directory, key.space, cookie);
        self.put_new(Kind::Entry, keys::entry(share, key), codec::encode_entry(node, cookie, since), log)?;
        self.put_new(Kind::Listing, listing, codec::encode_listing(node, &key.name), log)?;
        if let Some(folded) = self.folded_key(share, key, cookie)? {
            self.put(Kind::Folded, folded, Some(codec::encode_listing(node, &key.name)), log)?;
        }
        log.led_to.push(node);
        Ok(())
    }

    fn put_new(&mut self, kind: Kind, key: Key, value: Vec<u8>, log: &mut Log) -> Result<(), Refusal> {
        let before = self.tables.put(kind, &key, Some(&value))?;
        let is_new = before.is_none();
        log.steps.push(Undo::Table(kind, key, before));
        if is_new { Ok(()) } else { Err(Refusal::Contradiction) }
    }

    fn delete_entry(&mut self, share: ShareId, key: &EntryKey, log: &mut Log) -> Result<(), Refusal> {
        self.must_be_there(share, key.directory)?;
        let (_, cookie) = self.tables.entry(share, key)?.ok_or(Refusal::Contradiction)?;
        if let Some(folded) = self.folded_key(share, key, cookie)? {
            self.put(Kind::Folded, folded, None, log)?;
        }
        self.put(Kind::Entry, keys::entry(share, key), None, log)?;
        self.put(Kind::Listing, keys::listing(share, key.directory, key.space, cookie), None, log)
    }

    fn put_row(&mut self, share: ShareId, node: NodeId, page: u64, row: &MapRow, log: &mut Log) -> Result<(), Refusal> {
        self.must_be_there(share, node)?;
        let value = codec::encode_row(row, self.tree(share)?).ok_or(Refusal::Contradiction)?;
        self.put(Kind::Row, keys::row(share, node, page), Some(value), log)
    }
}

//! The view of readers: the state after one commit, as far as a query asks for it.

use std::{ops::RangeInclusive, sync::Arc};

use dittofs_domain::{
    Cookie, Name, Node, NodeId, ObjectId, ShareId, Tree,
    content::MapRow,
    plan::{MapQuery, MapView, ObjectRecord, Reference, Space, Statistics, UnlinkedReason},
};
use dittofs_ports::{Listed, Listing, ShareRecord};

use crate::{
    codec,
    fault::Fault,
    keys::{self, Count, Key},
    operations::Operation,
    tables::{Kind, Readable, Tables},
};

const KEY_TOO_SHORT: &str = "a key that is too short";

impl<T: Readable> Tables<T> {
    pub(crate) fn map(&self, share: ShareId, query: &MapQuery) -> Result<MapView, Fault> {
        let key = |page| keys::row(share, query.node, page);
        let before = self.last(Kind::Row, key(0)..=key(query.first_page), |key, value| {
            Ok((page_of(key)?, codec::decode_row(value)?))
        })?;
        let first = match before {
            Some((page, row)) if covers(page, &row, query.first_page) => page,
            _ => query.first_page,
        };
        let mut view = MapView { rows: Vec::new(), complete: true };
        if first > query.last_page {
            return Ok(view);
        }
        self.scan(Kind::Row, key(first)..=key(query.last_page), |key, value| {
            if view.rows.len() >= query.rows_max {
                view.complete = false;
                return Ok(false);
            }
            view.rows.push((page_of(key)?, codec::decode_row(value)?));
            Ok(true)
        })?;
        Ok(view)
    }

    pub(crate) fn list(
        &self,
        share: ShareId,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        record: impl Fn(NodeId) -> Result<Option<Arc<Node>>, Fault>,
    ) -> Result<Listing, Fault> {
        let mut listing = Listing { entries: Vec::new(), complete: true };
        let Some(first) = after.0.checked_add(1) else { return Ok(listing) };
        let key = |cookie| keys::listing(share, directory, space, Cookie(cookie));
        self.scan(Kind::Listing, key(first)..=key(u64::MAX), |key, value| {
            if listing.entries.len() >= entries_max {
                listing.complete = false;
                return Ok(false);
            }
            let cookie = Cookie(keys::number_at(key, 17).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?);
            let (node, name) = codec::decode_listing(value)?;
            listing.entries.push(Listed { name, cookie, node, record: record(node)? });
            Ok(true)
        })?;
        Ok(listing)
    }

    pub(crate) fn name_of(&self, share: ShareId, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, Fault> {
        let key = keys::listing(share, directory, Space::Children, cookie);
        self.read(Kind::Listing, &key, |value| Ok(codec::decode_listing(value)?.1))
    }

    pub(crate) fn unlinked(
        &self,
        share: ShareId,
        after: NodeId,
        max: usize,
    ) -> Result<Vec<(NodeId, UnlinkedReason)>, Fault> {
        self.some(Kind::Unlinked, after_node(share, after), max, |key, value| {
            Ok((node_of(key)?, codec::decode_reason(value)?))
        })
    }

    pub(crate) fn pending_truncations(&self, share: ShareId, after: NodeId, max: usize) -> Result<Vec<NodeId>, Fault> {
        self.some(Kind::PendingTruncation, after_node(share, after), max, |key, _| node_of(key))
    }

    pub(crate) fn objects(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<ObjectRecord>, Fault> {
        let first = after.map_or(Some(0), |after| after.0.checked_add(1));
        let keys = first.map(|first| keys::object(share, ObjectId(first))..=keys::object(share, ObjectId(u128::MAX)));
        self.some(Kind::Object, keys, max, |key, value| {
            let id = keys::object_at(key, 8).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?;
            codec::decode_object(id, value)
        })
    }

    pub(crate) fn references(&self, share: ShareId, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, Fault> {
        self.some(Kind::Reference, Some(references_of(share, object)), max, |key, _| {
            reference_of(key).map(|reference| (reference.node, reference.chunk))
        })
    }

    pub(crate) fn nodes(&self, share: ShareId, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, Fault> {
        self.some(Kind::Node, after_node(share, after), max, |key, value| {
            codec::decode_node(node_of(key)?, value).map(Arc::new)
        })
    }

    pub(crate) fn node_ids(&self, share: ShareId, after: NodeId, max: usize) -> Result<Vec<NodeId>, Fault> {
        self.some(Kind::Node, after_node(share, after), max, |key, _| node_of(key))
    }

    pub(crate) fn xattr_bytes(
        &self,
        share: ShareId,
        after: NodeId,
        max: usize,
    ) -> Result<Vec<(NodeId, Option<u32>)>, Fault> {
        self.some(Kind::Xattrs, after_node(share, after), max, |key, value| {
            Ok((node_of(key)?, codec::decode_xattrs(value).ok().map(|xattrs| xattrs.bytes())))
        })
    }

    pub(crate) fn references_after(
        &self,
        share: ShareId,
        after: Option<Reference>,
        max: usize,
    ) -> Result<Vec<Reference>, Fault> {
        let last = keys::reference(share, &last_reference(ObjectId(u128::MAX)));
        let first = match &after {
            None => keys::reference(share, &first_reference(ObjectId(0), NodeId(0))),
            Some(after) => {
                let mut next = keys::reference(share, after);
                next.push(0);
                next
            }
        };
        self.some(Kind::Reference, (first <= last).then_some(first..=last), max, |key, _| reference_of(key))
    }

    pub(crate) fn statistics(&self, share: ShareId) -> Result<Statistics, Fault> {
        Ok(Statistics { bytes: self.count(share, Count::Bytes)?, nodes: self.count(share, Count::Nodes)? })
    }

    pub(crate) fn share(&self, id: ShareId) -> Result<Option<ShareRecord>, Fault> {
        self.read(Kind::Share, &keys::share(id), |value| codec::decode_share(id, value))
    }

    pub(crate) fn shares(&self) -> Result<Vec<ShareRecord>, Fault> {
        let all = keys::share(ShareId(0))..=keys::share(ShareId(u64::MAX));
        self.some(Kind::Share, Some(all), usize::MAX, |key, value| {
            let id = keys::number_at(key, 0).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?;
            codec::decode_share(ShareId(id), value)
        })
    }

    /// The operations of each transaction, in the order of transactions.
    pub(crate) fn operations(&self, mut take: impl FnMut(u64, Vec<Operation>)) -> Result<(), Fault> {
        self.scan(Kind::Operations, keys::operations(0)..=keys::operations(u64::MAX), |key, value| {
            let transaction = keys::number_at(key, 0).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?;
            take(transaction, codec::decode_operations(value)?);
            Ok(true)
        })
    }

    /// At most `max` records between two keys.
    fn some<V>(
        &self,
        kind: Kind,
        keys: Option<RangeInclusive<Key>>,
        max: usize,
        decode: impl Fn(&[u8], &[u8]) -> Result<V, Fault>,
    ) -> Result<Vec<V>, Fault> {
        let mut found = Vec::new();
        if let Some(keys) = keys.filter(|_| max > 0) {
            self.scan(kind, keys, |key, value| {
                found.push(decode(key, value)?);
                Ok(found.len() < max)
            })?;
        }
        Ok(found)
    }
}

/// The keys of all references to an object.
pub(crate) fn references_of(share: ShareId, object: ObjectId) -> RangeInclusive<Key> {
    references_from(share, object, NodeId(0))
}

/// The keys of the references to an object by a node and those after it.
pub(crate) fn references_from(share: ShareId, object: ObjectId, node: NodeId) -> RangeInclusive<Key> {
    keys::reference(share, &first_reference(object, node))..=keys::reference(share, &last_reference(object))
}

fn first_reference(object: ObjectId, node: NodeId) -> Reference {
    Reference { object, node, chunk: 0, until: Tree(0) }
}

fn last_reference(object: ObjectId) -> Reference {
    Reference { object, node: NodeId(u64::MAX), chunk: u64::MAX, until: Tree(u32::MAX) }
}

fn reference_of(key: &[u8]) -> Result<Reference, Fault> {
    keys::reference_of(key).ok_or_else(|| Fault::damaged("the key of a reference that makes no sense"))
}

fn after_node(share: ShareId, after: NodeId) -> Option<RangeInclusive<Key>> {
    let first = NodeId(after.0.checked_add(1)?);
    Some(keys::node(share, first)..=keys::node(share, NodeId(u64::MAX)))
}

fn node_of(key: &[u8]) -> Result<NodeId, Fault> {
    keys::number_at(key, 8).map(NodeId).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))
}

fn page_of(key: &[u8]) -> Result<u64, Fault> {
    keys::number_at(key, 16).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))
}

fn covers(first: u64, row: &MapRow, page: u64) -> bool {
    match row {
        MapRow::Page { .. } => first == page,
        MapRow::Holes { pages, .. } => page - first < *pages,
    }
}

//! Everything that a share holds, to compare and to judge.

use std::{collections::BTreeMap, sync::Arc};

use dittofs_domain::{
    Cookie, FoldTable, Name, Node, NodeId, NodeKind, ObjectId,
    content::MapRow,
    node::{NodeFlags, Parent},
    plan::{EntryKey, FOLDED_MAX, MapQuery, ObjectRecord, Query, Space, Statistics, UnlinkedReason},
    xattr::Xattrs,
};
use dittofs_ports::Listed;

use super::Fixture;

/// A share's state. Numbers of the fixture are counted from its first one, so that dumps of two shares compare.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dump {
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) entries: BTreeMap<NodeId, Vec<(Cookie, Name, NodeId)>>,
    pub(super) rows: BTreeMap<NodeId, Vec<(u64, MapRow)>>,
    pub(super) unlinked: Vec<(NodeId, UnlinkedReason)>,
    pending_truncations: Vec<NodeId>,
    objects: Vec<ObjectRecord>,
    references: BTreeMap<ObjectId, Vec<(NodeId, u64)>>,
    pub(super) statistics: Statistics,
    topology: u64,
    xattrs: BTreeMap<NodeId, Arc<Xattrs>>,
}

/// Where dumps count the fixture's numbers from: above all fixed ids.
const FIRST: u64 = 1_000;

impl Fixture {
    /// All that the share holds. Not of one instant: for quiet shares.
    pub(super) async fn dump(&self) -> Dump {
        let mut dump = Dump {
            nodes: BTreeMap::new(),
            entries: BTreeMap::new(),
            rows: BTreeMap::new(),
            unlinked: Vec::new(),
            pending_truncations: Vec::new(),
            objects: self.share.objects(None, 1_000).await.unwrap(),
            references: BTreeMap::new(),
            statistics: self.share.statistics().await.unwrap(),
            topology: 0,
            xattrs: BTreeMap::new(),
        };
        for (id, reason) in self.share.unlinked(NodeId(0), 10_000).await.unwrap() {
            dump.unlinked.push((self.relative(id), reason));
        }
        for id in self.share.pending_truncations(NodeId(0), 10_000).await.unwrap() {
            dump.pending_truncations.push(self.relative(id));
        }
        for object in &dump.objects {
            let references = self.share.references(object.id, 100_000).await.unwrap();
            let references = references.into_iter().map(|(node, chunk)| (self.relative(node), chunk)).collect();
            dump.references.insert(object.id, references);
        }
        for (node, _) in self.share.xattr_bytes(NodeId(0), 10_000).await.unwrap() {
            let found = self.view(Query::xattrs(node)).await.xattrs.expect("they are listed");
            dump.xattrs.insert(self.relative(node), found);
        }
        self.dump_nodes(&mut dump).await;
        dump
    }

    async fn dump_nodes(&self, dump: &mut Dump) {
        let first = self.numbers.first;
        let ids: Vec<NodeId> = (first..first + self.used()).map(NodeId).chain([NodeId::ROOT]).collect();
        for id in &ids {
            // Of ids without a node as well: rows without a node are never found again.
            let rows = self.rows(*id).await;
            if !rows.is_empty() {
                dump.rows.insert(self.relative(*id), rows);
            }
        }
        for ids in ids.chunks(500) {
            let view = self.view(Query { nodes: ids.iter().copied().collect(), ..Query::default() }).await;
            dump.topology = view.topology;
            for node in view.nodes {
                let id = self.relative(node.id);
                if node.kind == NodeKind::Directory {
                    dump.entries.insert(id, self.dump_entries(node.id).await);
                }
                let Parent { directory, cookie } = node.parent;
                let parent = Parent { directory: self.relative(directory), cookie: self.relative_cookie(cookie) };
                dump.nodes.insert(id, Node { id, parent, ..Node::clone(&node) });
            }
        }
    }

    async fn dump_entries(&self, directory: NodeId) -> Vec<(Cookie, Name, NodeId)> {
        let mut entries = Vec::new();
        let listed = self.entries(directory, 1_000).await;
        self.assert_folded(directory, &listed).await;
        for entry in listed {
            let named = self.share.name_of(directory, entry.cookie).await.unwrap();
            assert_eq!(named.as_ref(), Some(&entry.name), "name_of and list differ");
            entries.push((self.relative_cookie(entry.cookie), entry.name, self.relative(entry.node)));
        }
        entries
    }

    /// Asserts that each name of a small directory finds, in any case, just those entries whose names fold alike.
    async fn assert_folded(&self, directory: NodeId, listed: &[Listed]) {
        const FEW: usize = 50;
        if listed.len() > FEW {
            return;
        }
        let table = FoldTable::NEWEST;
        let keys = listed.iter().map(|entry| EntryKey::child(directory, &entry.name));
        let folded: Vec<EntryKey> = keys.collect();
        let view = self.view(Query { folded, ..Query::default() }).await;
        assert_eq!(view.folded.len(), listed.len(), "a name in any case has no answer");
        for (entry, found) in listed.iter().zip(view.folded) {
            let folded = table.folded(&entry.name);
            let alike = listed.iter().filter(|other| table.folded(&other.name) == folded);
            let alike: Vec<(Name, Cookie, NodeId)> =
                alike.map(|other| (other.name.clone(), other.cookie, other.node)).take(FOLDED_MAX).collect();
            let entries = found.entries.into_iter();
            let found_entries: Vec<(Name, Cookie, NodeId)> =
                entries.map(|alike| (alike.name, alike.found.cookie, alike.found.node.id)).collect();
            assert_eq!((found.name, found_entries), (folded, alike), "{:?} in any case", entry.name);
        }
    }

    /// All entries of a directory, read in pages.
    pub(super) async fn entries(&self, directory: NodeId, page: usize) -> Vec<Listed> {
        let (mut all, mut after) = (Vec::new(), Cookie::START);
        loop {
            let listing = self.share.list(directory, Space::Children, after, page, false).await.unwrap();
            assert!(listing.entries.len() <= page, "a page is longer than asked for");
            assert!(listing.complete || !listing.entries.is_empty(), "an empty page is not the last one");
            all.extend(listing.entries);
            after = all.last().map_or(after, |last: &Listed| last.cookie);
            if listing.complete {
                return all;
            }
        }
    }

    /// All rows of a file's map.
    pub(super) async fn rows(&self, node: NodeId) -> Vec<(u64, MapRow)> {
        let map = MapQuery { node, first_page: 0, last_page: i64::MAX as u64, rows_max: 2_000_000 };
        let view = self.view(Query { map: Some(map), ..Query::default() }).await;
        assert!(view.map.complete);
        view.map.rows
    }

    fn relative(&self, id: NodeId) -> NodeId {
        NodeId(self.relative_number(id.0))
    }

    fn relative_cookie(&self, cookie: Cookie) -> Cookie {
        Cookie(self.relative_number(cookie.0))
    }

    fn relative_number(&self, number: u64) -> u64 {
        if number < self.numbers.first { number } else { number - self.numbers.first + FIRST }
    }
}

impl Dump {
    /// The same without what is allowed to differ between an interleaving and a serial order: which of several names
    /// of a file its node points to.
    pub(super) fn comparable(&self) -> Dump {
        let mut dump = self.clone();
        for node in dump.nodes.values_mut().filter(|node| node.kind != NodeKind::Directory) {
            node.parent = Parent { directory: NodeId(0), cookie: Cookie::START };
        }
        dump
    }

    /// Asserts that this is a tree: no orphan, no cycle, right counts of links, right parents.
    pub(super) fn assert_tree(&self) {
        let mut names: BTreeMap<NodeId, Vec<Parent>> = BTreeMap::new();
        for (directory, entries) in &self.entries {
            for (cookie, name, node) in entries {
                assert!(self.nodes.contains_key(node), "{name} leads to {node:?}, which is not there");
                names.entry(*node).or_default().push(Parent { directory: *directory, cookie: *cookie });
            }
        }
        for node in self.nodes.values().filter(|node| node.id != NodeId::ROOT) {
            let names = names.get(&node.id).map_or(&[][..], Vec::as_slice);
            self.assert_node(node, names);
        }
        for node in self.rows.keys() {
            assert!(self.nodes.contains_key(node), "{node:?} has rows, but is not there");
        }
        assert_eq!(names.get(&NodeId::ROOT), None, "the root has a name");
        self.assert_links(&self.nodes[&NodeId::ROOT]);
    }

    fn assert_node(&self, node: &Node, names: &[Parent]) {
        let noted = self.unlinked.iter().any(|(id, _)| *id == node.id);
        assert_eq!(names.is_empty(), noted, "names {names:?} of {node:?}, noted as unlinked: {noted}");
        assert_eq!(noted, node.flags.contains(NodeFlags::UNLINKED), "{node:?}");
        if noted {
            assert_eq!(node.links, 0, "{node:?}");
        } else if node.kind == NodeKind::Directory {
            assert_eq!(names, [node.parent], "{node:?}");
            self.assert_links(node);
            self.assert_reaches_root(node);
        } else {
            assert_eq!(node.links as usize, names.len(), "{node:?}");
            // Which of several names was lost is not recorded: then none is.
            let unknown = node.parent.cookie == Cookie::START;
            assert!(names.len() > 1 || unknown || names == [node.parent], "names {names:?} of {node:?}");
        }
    }

    fn assert_links(&self, directory: &Node) {
        let children = &self.entries[&directory.id];
        let directories = children.iter().filter(|(_, _, node)| self.nodes[node].kind == NodeKind::Directory);
        assert_eq!(directory.links as usize, 2 + directories.count(), "{directory:?}");
    }

    fn assert_reaches_root(&self, node: &Node) {
        let mut at = node.id;
        for _ in 0..=self.nodes.len() {
            if at == NodeId::ROOT {
                return;
            }
            at = self.nodes[&at].parent.directory;
        }
        panic!("{node:?} is not below the root");
    }
}

/// Returns the record of a listed node, for comparison with single nodes.
pub(super) fn record(listed: &Listed) -> Arc<Node> {
    listed.record.clone().expect("records were asked for")
}

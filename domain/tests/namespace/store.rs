//! A store of maps that knows nothing of POSIX: it checks expectations and applies changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dittofs_domain::{
    Cookie, FoldTable, Node, NodeId, NodeKind, Timestamp,
    content::MapRow,
    node::{NodeFlags, Parent},
    plan::{
        Alike, Change, EntryKey, Expectation, FOLDED_MAX, Folded, Found, LinkChange, NodeUpdate, Plan, Query, Space,
        TimeChange, UnlinkedReason, View,
    },
    xattr::Xattrs,
};

/// How names are folded here.
pub(crate) const TABLE: FoldTable = FoldTable::NEWEST;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Store {
    pub(crate) nodes: BTreeMap<NodeId, Arc<Node>>,
    pub(crate) entries: BTreeMap<EntryKey, (NodeId, Cookie)>,
    pub(crate) rows: BTreeMap<(NodeId, u64), MapRow>,
    pub(crate) xattrs: BTreeMap<NodeId, Arc<Xattrs>>,
    pub(crate) unlinked: BTreeMap<NodeId, UnlinkedReason>,
    pub(crate) topology: u64,
    pub(crate) counted: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict(pub(crate) Expectation);

impl Store {
    /// A root directory that everybody may write to.
    pub(crate) fn new() -> Store {
        let root = Node::root(0, 0, 0o777, Timestamp::EPOCH);
        Store {
            nodes: BTreeMap::from([(NodeId::ROOT, Arc::new(root))]),
            entries: BTreeMap::new(),
            rows: BTreeMap::new(),
            xattrs: BTreeMap::new(),
            unlinked: BTreeMap::new(),
            topology: 0,
            counted: 1,
        }
    }

    pub(crate) fn view(&self, query: &Query) -> View {
        View {
            nodes: query.nodes.iter().filter_map(|id| self.nodes.get(id).cloned()).collect(),
            entries: query.entries.iter().map(|key| self.found(key)).collect(),
            folded: query.folded.iter().map(|key| self.alike(key)).collect(),
            ancestors: query.ancestors_of.map(|id| self.ancestors(id)).unwrap_or_default(),
            topology: self.topology,
            map: Default::default(),
            xattrs: query.xattrs_of.and_then(|id| self.xattrs.get(&id).cloned()),
            leases: None,
            earlier: None,
        }
    }

    fn found(&self, key: &EntryKey) -> Option<Found> {
        let (id, cookie) = *self.entries.get(key)?;
        let node = self.nodes[&id].clone();
        let empty = node.kind == NodeKind::Directory && self.is_empty(id);
        Some(Found { node, cookie, empty })
    }

    fn alike(&self, key: &EntryKey) -> Folded {
        let folded = TABLE.folded(&key.name);
        let of_name = |other: &&EntryKey| {
            (other.directory, other.space) == (key.directory, key.space) && TABLE.folded(&other.name) == folded
        };
        let found = |key: &EntryKey| Alike { name: key.name.clone(), found: self.found(key).unwrap() };
        let mut entries: Vec<Alike> = self.entries.keys().filter(of_name).map(found).collect();
        entries.sort_by_key(|alike| alike.found.cookie);
        entries.truncate(FOLDED_MAX);
        Folded { name: folded, entries }
    }

    fn is_empty(&self, directory: NodeId) -> bool {
        !self.entries.keys().any(|key| key.directory == directory && key.space == Space::Children)
    }

    fn ancestors(&self, id: NodeId) -> Vec<NodeId> {
        let mut ancestors = Vec::new();
        let mut next = self.nodes.get(&id);
        while let Some(node) = next {
            ancestors.push(node.id);
            assert!(ancestors.len() <= self.nodes.len(), "a cycle of directories");
            next = self.nodes.get(&node.parent.directory).filter(|parent| parent.id != node.id);
        }
        ancestors
    }

    /// All or nothing.
    pub(crate) fn apply(&mut self, plan: &Plan) -> Result<(), Conflict> {
        match plan.expectations.iter().find(|expectation| !self.holds(expectation)) {
            Some(broken) => return Err(Conflict(broken.clone())),
            None => plan.changes.iter().for_each(|change| self.change(change, plan.now)),
        }
        Ok(())
    }

    fn holds(&self, expectation: &Expectation) -> bool {
        let node = |id: &NodeId| self.nodes.get(id);
        match expectation {
            Expectation::EntryAbsent(key) => !self.entries.contains_key(key),
            Expectation::FoldedAbsent(key) => self.alike(key).entries.is_empty(),
            Expectation::EntryIs { key, node, cookie } => self.entries.get(key) == Some(&(*node, *cookie)),
            Expectation::Linked(id) => node(id).is_some_and(|node| node.is_linked()),
            Expectation::Exists(id) => node(id).is_some(),
            Expectation::LinksAre { node: id, links } => node(id).is_some_and(|node| node.links == *links),
            Expectation::Empty(id) => self.is_empty(*id),
            Expectation::ParentIs { node: id, parent } => node(id).is_some_and(|node| node.parent.directory == *parent),
            Expectation::Topology(topology) => self.topology == *topology,
            Expectation::PermissionVersion { node: id, version } => {
                node(id).is_some_and(|node| node.permission_version == *version)
            }
            Expectation::ChangeIs { node: id, change } => node(id).is_some_and(|node| node.change == *change),
            Expectation::NoRows(id) => node(id).is_some_and(|node| !node.has_rows()),
            Expectation::ContentVersion { node: id, version } => {
                node(id).is_some_and(|node| node.content_version == *version)
            }
            Expectation::XattrsAre { node: id, version } => {
                node(id).is_some() && self.xattrs.get(id).map(|xattrs| xattrs.version()) == *version
            }
            Expectation::LeaseIs { .. } => panic!("one instance has the share"),
            Expectation::ObjectUsable { .. } | Expectation::ObjectState { .. } | Expectation::Unreferenced(_) => {
                panic!("no rule over names knows objects")
            }
        }
    }

    fn change(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::InsertNode(node) => {
                assert!(self.nodes.insert(node.id, Arc::new((**node).clone())).is_none(), "a node id was used again");
            }
            Change::UpdateNode(id, update) => {
                let node = self.nodes.get_mut(id).expect("an update of a node that is not there");
                apply_update(Arc::make_mut(node), update, now);
            }
            Change::DeleteNode(id) => {
                assert!(self.nodes.remove(id).is_some(), "a node was deleted twice");
                self.xattrs.remove(id);
            }
            Change::InsertEntry { key, node, cookie } => {
                let previous = self.entries.insert(key.clone(), (*node, *cookie));
                assert_eq!(previous, None, "an entry was overwritten");
            }
            Change::DeleteEntry(key) => {
                assert!(self.entries.remove(key).is_some(), "an entry was deleted twice");
            }
            Change::PutRow { node, page, row } => {
                self.rows.insert((*node, *page), row.clone());
            }
            Change::DeleteRow { node, page } => {
                self.rows.remove(&(*node, *page));
            }
            Change::PutUnlinked { node, reason } => {
                self.unlinked.insert(*node, *reason);
            }
            Change::PutXattrs { node, xattrs: Some(xattrs) } => {
                self.xattrs.insert(*node, Arc::clone(xattrs));
            }
            Change::PutXattrs { node, xattrs: None } => {
                self.xattrs.remove(node);
            }
            Change::GrantLease { .. } => panic!("one instance has the share"),
            Change::RaiseTopology => self.topology += 1,
            Change::Count(statistics) => self.counted += statistics.nodes,
            other => panic!("no rule over names makes {other:?}"),
        }
    }

    /// Checks what must be true of every state.
    pub(crate) fn check(&self) {
        assert_eq!(self.counted, self.nodes.len() as i64, "the count of nodes");
        let cookies: BTreeSet<Cookie> = self.entries.values().map(|(_, cookie)| *cookie).collect();
        assert_eq!(cookies.len(), self.entries.len(), "cookies are unique");
        for (key, (id, _)) in &self.entries {
            let directory = &self.nodes[&key.directory];
            match key.space {
                Space::Children => assert!(directory.kind == NodeKind::Directory, "{key:?} is in no directory"),
                Space::Streams => assert!(directory.flags.contains(NodeFlags::STREAMS), "{key:?} is not known of"),
            }
            assert!(directory.is_linked() || key.space == Space::Streams, "{key:?} is an orphan");
            assert_eq!(key.space == Space::Streams, self.nodes[id].kind == NodeKind::Stream, "{key:?}");
            assert!(self.nodes[id].is_linked(), "{key:?} leads to an unlinked node");
        }
        for (node, _) in self.rows.keys() {
            assert!(self.nodes.contains_key(node), "a row of a node that is gone");
        }
        self.nodes.values().for_each(|node| self.check_node(node));
    }

    fn check_node(&self, node: &Node) {
        let id = node.id;
        let names: Vec<Parent> = self
            .entries
            .iter()
            .filter(|(_, (to, _))| *to == id)
            .map(|(key, (_, cookie))| Parent { directory: key.directory, cookie: *cookie })
            .collect();
        assert_eq!(node.is_linked(), !self.unlinked.contains_key(&id), "{id}: flag and note");
        assert_eq!(node.is_linked(), !names.is_empty() || id == NodeId::ROOT, "{id}: flag and names");
        if node.kind == NodeKind::Directory {
            let subdirectory = |to: &NodeId| self.nodes[to].kind == NodeKind::Directory;
            let subdirectories =
                self.entries.iter().filter(|(key, (to, _))| key.directory == id && subdirectory(to)).count();
            let links = if node.is_linked() { 2 + subdirectories } else { 0 };
            assert_eq!(node.links as usize, links, "{id}: links of a directory");
            if node.is_linked() && id != NodeId::ROOT {
                assert_eq!(names, [node.parent], "{id}: a directory has one name");
                assert_eq!(self.ancestors(id).last(), Some(&NodeId::ROOT), "{id} is not in the tree");
            }
        } else {
            assert_eq!(node.links as usize, names.len(), "{id}: links");
            let parent_known = node.parent.cookie != Cookie::START && node.is_linked();
            assert!(!parent_known || names.contains(&node.parent), "{id}: parent");
        }
        let bytes = self.xattrs.get(&id).map_or(0, |xattrs| xattrs.bytes());
        assert_eq!(node.xattr_bytes, bytes, "{id}: what attributes count for");
        if let Some(acl) = &node.acl {
            let bits = acl.permission_bits((node.uid, node.gid));
            assert_eq!(node.mode & 0o777, bits, "{id}: the mode is what the list says");
        }
        if node.kind == NodeKind::File && node.size > 0 {
            assert!(self.rows.contains_key(&(id, 0)), "{id}: no row covers the first page");
        }
    }
}

fn apply_update(node: &mut Node, update: &NodeUpdate, now: Timestamp) {
    let time = |old: Timestamp, change: TimeChange| match change {
        TimeChange::Keep => old,
        TimeChange::Advance => old.advanced(now),
        TimeChange::Set(time) => time,
        TimeChange::AtLeast(time) => old.max(time),
    };
    node.mode = update.mode.unwrap_or(node.mode);
    node.uid = update.uid.unwrap_or(node.uid);
    node.gid = update.gid.unwrap_or(node.gid);
    node.links = match update.links {
        LinkChange::Keep => node.links,
        LinkChange::Set(links) => links,
        LinkChange::Add(links) => node.links.checked_add_signed(links).expect("links below 0"),
    };
    node.size = update.size.unwrap_or(node.size);
    node.allocated = node.allocated.checked_add_signed(update.allocated).expect("allocated below 0");
    node.atime = time(node.atime, update.atime);
    node.mtime = time(node.mtime, update.mtime);
    node.ctime = time(node.ctime, update.ctime);
    if update.ctime != TimeChange::Keep {
        node.change.0 += 1;
    }
    node.change = node.change.max(update.change_at_least.unwrap_or_default());
    node.permission_version += u64::from(update.raise_permission_version);
    node.content_version = update.content_version.unwrap_or(node.content_version);
    node.times_seq = node.times_seq.max(update.times_seq.unwrap_or_default());
    node.parent = update.parent.unwrap_or(node.parent);
    node.birth = update.birth.unwrap_or(node.birth);
    node.dos_attributes = update.dos_attributes.unwrap_or(node.dos_attributes);
    node.acl = update.acl.clone().unwrap_or(node.acl.take());
    node.xattr_bytes = update.xattr_bytes.unwrap_or(node.xattr_bytes);
    node.flags |= update.set_flags;
    node.flags -= update.clear_flags;
    node.pending_truncation = update.pending_truncation.unwrap_or(node.pending_truncation);
}

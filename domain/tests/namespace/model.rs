//! A simple POSIX file system to compare with: a tree of inodes, changed in place, nothing counted.

use std::collections::{BTreeMap, BTreeSet};

use dittofs_domain::{
    Credentials, FsError, Name, NodeId, NodeKind,
    namespace::{
        CreateHow, CreateRequest, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest, Replace,
        SetAttributes, SetTime,
    },
};

use crate::world::{Call, Op, ROOT};

type Answer<T> = Result<T, FsError>;

#[derive(Clone, Debug)]
pub(crate) struct Inode {
    pub(crate) kind: NodeKind,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) children: BTreeMap<Name, NodeId>,
    verifier: Option<[u8; 8]>,
}

#[derive(Clone)]
pub(crate) struct Model {
    /// With those without a name that are kept.
    pub(crate) inodes: BTreeMap<NodeId, Inode>,
}

/// Which nodes a call changed.
#[derive(Default, Debug)]
pub(crate) struct Touched {
    pub(crate) ctime: BTreeSet<NodeId>,
    pub(crate) directories: BTreeSet<NodeId>,
}

impl Model {
    pub(crate) fn new() -> Model {
        let root = Inode {
            kind: NodeKind::Directory,
            mode: 0o777,
            uid: 0,
            gid: 0,
            size: 0,
            children: BTreeMap::new(),
            verifier: None,
        };
        Model { inodes: BTreeMap::from([(ROOT, root)]) }
    }

    /// The entries that lead to a node.
    pub(crate) fn names(&self, id: NodeId) -> Vec<(NodeId, Name)> {
        let entries = self.inodes.iter().flat_map(|(dir, i)| i.children.iter().map(move |(n, to)| (*dir, n, *to)));
        entries.filter(|(_, _, to)| *to == id).map(|(dir, name, _)| (dir, name.clone())).collect()
    }

    pub(crate) fn has_name(&self, id: NodeId) -> bool {
        id == ROOT || !self.names(id).is_empty()
    }

    pub(crate) fn links(&self, id: NodeId) -> usize {
        let inode = &self.inodes[&id];
        if inode.kind != NodeKind::Directory {
            return self.names(id).len();
        }
        let subdirectories = inode.children.values().filter(|to| self.is_directory(**to)).count();
        if self.has_name(id) { 2 + subdirectories } else { 0 }
    }

    fn is_directory(&self, id: NodeId) -> bool {
        self.inodes[&id].kind == NodeKind::Directory
    }

    pub(crate) fn call(&mut self, call: &Call, fresh: NodeId) -> Answer<(NodeId, Touched)> {
        let who = &call.credentials;
        match &call.op {
            Op::Create(request) => self.create(request, who, fresh),
            Op::Link(request) => self.link(request, who),
            Op::Remove(request) => self.remove(request, who, call.busy),
            Op::Rename(request) => self.rename(request, who, call.busy),
            Op::Set(node, request) => self.set(*node, request, who),
        }
    }

    fn may(&self, id: NodeId, who: &Credentials, bit: u16) -> bool {
        let i = &self.inodes[&id];
        let member = who.gid == i.gid || who.groups.contains(&i.gid);
        let shift = if who.uid == i.uid {
            6
        } else if member {
            3
        } else {
            0
        };
        who.uid == 0 || (i.mode >> shift) & bit != 0
    }

    fn enter(&self, directory: NodeId, who: &Credentials) -> Answer<&Inode> {
        let inode = self.inodes.get(&directory).ok_or(FsError::Stale)?;
        match inode.kind {
            _ if !self.has_name(directory) => Err(FsError::Stale),
            NodeKind::Directory if !self.may(directory, who, 1) => Err(FsError::Access),
            NodeKind::Directory => Ok(inode),
            _ => Err(FsError::NotDirectory),
        }
    }

    fn write_directory(&self, directory: NodeId, who: &Credentials) -> Answer<()> {
        if self.may(directory, who, 2) { Ok(()) } else { Err(FsError::Access) }
    }

    fn create(&mut self, request: &CreateRequest, who: &Credentials, fresh: NodeId) -> Answer<(NodeId, Touched)> {
        let directory = self.enter(request.directory, who)?;
        if let Some(id) = directory.children.get(&request.name) {
            let there = &self.inodes[id];
            let files = there.kind == NodeKind::File && request.kind == NewKind::File;
            return match request.how {
                CreateHow::Unchecked if files => Ok((*id, Touched::default())),
                CreateHow::Exclusive(v) if files && there.verifier == Some(v) => Ok((*id, Touched::default())),
                _ => Err(FsError::Exists),
            };
        }
        self.write_directory(request.directory, who)?;
        let sgid = directory.mode & 0o2000;
        let gid = if sgid != 0 { directory.gid } else { who.gid };
        let asked = request.attributes.mode.unwrap_or(0);
        let member = who.uid == 0 || who.gid == gid || who.groups.contains(&gid);
        let (kind, mode, size) = match &request.kind {
            NewKind::Directory => (NodeKind::Directory, asked & 0o1777 | sgid, 0),
            NewKind::Symlink(target) => (NodeKind::Symlink, 0o777, target.len() as u64),
            NewKind::File if member => (NodeKind::File, asked, request.attributes.size.unwrap_or(0)),
            NewKind::File => (NodeKind::File, asked & 0o5777, request.attributes.size.unwrap_or(0)),
            _ if who.uid != 0 => return Err(FsError::NotPermitted),
            _ => (NodeKind::CharDevice, asked, 0),
        };
        let verifier = if let CreateHow::Exclusive(v) = request.how { Some(v) } else { None };
        let inode = Inode { kind, mode, uid: who.uid, gid, size, children: BTreeMap::new(), verifier };
        self.inodes.insert(fresh, inode);
        self.enter_name(request.directory, &request.name, fresh);
        Ok((fresh, touched([request.directory], [])))
    }

    fn enter_name(&mut self, directory: NodeId, name: &Name, node: NodeId) {
        self.inodes.get_mut(&directory).unwrap().children.insert(name.clone(), node);
    }

    fn leave_name(&mut self, directory: NodeId, name: &Name, busy: bool) {
        let node = self.inodes.get_mut(&directory).unwrap().children.remove(name).unwrap();
        let content = self.inodes[&node].kind == NodeKind::File && self.inodes[&node].size > 0;
        if !self.has_name(node) && !busy && !content {
            self.inodes.remove(&node);
        }
    }

    fn link(&mut self, request: &LinkRequest, who: &Credentials) -> Answer<(NodeId, Touched)> {
        let directory = self.enter(request.directory, who)?;
        let inode = self.inodes.get(&request.node).ok_or(FsError::Stale)?;
        if !self.has_name(request.node) {
            return Err(FsError::Stale);
        }
        if directory.children.contains_key(&request.name) {
            return Err(FsError::Exists);
        }
        self.write_directory(request.directory, who)?;
        if inode.kind == NodeKind::Directory {
            return Err(FsError::NotPermitted);
        }
        self.enter_name(request.directory, &request.name, request.node);
        Ok((request.node, touched([request.directory], [request.node])))
    }

    fn may_take(&self, directory: NodeId, node: NodeId, who: &Credentials) -> Answer<()> {
        self.write_directory(directory, who)?;
        let sticky = self.inodes[&directory].mode & 0o1000 != 0;
        let owners = [0, self.inodes[&directory].uid, self.inodes[&node].uid];
        if sticky && !owners.contains(&who.uid) { Err(FsError::NotPermitted) } else { Ok(()) }
    }

    fn remove(&mut self, request: &RemoveRequest, who: &Credentials, busy: bool) -> Answer<(NodeId, Touched)> {
        let directory = self.enter(request.directory, who)?;
        let node = *directory.children.get(&request.name).ok_or(FsError::NotFound)?;
        if matches!(request.kind, RemoveKind::Just(meant) | RemoveKind::Held(meant) if meant != node) {
            return Err(FsError::NotFound);
        }
        if !matches!(request.kind, RemoveKind::Held(_)) {
            self.may_take(request.directory, node, who)?;
        }
        match (request.kind, self.is_directory(node)) {
            (RemoveKind::NotDirectory, true) => return Err(FsError::IsDirectory),
            (RemoveKind::Directory, false) => return Err(FsError::NotDirectory),
            (RemoveKind::Directory | RemoveKind::Just(_) | RemoveKind::Held(_), true)
                if !self.inodes[&node].children.is_empty() =>
            {
                return Err(FsError::NotEmpty);
            }
            _ => {}
        }
        self.leave_name(request.directory, &request.name, busy);
        Ok((node, touched([request.directory], [node])))
    }

    fn rename(&mut self, request: &RenameRequest, who: &Credentials, busy: bool) -> Answer<(NodeId, Touched)> {
        let (from, to) = (request.from_directory, request.to_directory);
        let source = self.enter(from, who)?.children.get(&request.from_name).copied();
        let target = self.enter(to, who)?.children.get(&request.to_name).copied();
        let source = source.filter(|id| request.node.is_none_or(|node| node == *id)).ok_or(FsError::NotFound)?;
        let directory = self.is_directory(source);
        if directory && self.is_below(to, source) {
            return Err(FsError::Invalid);
        }
        if (from, &request.from_name) == (to, &request.to_name) {
            return Ok((source, Touched::default()));
        }
        match (request.replace, target) {
            (Replace::Any, Some(target)) if target == source => return Ok((source, Touched::default())),
            (Replace::Nothing, Some(_)) => return Err(FsError::Exists),
            (Replace::Only(node), Some(target)) if target != node => return Err(FsError::Exists),
            _ => {}
        }
        self.may_take(from, source, who)?;
        self.write_directory(to, who)?;
        if let Some(target) = target {
            self.may_take(to, target, who)?;
            match (directory, self.is_directory(target)) {
                (true, false) => return Err(FsError::NotDirectory),
                (false, true) => return Err(FsError::IsDirectory),
                _ => {}
            }
        }
        if directory && from != to {
            self.write_directory(source, who)?;
        }
        if target.is_some_and(|target| !self.inodes[&target].children.is_empty()) {
            return Err(FsError::NotEmpty);
        }
        if target.is_some() {
            self.leave_name(to, &request.to_name, busy);
        }
        self.inodes.get_mut(&from).unwrap().children.remove(&request.from_name);
        self.enter_name(to, &request.to_name, source);
        let mut touched = touched([from], [source]);
        touched.directories.insert(to);
        touched.ctime.extend([to].into_iter().chain(target));
        Ok((source, touched))
    }

    fn is_below(&self, mut node: NodeId, above: NodeId) -> bool {
        while node != above && node != ROOT {
            node = self.names(node)[0].0;
        }
        node == above
    }

    fn set(&mut self, id: NodeId, request: &SetAttributes, who: &Credentials) -> Answer<(NodeId, Touched)> {
        let writes = self.inodes.contains_key(&id) && self.may(id, who, 2);
        let inode = self.inodes.get_mut(&id).ok_or(FsError::Stale)?;
        let mode = request.mode.filter(|_| inode.kind != NodeKind::Symlink);
        let (root, owner) = (who.uid == 0, who.uid == inode.uid || who.uid == 0);
        let member = |gid: u32| who.gid == gid || who.groups.contains(&gid);
        if let Some(size) = request.size {
            match inode.kind {
                NodeKind::File if writes || owner => inode_size(inode, size, root, member(inode.gid)),
                NodeKind::File => return Err(FsError::Access),
                NodeKind::Directory => return Err(FsError::IsDirectory),
                _ => return Err(FsError::Invalid),
            }
        }
        if let Some(uid) = request.uid {
            if !(root || owner && uid == inode.uid) {
                return Err(FsError::NotPermitted);
            }
            inode.uid = uid;
            drop_privileges(inode, root || member(inode.gid));
        }
        if let Some(gid) = request.gid {
            if !(root || owner && (gid == inode.gid || member(gid))) {
                return Err(FsError::NotPermitted);
            }
            let had = root || member(inode.gid);
            inode.gid = gid;
            drop_privileges(inode, had);
        }
        if let Some(mode) = mode {
            if !owner {
                return Err(FsError::NotPermitted);
            }
            inode.mode = if root || member(inode.gid) { mode } else { mode & !0o2000 };
        }
        match request.mtime {
            SetTime::To(_) if !owner => return Err(FsError::NotPermitted),
            SetTime::Now if !owner && !writes => return Err(FsError::Access),
            _ => {}
        }
        let nothing = SetAttributes { mode, guard: None, ..request.clone() } == SetAttributes::default();
        Ok((id, if nothing { touched([], []) } else { touched([], [id]) }))
    }
}

fn inode_size(inode: &mut Inode, size: u64, root: bool, member: bool) {
    inode.size = size;
    if !root {
        drop_privileges(inode, member);
    }
}

fn drop_privileges(inode: &mut Inode, member: bool) {
    if inode.kind != NodeKind::Directory {
        inode.mode &= !0o4000;
        if inode.mode & 0o010 != 0 || !member {
            inode.mode &= !0o2000;
        }
    }
}

fn touched<const D: usize, const N: usize>(directories: [NodeId; D], nodes: [NodeId; N]) -> Touched {
    let directories = BTreeSet::from(directories);
    Touched { ctime: directories.iter().copied().chain(nodes).collect(), directories }
}

//! Operations on names.

use dittofs_domain::{
    Credentials, Name, NodeId, NodeKind,
    content::FILE_BYTES_MAX,
    error::{FsError, FsResult},
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
        Replace, SetAttributes, SetTime,
    },
};
use dittofs_ports::LookupName;

use super::{Content, Model, ModelNode, Moment, permission};

impl Model {
    pub(super) fn lookup(&self, directory: NodeId, name: &LookupName, who: &Credentials) -> FsResult<NodeId> {
        let found = self.searched(directory, who)?;
        match name {
            LookupName::This => Ok(directory),
            LookupName::Parent => Ok(self.parent(directory)),
            LookupName::Child(name) => found.entries.get(name).copied().ok_or(FsError::NotFound),
        }
    }

    pub(super) fn list(&self, directory: NodeId, who: &Credentials) -> FsResult<&ModelNode> {
        let node = self.node(directory)?;
        if node.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        if node.lets(who, permission::READ) { Ok(node) } else { Err(FsError::Access) }
    }

    /// Makes a node, which gets this number, or takes the file that is there; answers which, and whether it is new.
    pub(super) fn create(
        &mut self,
        request: &CreateRequest,
        who: &Credentials,
        id: NodeId,
    ) -> FsResult<(NodeId, bool)> {
        if [request.attributes.uid, request.attributes.gid].contains(&Some(u32::MAX)) {
            return Err(FsError::Invalid);
        }
        match &request.kind {
            NewKind::Symlink(target) if target.is_empty() => return Err(FsError::Invalid),
            NewKind::Symlink(target) if target.len() > 4_095 => return Err(FsError::NameTooLong),
            NewKind::BlockDevice(device) | NewKind::CharDevice(device)
                if device.major >> 12 | device.minor >> 20 > 0 =>
            {
                return Err(FsError::Invalid);
            }
            _ => {}
        }
        let directory = self.searched(request.directory, who)?;
        if let Some(found) = directory.entries.get(&request.name).copied() {
            self.create_existing(request, who, found)?;
            return Ok((found, false));
        }
        if !directory.lets(who, permission::WRITE) {
            return Err(FsError::Access);
        }
        let device = matches!(request.kind, NewKind::BlockDevice(_) | NewKind::CharDevice(_));
        if device && !permission::is_root(who) {
            return Err(FsError::NotPermitted);
        }
        if request.kind == NewKind::File && request.attributes.size.is_some_and(|size| size > FILE_BYTES_MAX) {
            return Err(FsError::TooLarge);
        }
        let node = self.made(directory, request, who);
        self.nodes.insert(id, node);
        self.node_mut(request.directory).entries.insert(request.name.clone(), id);
        self.entries_changed(request.directory);
        Ok((id, true))
    }

    fn create_existing(&mut self, request: &CreateRequest, who: &Credentials, found: NodeId) -> FsResult<()> {
        let node = &self.nodes[&found];
        if request.kind != NewKind::File || node.kind != NodeKind::File {
            return Err(FsError::Exists);
        }
        match (request.how, request.attributes.size) {
            (CreateHow::Unchecked, None) => Ok(()),
            (CreateHow::Unchecked, Some(size)) => self.set_attributes(found, &SetAttributes::size(size), true, who),
            (CreateHow::Exclusive(verifier), _) if node.verifier == Some(verifier) => Ok(()),
            (CreateHow::Exclusive(_) | CreateHow::Guarded, _) => Err(FsError::Exists),
        }
    }

    fn made(&self, directory: &ModelNode, request: &CreateRequest, who: &Credentials) -> ModelNode {
        let InitialAttributes { mode, uid, gid, size, atime, mtime } = request.attributes;
        let root = permission::is_root(who);
        let inherits = directory.mode & 0o2000 != 0;
        let uid = if root { uid.unwrap_or(0) } else { who.uid };
        let gid = match gid {
            Some(gid) if root || permission::is_member(who, gid) => gid,
            _ if inherits => directory.gid,
            _ => who.gid,
        };
        let mut node = self.blank(NodeKind::File, mode.unwrap_or(0), uid, gid);
        match &request.kind {
            NewKind::File => node.content = Content::of_size(size.unwrap_or(0)),
            NewKind::Directory => {
                node.kind = NodeKind::Directory;
                node.mode &= !0o6000;
                node.mode |= directory.mode & 0o2000;
            }
            NewKind::Symlink(target) => {
                node.kind = NodeKind::Symlink;
                node.mode = 0o777;
                node.target = target.to_vec();
            }
            NewKind::Fifo => node.kind = NodeKind::Fifo,
            NewKind::Socket => node.kind = NodeKind::Socket,
            NewKind::BlockDevice(device) => (node.kind, node.device) = (NodeKind::BlockDevice, *device),
            NewKind::CharDevice(device) => (node.kind, node.device) = (NodeKind::CharDevice, *device),
        }
        if node.kind != NodeKind::Directory && !root && !permission::is_member(who, gid) {
            node.mode &= !0o2000;
        }
        if let CreateHow::Exclusive(verifier) = request.how {
            node.verifier = Some(verifier);
        }
        if let SetTime::To(time) = atime {
            node.atime.to(Moment::At(time));
        }
        if let SetTime::To(time) = mtime {
            node.mtime.to(Moment::At(time));
        }
        node
    }

    pub(super) fn link(&mut self, request: &LinkRequest, who: &Credentials) -> FsResult<()> {
        let directory = self.searched(request.directory, who)?;
        let node = self.node(request.node)?;
        if directory.entries.contains_key(&request.name) {
            return Err(FsError::Exists);
        }
        if !directory.lets(who, permission::WRITE) {
            return Err(FsError::Access);
        }
        if node.kind == NodeKind::Directory {
            return Err(FsError::NotPermitted);
        }
        self.node_mut(request.node).changes += 1;
        self.node_mut(request.directory).entries.insert(request.name.clone(), request.node);
        self.entries_changed(request.directory);
        Ok(())
    }

    pub(super) fn remove(&mut self, request: &RemoveRequest, who: &Credentials) -> FsResult<()> {
        let directory = self.searched(request.directory, who)?;
        let id = *directory.entries.get(&request.name).ok_or(FsError::NotFound)?;
        if matches!(request.kind, RemoveKind::Just(node) | RemoveKind::Held(node) if node != id) {
            return Err(FsError::NotFound);
        }
        let node = &self.nodes[&id];
        if !matches!(request.kind, RemoveKind::Held(_)) {
            directory.lets_take(node, who)?;
        }
        match (request.kind, node.kind) {
            (RemoveKind::NotDirectory, NodeKind::Directory) => return Err(FsError::IsDirectory),
            (RemoveKind::Directory | RemoveKind::Just(_) | RemoveKind::Held(_), NodeKind::Directory)
                if !node.entries.is_empty() =>
            {
                return Err(FsError::NotEmpty);
            }
            (RemoveKind::Directory, NodeKind::Directory) => {}
            (RemoveKind::Directory, _) => return Err(FsError::NotDirectory),
            (RemoveKind::NotDirectory | RemoveKind::Just(_) | RemoveKind::Held(_), _) => {}
        }
        self.take_name(request.directory, &request.name);
        self.entries_changed(request.directory);
        Ok(())
    }

    /// Takes a name away, and the node with its last one.
    fn take_name(&mut self, directory: NodeId, name: &Name) {
        let Some(id) = self.node_mut(directory).entries.remove(name) else { return };
        let named = self.nodes.values().any(|node| node.entries.values().any(|child| *child == id));
        if named {
            self.node_mut(id).changes += 1;
        } else {
            self.nodes.remove(&id);
        }
    }

    pub(super) fn rename(&mut self, request: &RenameRequest, who: &Credentials) -> FsResult<()> {
        let from = self.searched(request.from_directory, who)?;
        let to = self.searched(request.to_directory, who)?;
        let id = *from.entries.get(&request.from_name).ok_or(FsError::NotFound)?;
        let node = &self.nodes[&id];
        let is_directory = node.kind == NodeKind::Directory;
        let moves = request.from_directory != request.to_directory;
        if is_directory && moves && self.is_within(request.to_directory, id) {
            return Err(FsError::Invalid);
        }
        let replaced = to.entries.get(&request.to_name).copied();
        match (request.replace, replaced) {
            _ if request.node.is_some_and(|node| node != id) => return Err(FsError::NotFound),
            (Replace::Any, Some(replaced)) if replaced == id => return Ok(()),
            _ if !moves && request.from_name == request.to_name => return Ok(()),
            (Replace::Only(node), Some(replaced)) if replaced != node => return Err(FsError::Exists),
            (Replace::Nothing, Some(_)) => return Err(FsError::Exists),
            _ => {}
        }
        from.lets_take(node, who)?;
        if !to.lets(who, permission::WRITE) {
            return Err(FsError::Access);
        }
        if let Some(replaced) = replaced {
            let target = &self.nodes[&replaced];
            to.lets_take(target, who)?;
            match (is_directory, target.kind == NodeKind::Directory) {
                (true, false) => return Err(FsError::NotDirectory),
                (false, true) => return Err(FsError::IsDirectory),
                _ => {}
            }
        }
        // The `..` of a directory that moves is rewritten.
        if is_directory && moves && !node.lets(who, permission::WRITE) {
            return Err(FsError::Access);
        }
        if replaced.is_some_and(|replaced| !self.nodes[&replaced].entries.is_empty()) {
            return Err(FsError::NotEmpty);
        }
        self.take_name(request.to_directory, &request.to_name);
        self.node_mut(request.from_directory).entries.remove(&request.from_name);
        self.node_mut(request.to_directory).entries.insert(request.to_name.clone(), id);
        self.node_mut(id).changes += 1;
        self.entries_changed(request.from_directory);
        self.entries_changed(request.to_directory);
        Ok(())
    }
}

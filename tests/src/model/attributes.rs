//! Operations on attributes and content.

use dittofs_domain::{
    Credentials, NodeId, NodeKind,
    content::FILE_BYTES_MAX,
    error::{FsError, FsResult},
    namespace::{SetAttributes, SetTime},
};

use super::{Model, Moment, permission};

impl Model {
    /// Sets attributes; whether a guard, if there is one, matches is for the caller to say.
    pub(super) fn set_attributes(
        &mut self,
        id: NodeId,
        request: &SetAttributes,
        guard_matches: bool,
        who: &Credentials,
    ) -> FsResult<()> {
        let mut request = request.clone();
        if self.node(id)?.kind == NodeKind::Symlink {
            request.mode = None;
        }
        let request = &request;
        self.may_set(id, request, guard_matches, who)?;
        let nothing = SetAttributes { guard: None, ..request.clone() } == SetAttributes::default();
        if nothing {
            return Ok(());
        }
        let now = self.now;
        let node = self.node_mut(id);
        let owner_asked = request.uid.is_some() || request.gid.is_some();
        if let Some(mode) = request.mode {
            node.mode = mode & 0o7777;
            let gid = request.gid.unwrap_or(node.gid);
            if !permission::is_root(who) && !permission::is_member(who, gid) {
                node.mode &= !0o2000;
            }
        }
        let written = request.size.is_some() && request.mode.is_none() && !permission::is_root(who);
        if owner_asked && node.kind != NodeKind::Directory || written {
            let gid = node.gid;
            node.drop_privileges(gid, who);
        }
        node.uid = request.uid.unwrap_or(node.uid);
        node.gid = request.gid.unwrap_or(node.gid);
        if let Some(size) = request.size {
            node.content.truncate(size);
            node.mtime.to(Moment::Clock(now));
        }
        match request.mtime {
            SetTime::Keep => {}
            SetTime::Now => node.mtime.to(Moment::Clock(now)),
            SetTime::To(time) => node.mtime.to(Moment::At(time)),
        }
        match request.atime {
            SetTime::Keep => {}
            SetTime::Now => node.atime.to(Moment::Clock(now)),
            SetTime::To(time) => node.atime.to(Moment::At(time)),
        }
        node.changes += 1;
        Ok(())
    }

    fn may_set(&self, id: NodeId, request: &SetAttributes, guard_matches: bool, who: &Credentials) -> FsResult<()> {
        let node = self.node(id)?;
        if [request.uid, request.gid].contains(&Some(u32::MAX)) {
            return Err(FsError::Invalid);
        }
        if let Some(size) = request.size {
            node.writable(who)?;
            if size > FILE_BYTES_MAX {
                return Err(FsError::TooLarge);
            }
        }
        if !guard_matches {
            return Err(FsError::NotSync);
        }
        let root = permission::is_root(who);
        let gives_away = request.uid.is_some_and(|uid| uid != node.uid);
        let foreign_group = request.gid.is_some_and(|gid| gid != node.gid && !permission::is_member(who, gid));
        let owner_only = request.mode.is_some() || request.uid.is_some() || request.gid.is_some();
        if owner_only && !node.owns(who) || (gives_away || foreign_group) && !root {
            return Err(FsError::NotPermitted);
        }
        let given = |time: &SetTime| matches!(time, SetTime::To(_));
        if (given(&request.atime) || given(&request.mtime)) && !node.owns(who) {
            return Err(FsError::NotPermitted);
        }
        let now = request.atime == SetTime::Now || request.mtime == SetTime::Now;
        if now && !node.owns(who) && !node.lets(who, permission::WRITE) {
            return Err(FsError::Access);
        }
        Ok(())
    }

    pub(super) fn write(&mut self, id: NodeId, offset: u64, data: &[u8], who: &Credentials) -> FsResult<()> {
        if offset.checked_add(data.len() as u64).is_none_or(|end| end > FILE_BYTES_MAX) {
            return Err(FsError::TooLarge);
        }
        self.node(id)?.writable(who)?;
        if data.is_empty() {
            return Ok(());
        }
        let now = self.now;
        let node = self.node_mut(id);
        if !permission::is_root(who) {
            let gid = node.gid;
            node.drop_privileges(gid, who);
        }
        node.content.write(offset, data);
        node.mtime.to(Moment::Clock(now));
        node.changes += 1;
        Ok(())
    }

    /// Bytes, and whether the end of the file is reached.
    pub(super) fn read(&self, id: NodeId, offset: u64, length: u32, who: &Credentials) -> FsResult<(Vec<u8>, bool)> {
        let node = self.node(id)?;
        node.readable(who)?;
        let end = offset.saturating_add(u64::from(length));
        Ok((node.content.read(offset..end), end >= node.content.size()))
    }
}

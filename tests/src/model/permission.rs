//! Permission bits.

use dittofs_domain::{
    Credentials, NodeKind,
    error::{FsError, FsResult},
};

use super::ModelNode;

pub(super) const READ: u16 = 4;
pub(super) const WRITE: u16 = 2;
pub(super) const EXECUTE: u16 = 1;

pub(super) fn is_root(who: &Credentials) -> bool {
    who.uid == 0
}

pub(super) fn is_member(who: &Credentials, gid: u32) -> bool {
    who.gid == gid || who.groups.contains(&gid)
}

impl ModelNode {
    /// Whether the mode grants one of `READ`, `WRITE`, `EXECUTE`.
    pub(super) fn lets(&self, who: &Credentials, what: u16) -> bool {
        if is_root(who) {
            return what != EXECUTE || self.kind == NodeKind::Directory || self.mode & 0o111 != 0;
        }
        let class = match () {
            () if who.uid == self.uid => self.mode >> 6,
            () if is_member(who, self.gid) => self.mode >> 3,
            () => self.mode,
        };
        class & what != 0
    }

    pub(super) fn owns(&self, who: &Credentials) -> bool {
        is_root(who) || who.uid == self.uid
    }

    /// Whether content may be read, as NFS does: who may execute may read, and the owner always may.
    pub(super) fn readable(&self, who: &Credentials) -> FsResult<()> {
        self.has_content()?;
        let may = self.lets(who, READ) || self.lets(who, EXECUTE) || self.owns(who);
        if may { Ok(()) } else { Err(FsError::Access) }
    }

    /// Whether content may be written, as NFS does: the owner always may.
    pub(super) fn writable(&self, who: &Credentials) -> FsResult<()> {
        self.has_content()?;
        if self.lets(who, WRITE) || self.owns(who) { Ok(()) } else { Err(FsError::Access) }
    }

    fn has_content(&self) -> FsResult<()> {
        match self.kind {
            NodeKind::File => Ok(()),
            NodeKind::Directory => Err(FsError::IsDirectory),
            _ => Err(FsError::Invalid),
        }
    }

    /// Whether an entry of this directory that leads to `child` may be taken away.
    pub(super) fn lets_take(&self, child: &ModelNode, who: &Credentials) -> FsResult<()> {
        if !self.lets(who, WRITE) {
            return Err(FsError::Access);
        }
        if self.mode & 0o1000 != 0 && !self.owns(who) && !child.owns(who) {
            return Err(FsError::NotPermitted);
        }
        Ok(())
    }

    /// Takes SUID and SGID away, as a change by somebody who may not be trusted with them does.
    pub(super) fn drop_privileges(&mut self, gid: u32, who: &Credentials) {
        self.mode &= !0o4000;
        let given = is_root(who) || is_member(who, gid);
        if self.mode & 0o010 != 0 || !given {
            self.mode &= !0o2000;
        }
    }
}

//! Who may do what to that which a CREATE makes (MS-SMB2, 2.2.13.2.2).

use std::sync::Arc;

use dittofs_domain::namespace::{InitialAccess, InitialAttributes};
use dittofs_smb_wire::{NtStatus, security::Control};

use super::wanted::Wanted;
use crate::{calls::Call, descriptors};

/// Owner, group and list of a new node, as far as the client says them.
#[derive(Debug)]
pub(super) struct Security {
    owner: Option<u32>,
    group: Option<u32>,
    pub(super) access: InitialAccess,
}

impl Security {
    /// Those of a request. Without a list what is made inherits. An owner or group that can't be given is not given, as
    /// with all that is made.
    ///
    /// # Errors
    /// Those of a list that can't be kept.
    pub(super) async fn of(call: &Call, wanted: &Wanted) -> Result<Security, NtStatus> {
        let Some(descriptor) = &wanted.security else {
            return Ok(Security { owner: None, group: None, access: InitialAccess::Inherited });
        };
        let machine = call.link.server.accounts.machine().await?;
        let access = if descriptor.control.contains(Control::DACL_PRESENT) {
            InitialAccess::List(Arc::new(descriptors::list(descriptor, machine)?))
        } else {
            InitialAccess::Inherited
        };
        let owner = descriptor.owner.and_then(|sid| descriptors::owner(sid, machine).ok());
        let group = descriptor.group.and_then(|sid| descriptors::group(sid, machine).ok());
        Ok(Security { owner, group, access })
    }

    /// The attributes that a node is made with, and this mode where it inherits nothing.
    pub(super) fn attributes(&self, mode: u16) -> InitialAttributes {
        InitialAttributes { mode: Some(mode), uid: self.owner, gid: self.group, ..InitialAttributes::default() }
    }
}

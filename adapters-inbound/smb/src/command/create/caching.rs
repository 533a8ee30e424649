//! The right to cache that comes with an open: an oplock or a lease (MS-SMB2, 3.3.5.9 and 3.3.5.9.8).

use std::sync::Arc;

use dittofs_domain::opens::{LeaseForm, LeaseGrant, LeaseKey, Rights};
use dittofs_ports::{CacheKey, CacheRequest, NodeRef};
use dittofs_smb_wire::{
    NtStatus,
    create::{Lease, LeaseFlags, OplockLevel, ResponseContext},
    negotiate::Capabilities,
};

use super::wanted::Wanted;
use crate::{
    caching::{Holder, LeaseTaken, asked_rights, level},
    calls::Call,
    negotiation::Terms,
    open::Open,
};

/// The right that a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Oplock(Rights),
    Lease(Lease, Rights),
}

/// The right that its answer tells of.
pub(super) struct Given {
    pub(super) level: OplockLevel,
    pub(super) context: Option<ResponseContext>,
}

impl Given {
    pub(super) const NOTHING: Given = Given { level: OplockLevel::NONE, context: None };
}

impl Asked {
    /// As far as the terms allow it. Nobody caches a directory but by a lease of version 2, and nobody writes to one.
    pub(super) fn read(
        (requested, lease): (OplockLevel, Option<&Lease>),
        capabilities: Capabilities,
        is_directory: bool,
    ) -> Asked {
        let oplock = |rights| if is_directory { Asked::Nothing } else { Asked::Oplock(rights) };
        match requested {
            OplockLevel::LEVEL_II => oplock(Rights::READ),
            OplockLevel::EXCLUSIVE => oplock(Rights::READ | Rights::WRITE),
            OplockLevel::BATCH => oplock(Rights::all()),
            OplockLevel::LEASE => match lease {
                Some(lease) if capabilities.contains(Capabilities::LEASING) => {
                    let allows_directory = capabilities.contains(Capabilities::DIRECTORY_LEASING);
                    match is_directory {
                        false => Asked::Lease(*lease, asked_rights(lease)),
                        true if allows_directory && lease.version_2.is_some() => {
                            Asked::Lease(*lease, asked_rights(lease) - Rights::WRITE)
                        }
                        true => Asked::Nothing,
                    }
                }
                _ => Asked::Nothing,
            },
            _ => Asked::Nothing,
        }
    }

    /// The same for the services.
    pub(super) fn request(&self) -> Option<CacheRequest> {
        match self {
            Asked::Nothing => None,
            Asked::Oplock(rights) => Some(CacheRequest { key: CacheKey::Oplock, rights: *rights }),
            Asked::Lease(lease, rights) => {
                Some(CacheRequest { key: CacheKey::Lease(u128::from_be_bytes(lease.key.0)), rights: *rights })
            }
        }
    }

    /// Notes what was granted.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if the key of a lease has come into use for another file meanwhile.
    pub(super) fn note(
        &self,
        call: &Call,
        node: NodeRef,
        open: &Arc<Open>,
        granted: Option<(LeaseKey, LeaseGrant)>,
    ) -> Result<Given, NtStatus> {
        let (Some((key, grant)), Ok(held)) = (granted, open.node()) else { return Ok(Given::NOTHING) };
        let caching = &call.link.server.caching;
        let holder = Holder::new(held.token, &call.session, open);
        match self {
            Asked::Nothing => Ok(Given::NOTHING),
            Asked::Oplock(_) => {
                if !grant.rights.is_empty() {
                    caching.note_oplock(&key, holder);
                    call.answers_oplock(held.token);
                }
                Ok(Given { level: level(grant.rights), context: None })
            }
            Asked::Lease(asked, _) => {
                let taken = LeaseTaken { key, asked: *asked, node, grant };
                let given = caching.note_lease(&taken, holder).ok_or(NtStatus::INVALID_PARAMETER)?;
                Ok(Given { level: OplockLevel::LEASE, context: Some(ResponseContext::Lease(given)) })
            }
        }
    }
}

/// Refuses a lease whose key is in use for another file than the one that was found, also where none would be granted.
///
/// # Errors
/// `INVALID_PARAMETER`.
pub(super) fn demand_own(call: &Call, wanted: &Wanted, found: Option<NodeRef>) -> Result<(), NtStatus> {
    let Some(lease) = wanted.lease.filter(|_| wanted.oplock == OplockLevel::LEASE) else { return Ok(()) };
    let id = u128::from_be_bytes(lease.key.0);
    let key = LeaseKey { client: call.session.client(), form: LeaseForm::Lease, id };
    match call.link.server.caching.lease_node(&key) {
        Some(held) if found != Some(held) => Err(NtStatus::INVALID_PARAMETER),
        _ => Ok(()),
    }
}

/// The key of the lease under which the client says that it caches the directory: it is spared by what is done through
/// the open (MS-SMB2, 3.3.5.9.11).
pub(super) fn parent_key(
    (requested, lease): (OplockLevel, Option<&Lease>),
    capabilities: Capabilities,
) -> Option<u128> {
    let lease = lease.filter(|_| requested == OplockLevel::LEASE);
    let lease = lease.filter(|lease| lease.flags.contains(LeaseFlags::PARENT_LEASE_KEY_SET))?;
    let version_2 = lease.version_2.filter(|_| capabilities.contains(Capabilities::DIRECTORY_LEASING))?;
    Some(u128::from_be_bytes(version_2.parent_key.0))
}

/// The capabilities of a connection.
pub(super) fn capabilities(terms: Option<&Terms>) -> Capabilities {
    terms.map_or(Capabilities::empty(), |terms| terms.capabilities)
}

#[cfg(test)]
mod tests;

//! Leases, by client and key (MS-SMB2, 3.3.1.12).

use std::collections::HashMap;

use dittofs_domain::opens::{Break, LeaseGrant, LeaseKey, OpenToken, Rights};
use dittofs_ports::NodeRef;
use dittofs_smb_wire::{
    create::{Lease as WireLease, LeaseFlags, LeaseVersion2},
    identifiers::LeaseKey as WireKey,
};

use super::{Holder, LeaseNotice, Told, notice::lease_state};

/// The lease that a CREATE got.
pub(crate) struct LeaseTaken {
    pub(crate) key: LeaseKey,
    /// As its client asked for it.
    pub(crate) asked: WireLease,
    pub(crate) node: NodeRef,
    pub(crate) grant: LeaseGrant,
}

/// The lease as its client is told of it.
pub(crate) type LeaseGiven = WireLease;

/// A lease that is in use.
struct Lease {
    node: NodeRef,
    /// The fields of version 2, as the first CREATE had them: a lease keeps its version.
    version_2: Option<LeaseVersion2>,
    has_parent: bool,
    /// This is added to the epoch that the services count.
    base: u16,
    /// The last epoch that the services counted.
    counted: u16,
    /// The opens, the newest last.
    holders: Vec<Holder>,
}

/// All leases.
#[derive(Default)]
pub(super) struct Leases(HashMap<LeaseKey, Lease>);

impl Leases {
    pub(super) fn node(&self, key: &LeaseKey) -> Option<NodeRef> {
        self.0.get(key).map(|lease| lease.node)
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.0.values().flat_map(|lease| &lease.holders)
    }

    /// Adds an open. None if the key is in use for another file.
    pub(super) fn add(&mut self, taken: &LeaseTaken, holder: Holder) -> Option<LeaseGiven> {
        let LeaseTaken { key, asked, node, grant } = taken;
        let lease = self.0.entry(*key).or_insert_with(|| Lease {
            node: *node,
            version_2: asked.version_2,
            has_parent: asked.version_2.is_some() && asked.flags.contains(LeaseFlags::PARENT_LEASE_KEY_SET),
            // The client's epoch and one more is the one of the first grant (3.3.5.9.11), also if that grants nothing.
            base: asked.version_2.map_or(0, |version| version.epoch).wrapping_add(1).wrapping_sub(grant.epoch),
            counted: grant.epoch,
            holders: Vec::new(),
        });
        if lease.node != *node {
            return None;
        }
        // One that comes back, or is answered again, has another session or none.
        lease.holders.retain(|held| held.token != holder.token);
        lease.holders.push(holder);
        lease.note(grant.epoch);
        Some(lease.given(asked.key, grant))
    }

    /// An open is gone; the lease goes with its last one.
    pub(super) fn remove(&mut self, key: &LeaseKey, token: OpenToken) {
        let Some(lease) = self.0.get_mut(key) else { return };
        lease.holders.retain(|holder| holder.token != token);
        if lease.holders.is_empty() {
            self.0.remove(key);
        }
    }

    /// The services have forgotten the lease, and would count its epoch anew.
    pub(super) fn revoked(&mut self, key: &LeaseKey) {
        if let Some(lease) = self.0.get_mut(key) {
            lease.base = lease.epoch(lease.counted);
            lease.counted = 0;
        }
    }

    /// Tells the client what it may keep, if any of the lease's opens has a session. None if there is no such lease.
    pub(super) fn tell(&mut self, request: &Break) -> Option<Told> {
        let lease = self.0.get_mut(&request.key)?;
        lease.note(request.epoch);
        let notice = LeaseNotice {
            key: WireKey(request.key.id.to_be_bytes()),
            epoch: lease.version_2.map_or(0, |_| lease.epoch(request.epoch)),
            from: request.from,
            to: request.to,
            is_asked: request.deadline_ms.is_some(),
        };
        let newest = lease.holders.last().cloned();
        let mut sessions = lease.holders.iter().rev().filter_map(|holder| holder.session.upgrade());
        let is_told = sessions.any(|session| notice.send(&session));
        Some(match newest {
            Some(holder) if !is_told => Told::Unreachable(holder),
            _ => Told::Yes,
        })
    }
}

impl Lease {
    /// The epoch as the client knows it.
    fn epoch(&self, counted: u16) -> u16 {
        self.base.wrapping_add(counted)
    }

    /// Notes an epoch of the services. Grants and breaks may come in another order than they were made.
    fn note(&mut self, counted: u16) {
        if counted.wrapping_sub(self.counted) < 1 << 15 {
            self.counted = counted;
        }
    }

    fn given(&self, key: WireKey, grant: &LeaseGrant) -> LeaseGiven {
        let mut flags = LeaseFlags::empty();
        flags.set(LeaseFlags::BREAK_IN_PROGRESS, grant.breaking);
        flags.set(LeaseFlags::PARENT_LEASE_KEY_SET, self.has_parent);
        let epoch = self.epoch(grant.epoch);
        let parent_key = |version: LeaseVersion2| if self.has_parent { version.parent_key } else { WireKey::default() };
        WireLease {
            key,
            state: lease_state(grant.rights),
            flags,
            version_2: self.version_2.map(|version| LeaseVersion2 { parent_key: parent_key(version), epoch }),
        }
    }
}

/// The rights that a client asks for.
pub(crate) fn asked_rights(lease: &WireLease) -> Rights {
    Rights::from_bits_truncate(lease.state.bits() as u8)
}

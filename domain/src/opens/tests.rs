use super::*;
use crate::{ClientId, FsError};

mod clients;
mod entries;
mod exploration;
mod leases;
mod lock_model;
mod locks;
mod node;
mod random;
mod scans;
mod share_modes;
mod waiting;

const DEADLINE: u64 = 35_000;

const TRIGGERS: [Trigger; 14] = [
    Trigger::OpenRead,
    Trigger::OpenSecurity,
    Trigger::OpenWrite,
    Trigger::OpenTruncate,
    Trigger::ShareConflict,
    Trigger::Read,
    Trigger::Write,
    Trigger::Truncate,
    Trigger::Lock,
    Trigger::Rename,
    Trigger::Remove,
    Trigger::Link,
    Trigger::SetAttributes,
    Trigger::ChangeEntries,
];

fn bytes(first: u64, last: u64) -> LockRange {
    LockRange::exact(first, last - first + 1).unwrap()
}

fn owner(client: u64) -> LockOwner {
    LockOwner::new(ClientId::Nfs4(client), b"owner").unwrap()
}

fn process(client: u64) -> LockHolder {
    LockHolder::Owner(owner(client))
}

fn by_open(open: u64) -> LockHolder {
    LockHolder::Open { client: ClientId::Nfs4(open), open: OpenToken(open) }
}

fn shared(range: LockRange, holder: LockHolder) -> Lock {
    Lock { range, kind: LockKind::Shared, holder }
}

fn exclusive(range: LockRange, holder: LockHolder) -> Lock {
    Lock { range, kind: LockKind::Exclusive, holder }
}

fn key(client: u64, form: LeaseForm) -> LeaseKey {
    LeaseKey { client: ClientId::Nfs4(client), form, id: u128::from(client) }
}

/// An open of client `client` that denies nothing.
fn open(client: u64, access: ShareAccess) -> Open {
    Open {
        client: ClientId::Nfs4(client),
        share: ShareMode { access, deny: ShareAccess::empty() },
        locking: Locking::Mandatory,
        lease: None,
        file: None,
    }
}

fn granted() -> Outcome {
    Outcome::Granted(Vec::new())
}

fn lock_granted() -> LockOutcome {
    LockOutcome::Granted { breaks: Vec::new(), woken: Vec::new() }
}

/// A node with one open under a key, and what the key was given.
fn leased(client: u64, form: LeaseForm, rights: Rights) -> (NodeOpens, LeaseKey) {
    let key = key(client, form);
    let mut node = NodeOpens::default();
    let opened =
        node.open(OpenToken(client), Open { lease: Some(key), ..open(client, ShareAccess::READ) }, false, DEADLINE);
    assert_eq!(opened, granted());
    assert_eq!(node.request_lease(key, rights).rights, rights);
    (node, key)
}

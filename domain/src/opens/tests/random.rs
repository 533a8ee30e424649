//! Random states of a node: what four clients do, of all protocols, three of them of one number.

use std::net::{IpAddr, Ipv4Addr};

use proptest::{prelude::*, sample::select};

use super::*;

const TOKENS: u64 = 16;

pub(super) fn clients() -> impl Iterator<Item = ClientId> {
    let address = IpAddr::V4(Ipv4Addr::from_bits(7));
    [ClientId::Nfs3(address), ClientId::Nfs4(7), ClientId::Smb(7), ClientId::Smb(8)].into_iter()
}

/// The keys that a client may cache under.
pub(super) fn keys(client: ClientId) -> impl Iterator<Item = LeaseKey> {
    let forms = [LeaseForm::Lease, LeaseForm::Oplock, LeaseForm::Delegation];
    forms.into_iter().enumerate().map(move |(id, form)| LeaseKey { client, form, id: id as u128 })
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Open { token: OpenToken, open: Open, truncate: bool },
    ChangeShare { token: OpenToken, share: ShareMode },
    Close { token: OpenToken },
    Check { client: ClientId, opener: Option<OpenToken>, operation: Operation },
    ChangeEntries { client: ClientId, lease: Option<LeaseKey> },
    Lock { lock: Lock, wait: Option<WaitToken> },
    Unlock { holder: LockHolder, range: LockRange },
    RequestLease { key: LeaseKey, rights: Rights },
    Acknowledge { key: LeaseKey },
    ReturnLease { key: LeaseKey },
    Expire { ago_ms: u64 },
    ReleaseOwner { client: ClientId },
    ReleaseClient { client: ClientId },
}

/// Takes a step, at a time at which a break is due 20 ms later.
pub(super) fn take(node: &mut NodeOpens, step: &Step, now_ms: u64) {
    let deadline_ms = now_ms + 20;
    match step.clone() {
        Step::Open { token, open, truncate } => drop(node.open(token, open, truncate, deadline_ms)),
        Step::ChangeShare { token, share } => drop(node.change_share(token, share, deadline_ms)),
        Step::Close { token } => drop(node.close(token)),
        Step::Check { client, opener, operation } => drop(node.check(client, opener, operation, deadline_ms)),
        Step::ChangeEntries { client, lease } => drop(node.change_entries(&Requester { client, lease }, deadline_ms)),
        Step::Lock { lock, wait } => drop(node.lock(lock, wait, deadline_ms)),
        Step::Unlock { holder, range } => drop(node.unlock(&holder, range)),
        Step::RequestLease { key, rights } => {
            node.request_lease(key, rights);
        }
        Step::Acknowledge { key } => {
            if let Some(LeaseState::Breaking { to, .. }) = node.leases().find(&key).map(|lease| lease.state) {
                node.acknowledge(&key, to, deadline_ms).unwrap();
            }
        }
        Step::ReturnLease { key } => {
            node.return_lease(&key);
        }
        Step::Expire { ago_ms } => drop(node.expire(now_ms.saturating_sub(ago_ms))),
        Step::ReleaseOwner { client } => drop(node.release_owner(&owner_of(client))),
        Step::ReleaseClient { client } => drop(node.release_client(client)),
    }
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..80)
}

pub(super) fn client() -> impl Strategy<Value = ClientId> {
    select(clients().collect::<Vec<_>>())
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let ranged: Vec<fn(LockRange) -> Operation> = vec![Operation::Read, Operation::Write, Operation::Truncate];
    let other = vec![Operation::Rename, Operation::Remove, Operation::Link, Operation::SetAttributes];
    prop_oneof![3 => (select(ranged), range()).prop_map(|(operation, at)| operation(at)), 1 => select(other)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => (token(), open(), proptest::bool::weighted(0.1)).prop_map(|(token, open, truncate)| Step::Open { token, open, truncate }),
        2 => (token(), share()).prop_map(|(token, share)| Step::ChangeShare { token, share }),
        2 => token().prop_map(|token| Step::Close { token }),
        4 => check(),
        1 => (client(), proptest::option::of(key()))
            .prop_map(|(client, lease)| Step::ChangeEntries { client, lease }),
        4 => (lock(), wait()).prop_map(|(lock, wait)| Step::Lock { lock, wait }),
        1 => (holder(), range()).prop_map(|(holder, range)| Step::Unlock { holder, range }),
        6 => (key(), rights()).prop_map(|(key, rights)| Step::RequestLease { key, rights }),
        4 => key().prop_map(|key| Step::Acknowledge { key }),
        1 => key().prop_map(|key| Step::ReturnLease { key }),
        1 => (0..60_u64).prop_map(|ago_ms| Step::Expire { ago_ms }),
        1 => client().prop_map(|client| Step::ReleaseOwner { client }),
        1 => client().prop_map(|client| Step::ReleaseClient { client }),
    ]
}

fn check() -> impl Strategy<Value = Step> {
    let asked = (client(), proptest::option::of(token()), operation());
    asked.prop_map(|(client, opener, operation)| Step::Check { client, opener, operation })
}

fn token() -> impl Strategy<Value = OpenToken> {
    (0..TOKENS).prop_map(OpenToken)
}

fn wait() -> impl Strategy<Value = Option<WaitToken>> {
    proptest::option::of((0..TOKENS).prop_map(WaitToken))
}

/// Few deny anything: otherwise most opens are refused.
fn share() -> impl Strategy<Value = ShareMode> {
    let deny = prop_oneof![12 => Just(0), 1 => 0..8_u8];
    (0..8_u8, deny).prop_map(|(access, deny)| ShareMode {
        access: ShareAccess::from_bits_truncate(access),
        deny: ShareAccess::from_bits_truncate(deny),
    })
}

fn open() -> impl Strategy<Value = Open> {
    let locking = select(&[Locking::Advisory, Locking::Mandatory][..]);
    (key(), any::<bool>(), share(), locking).prop_map(|(key, caches, share, locking)| Open {
        client: key.client,
        share,
        locking,
        lease: caches.then_some(key),
        file: None,
    })
}

fn key() -> impl Strategy<Value = LeaseKey> {
    select(clients().flat_map(keys).collect::<Vec<_>>())
}

fn rights() -> impl Strategy<Value = Rights> {
    (0..8_u8).prop_map(|bits| Rights::from_bits_truncate(bits) | Rights::READ)
}

fn range() -> impl Strategy<Value = LockRange> {
    (0..8_u64, 0..4_u64).prop_map(|(offset, length)| LockRange::exact(offset, length).unwrap())
}

fn owner_of(client: ClientId) -> LockOwner {
    LockOwner::new(client, b"owner").unwrap()
}

fn holder() -> impl Strategy<Value = LockHolder> {
    prop_oneof![
        client().prop_map(|client| LockHolder::Owner(owner_of(client))),
        (client(), token()).prop_map(|(client, open)| LockHolder::Open { client, open }),
    ]
}

fn lock() -> impl Strategy<Value = Lock> {
    let kind = select(&[LockKind::Shared, LockKind::Exclusive][..]);
    (range(), kind, holder()).prop_map(|(range, kind, holder)| Lock { range, kind, holder })
}

use super::*;
use crate::{Credentials, Name, NodeId};

#[test]
fn token_of_an_open_is_used_once() {
    let mut node = NodeOpens::default();
    let first = open(1, ShareAccess::READ);
    assert_eq!(node.open(OpenToken(1), first, false, 0), granted());
    assert_eq!(node.open(OpenToken(1), first, false, 0), Outcome::Denied(Denied::TokenInUse));
    assert_eq!(node.opens().map(|(token, _)| token.0).collect::<Vec<_>>(), [1]);
    assert_eq!(node.close(OpenToken(1)), Some(Closed { open: first, woken: vec![], last: true, deletion: None }));
    assert_eq!(node.close(OpenToken(1)), None);
    assert_eq!(node, NodeOpens::default());
}

#[test]
fn nobody_caches_under_the_key_of_another_client() {
    let mut node = NodeOpens::default();
    let foreign = Open { lease: Some(key(2, LeaseForm::Lease)), ..open(1, ShareAccess::READ) };
    assert_eq!(node.open(OpenToken(1), foreign, false, 0), Outcome::Denied(Denied::Invalid));
    assert!(node.is_empty());
}

#[test]
fn opens_of_a_node_are_bounded() {
    let mut node = NodeOpens::default();
    for token in 0..limits::OPENS as u64 {
        assert_eq!(node.open(OpenToken(token), open(token, ShareAccess::READ), false, 0), granted());
    }
    let refused = node.open(OpenToken(u64::MAX), open(1, ShareAccess::READ), false, 0);
    assert_eq!(refused, Outcome::Denied(Denied::Limit));
}

#[test]
fn caching_rights_of_a_node_are_bounded() {
    let mut node = NodeOpens::default();
    for client in 0..limits::LEASES as u64 {
        node.leases.grant(key(client, LeaseForm::Delegation), Rights::READ);
    }
    let grant = node.request_lease(key(u64::MAX, LeaseForm::Delegation), Rights::READ);
    assert_eq!(grant, LeaseGrant { rights: Rights::empty(), epoch: 0, breaking: false });
}

#[test]
fn lock_of_an_open_needs_the_open() {
    let mut node = NodeOpens::default();
    let wanted = exclusive(bytes(0, 9), by_open(1));
    assert_eq!(node.lock(wanted, None, 0), LockOutcome::Denied(Denied::UnknownOpen));
    let place = LockRange::exact(0, 0).unwrap();
    assert_eq!(node.lock(exclusive(place, process(1)), None, 0), LockOutcome::Denied(Denied::Invalid));
    assert!(node.is_empty());
}

#[test]
fn refused_lock_breaks_nothing() {
    let (mut node, _) = leased(1, LeaseForm::Lease, Rights::all());
    assert_eq!(node.lock(exclusive(bytes(0, 9), by_open(1)), None, 0), lock_granted());
    let before = node.clone();
    let refused = node.lock(shared(bytes(0, 0), process(2)), None, 0);
    assert!(matches!(refused, LockOutcome::Denied(Denied::Locked(_))));
    assert!(node.test_lock(&shared(bytes(0, 0), process(2))).is_some());
    assert_eq!(node, before);
}

#[test]
fn lock_tells_those_who_have_copies() {
    let (mut node, key) = leased(1, LeaseForm::Oplock, Rights::all());
    assert!(matches!(node.check(ClientId::Nfs4(2), None, Operation::Read(bytes(0, 0)), 5), Outcome::MustBreak(_)));
    node.acknowledge(&key, Rights::READ, 0).unwrap();
    let LockOutcome::Granted { breaks, .. } = node.lock(exclusive(bytes(0, 0), process(2)), None, 5) else {
        panic!("refused")
    };
    assert_eq!(breaks, [Break { key, from: Rights::READ, to: Rights::empty(), epoch: 3, deadline_ms: None }]);
    assert!(node.leases().is_empty());
}

#[test]
fn truncating_open_takes_all_copies() {
    let (mut node, key) = leased(1, LeaseForm::Lease, Rights::READ);
    let outcome = node.open(OpenToken(2), open(2, ShareAccess::WRITE), true, 5);
    assert!(matches!(outcome, Outcome::Granted(breaks) if breaks.len() == 1 && breaks[0].key == key));
}

#[test]
fn client_that_is_gone_leaves_nothing() {
    let (mut node, _) = leased(1, LeaseForm::Lease, Rights::READ | Rights::HANDLE);
    assert_eq!(node.open(OpenToken(5), open(2, ShareAccess::READ), false, 0), granted());
    assert_eq!(node.lock(exclusive(bytes(0, 9), by_open(1)), None, 0), lock_granted());
    assert!(matches!(node.lock(exclusive(bytes(10, 19), process(1)), None, 0), LockOutcome::Granted { .. }));
    node.release_client(ClientId::Nfs4(1));
    assert_eq!(node.opens().count(), 1);
    assert!(node.locks().is_empty() && node.leases().is_empty());
    node.release_client(ClientId::Nfs4(2));
    assert_eq!(node, NodeOpens::default());
}

#[test]
fn a_node_that_goes_with_its_last_open_is_opened_by_nobody_else() {
    let mut node = NodeOpens::default();
    let open = open(1, ShareAccess::empty());
    assert!(matches!(node.open(OpenToken(1), open, false, 0), Outcome::Granted(_)));
    assert!(matches!(node.open(OpenToken(2), open, false, 0), Outcome::Granted(_)));
    let deletion = Deletion {
        directory: NodeId::ROOT,
        name: Name::new(b"a").unwrap(),
        credentials: Credentials::root(),
        client: open.client,
        parent_lease: None,
    };
    assert_eq!(node.set_deletion(OpenToken(3), Some(deletion.clone())), Err(Denied::UnknownOpen));
    node.set_deletion(OpenToken(1), Some(deletion.clone())).unwrap();
    assert_eq!(node.open(OpenToken(3), open, false, 0), Outcome::Denied(Denied::Deleting));
    assert_eq!(node.close(OpenToken(1)).unwrap().deletion, None);
    node.deleted();
    assert!(node.deletion().is_some(), "it is open");
    assert_eq!(node.release_client(open.client).deletion, Some(deletion));
    assert_eq!(node.open(OpenToken(3), open, false, 0), Outcome::Denied(Denied::Deleting), "not removed yet");
    node.deleted();
    assert!(node.is_empty());
    assert!(matches!(node.open(OpenToken(3), open, false, 0), Outcome::Granted(_)));
}

#[test]
fn two_requests_of_an_open_for_one_lock_are_two() {
    let mut node = NodeOpens::default();
    for token in [1, 2] {
        assert!(matches!(
            node.open(OpenToken(token), open(token, ShareAccess::empty()), false, 0),
            Outcome::Granted(_)
        ));
    }
    let lock = |client: u64| Lock {
        range: LockRange::exact(0, 10).unwrap(),
        kind: LockKind::Exclusive,
        holder: LockHolder::Open { client: ClientId::Nfs4(client), open: OpenToken(client) },
    };
    assert!(matches!(node.lock(lock(1), None, 0), LockOutcome::Granted { .. }));
    for token in [7, 8] {
        assert!(matches!(node.lock(lock(2), Some(WaitToken(token)), 0), LockOutcome::Queued { .. }));
    }
    let waiting: Vec<WaitToken> = node.waiters().map(|waiter| waiter.token).collect();
    assert_eq!(waiting, [WaitToken(7), WaitToken(8)]);
}

use super::*;

fn tokens(woken: &[Waiter]) -> Vec<u64> {
    woken.iter().map(|w| w.token.0).collect()
}

fn wait(node: &mut NodeOpens, token: u64, wanted: Lock) {
    assert_eq!(node.lock(wanted, Some(WaitToken(token)), 0), LockOutcome::Queued { breaks: vec![] });
}

#[test]
fn waiters_are_granted_in_order_of_arrival() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(at, process(1)), Some(WaitToken(0)), 0), lock_granted());
    for client in 2..=4 {
        wait(&mut node, client, exclusive(at, process(client)));
    }
    for client in 1..=3 {
        assert_eq!(tokens(&node.unlock(&process(client), at).unwrap()), [client + 1]);
    }
    assert_eq!(node.unlock(&process(4), at).unwrap(), []);
    assert!(node.is_empty());
}

#[test]
fn all_readers_are_granted_at_once() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(at, process(1)), None, 0), lock_granted());
    wait(&mut node, 2, shared(at, process(2)));
    wait(&mut node, 3, exclusive(at, process(3)));
    wait(&mut node, 4, shared(at, process(4)));
    assert_eq!(tokens(&node.release_owner(&owner(1))), [2, 4]);
    assert_eq!(node.waiters().map(|w| w.token.0).collect::<Vec<_>>(), [3]);
}

#[test]
fn downgrade_wakes_readers() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(at, process(1)), None, 0), lock_granted());
    wait(&mut node, 2, shared(at, process(2)));
    let LockOutcome::Granted { woken, .. } = node.lock(shared(at, process(1)), None, 0) else { panic!("refused") };
    assert_eq!(tokens(&woken), [2]);
}

#[test]
fn waiter_that_weakens_its_holder_wakes_those_before_it() {
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(bytes(0, 4), process(1)), None, 0), lock_granted());
    assert_eq!(node.lock(exclusive(bytes(5, 9), process(2)), None, 0), lock_granted());
    wait(&mut node, 3, shared(bytes(0, 0), process(3)));
    wait(&mut node, 1, shared(bytes(0, 9), process(1)));
    assert_eq!(tokens(&node.release_owner(&owner(2))), [1, 3]);
}

#[test]
fn repeated_request_keeps_its_place_and_a_cancelled_one_loses_it() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(at, process(1)), None, 0), lock_granted());
    wait(&mut node, 2, exclusive(at, process(2)));
    wait(&mut node, 3, exclusive(at, process(3)));
    wait(&mut node, 20, exclusive(at, process(2)));
    wait(&mut node, 4, exclusive(at, process(4)));
    assert!(node.cancel_wait(WaitToken(3)));
    assert!(!node.cancel_wait(WaitToken(3)));
    assert_eq!(tokens(&node.release_client(ClientId::Nfs4(1)).woken), [20]);
    assert_eq!(tokens(&node.release_client(ClientId::Nfs4(2)).woken), [4]);
}

#[test]
fn waiters_go_with_their_open_owner_and_client() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.lock(exclusive(at, process(1)), None, 0), lock_granted());
    assert_eq!(node.open(OpenToken(2), open(2, ShareAccess::READ), false, 0), granted());
    wait(&mut node, 2, exclusive(at, by_open(2)));
    wait(&mut node, 3, exclusive(at, process(3)));
    wait(&mut node, 4, exclusive(at, process(4)));
    node.close(OpenToken(2)).unwrap();
    node.release_owner(&owner(3));
    node.release_client(ClientId::Nfs4(4));
    assert_eq!(node.waiters().count(), 0);
    assert_eq!(node.unlock(&process(1), at).unwrap(), []);
    assert!(node.is_empty());
}

#[test]
fn close_wakes_those_that_waited_for_its_locks() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.open(OpenToken(1), open(1, ShareAccess::READ), false, 0), granted());
    assert_eq!(node.lock(exclusive(at, by_open(1)), None, 0), lock_granted());
    wait(&mut node, 7, exclusive(at, process(7)));
    assert_eq!(tokens(&node.close(OpenToken(1)).unwrap().woken), [7]);
}

#[test]
fn granted_request_leaves_the_line() {
    let at = bytes(0, 9);
    let mut node = NodeOpens::default();
    assert_eq!(node.open(OpenToken(1), open(1, ShareAccess::READ), false, 0), granted());
    assert_eq!(node.lock(shared(at, by_open(1)), None, 0), lock_granted());
    wait(&mut node, 1, exclusive(at, process(2)));
    let denied = node.lock(exclusive(at, process(2)), None, 0);
    assert_eq!(denied, LockOutcome::Denied(Denied::Locked(shared(at, by_open(1)))));
    assert_eq!(tokens(&node.unlock(&by_open(1), at).unwrap()), [1]);
    assert_eq!(node.unlock(&by_open(1), at), Err(Denied::NotLocked));
}

#[test]
fn line_is_bounded() {
    let mut node = NodeOpens::default();
    let at = bytes(0, 9);
    assert_eq!(node.lock(exclusive(at, process(0)), None, 0), lock_granted());
    for client in 1..=limits::WAITERS as u64 {
        wait(&mut node, client, exclusive(at, process(client)));
    }
    let before = node.clone();
    let one_more = exclusive(at, process(u64::MAX));
    assert_eq!(node.lock(one_more, Some(WaitToken(0)), 0), LockOutcome::Denied(Denied::Limit));
    assert_eq!(node, before);
    wait(&mut node, 1, exclusive(at, process(1)));
}

#[test]
fn waiter_takes_caching_rights_before_it_stands_in_line() {
    let (mut node, key) = leased(1, LeaseForm::Lease, Rights::all());
    let at = bytes(0, 9);
    assert_eq!(node.lock(exclusive(at, by_open(1)), None, 0), lock_granted());
    let wanted = exclusive(at, process(2));
    assert!(matches!(node.lock(wanted.clone(), Some(WaitToken(2)), 9), LockOutcome::MustBreak(b) if b.len() == 1));
    assert_eq!(node.lock(wanted.clone(), Some(WaitToken(2)), 9), LockOutcome::Wait { until_ms: 9 });
    assert_eq!(node.waiters().count(), 0);
    node.acknowledge(&key, Rights::empty()).unwrap();
    wait(&mut node, 2, wanted);
    assert_eq!(node.request_lease(key, Rights::all()).rights, Rights::empty(), "somebody waits");
    assert_eq!(tokens(&node.unlock(&by_open(1), at).unwrap()), [2]);
}

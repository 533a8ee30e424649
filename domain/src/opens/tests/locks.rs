use rstest::rstest;

use super::*;

#[rstest]
#[case(0, 1, Some((0, Some(0), Some(1))))]
#[case(5, 0, Some((5, None, Some(0))))]
#[case(u64::MAX, 0, Some((u64::MAX, None, Some(0))))]
#[case(u64::MAX, 1, Some((u64::MAX, Some(u64::MAX), None)))]
#[case(0, u64::MAX, Some((0, Some(u64::MAX - 1), Some(u64::MAX))))]
#[case(1, u64::MAX, Some((1, Some(u64::MAX), None)))]
#[case(2, u64::MAX, None)]
#[case(u64::MAX, 2, None)]
fn exact_range_ends_within_64_bits(
    #[case] offset: u64,
    #[case] length: u64,
    #[case] expected: Option<(u64, Option<u64>, Option<u64>)>,
) {
    let range = LockRange::exact(offset, length);
    assert_eq!(range.map(|r| (r.offset(), r.last(), r.length())), expected);
    assert_eq!(range.is_some_and(LockRange::is_empty), length == 0);
}

#[rstest]
#[case(5, 3, 8, true)]
#[case(3, 3, 8, false)]
#[case(8, 3, 8, true)]
#[case(9, 3, 8, false)]
#[case(0, 0, 8, false)]
#[case(u64::MAX, 0, u64::MAX, true)]
fn zero_length_range_overlaps_what_it_is_strictly_inside_of(
    #[case] place: u64,
    #[case] first: u64,
    #[case] last: u64,
    #[case] overlaps: bool,
) {
    let empty = LockRange::exact(place, 0).unwrap();
    let range = if last == u64::MAX { LockRange::to_end(first) } else { bytes(first, last) };
    assert_eq!(empty.overlaps(range), overlaps);
    assert_eq!(range.overlaps(empty), overlaps);
    assert!(!empty.overlaps(empty));
    assert!(!empty.touches(range));
    assert_eq!(empty.without(range), [Some(empty), None]);
}

#[test]
fn range_without_one_that_does_not_overlap_stays_whole() {
    assert_eq!(bytes(3, 5).without(bytes(6, 9)), [Some(bytes(3, 5)), None]);
}

#[test]
fn lock_of_one_protocol_stops_io_of_the_other() {
    locks_stop_io(NodeOpens::check);
}

#[test]
fn a_protocol_that_does_not_see_the_locks_of_another_is_found() {
    let blind = |node: &mut NodeOpens, client, opener: Option<OpenToken>, operation, now| {
        let mut seen = node.clone();
        if opener.is_none() {
            seen.locks = LockTable::default();
        }
        seen.check(client, opener, operation, now)
    };
    assert!(std::panic::catch_unwind(|| locks_stop_io(blind)).is_err());
}

/// `check` says whether an operation may go on, as [`NodeOpens::check`] does.
fn locks_stop_io(check: impl Fn(&mut NodeOpens, ClientId, Option<OpenToken>, Operation, u64) -> Outcome) {
    for (held, smb_read, smb_write, nfs_read, nfs_write) in [
        (shared(bytes(0, 9), process(1)), true, false, true, true),
        (exclusive(bytes(0, 9), process(1)), false, false, true, true),
        (shared(bytes(0, 9), by_open(1)), true, false, true, false),
        (exclusive(bytes(0, 9), by_open(1)), false, false, false, false),
    ] {
        let mut node = NodeOpens::default();
        let all = ShareAccess::READ | ShareAccess::WRITE;
        for token in [1, 2] {
            assert_eq!(node.open(OpenToken(token), open(token, all), false, 0), granted());
        }
        let advisory = Open { locking: Locking::Advisory, ..open(3, all) };
        assert_eq!(node.open(OpenToken(3), advisory, false, 0), granted());
        assert_eq!(node.lock(held.clone(), None, 0), lock_granted());
        for (opener, write, goes_on) in [
            (Some(2), false, smb_read),
            (Some(2), true, smb_write),
            (Some(3), false, nfs_read),
            (Some(3), true, nfs_write),
            (None, false, nfs_read),
            (None, true, nfs_write),
        ] {
            let operation = if write { Operation::Write(bytes(9, 12)) } else { Operation::Read(bytes(9, 12)) };
            let expected = if goes_on { granted() } else { Outcome::Denied(Denied::Locked(held.clone())) };
            let outcome = check(&mut node, ClientId::Nfs4(7), opener.map(OpenToken), operation, 0);
            assert_eq!(outcome, expected, "{held:?} {opener:?} {operation:?}");
            let beside = if write { Operation::Write(bytes(10, 12)) } else { Operation::Read(bytes(10, 12)) };
            assert_eq!(check(&mut node, ClientId::Nfs4(7), opener.map(OpenToken), beside, 0), granted());
        }
    }
}

#[test]
fn own_exclusive_lock_lets_an_open_write_and_its_shared_one_does_not() {
    let at = bytes(0, 9);
    let held = exclusive(at, by_open(1));
    assert!(!held.stops(Some(OpenToken(1)), at, true));
    let held = shared(at, by_open(1));
    assert!(held.stops(Some(OpenToken(1)), at, true));
    assert!(!held.stops(Some(OpenToken(1)), at, false));
    let nothing = LockRange::exact(4, 0).unwrap();
    assert!(!exclusive(at, by_open(1)).stops(None, nothing, true));
}

#[test]
fn lock_of_one_protocol_conflicts_with_the_others() {
    for (held, wanted) in [(process(1), by_open(2)), (by_open(2), process(1)), (by_open(1), by_open(2))] {
        for (a, b, blocked) in [
            (LockKind::Shared, LockKind::Shared, false),
            (LockKind::Shared, LockKind::Exclusive, true),
            (LockKind::Exclusive, LockKind::Shared, true),
            (LockKind::Exclusive, LockKind::Exclusive, true),
        ] {
            let mut table = LockTable::default();
            let first = Lock { range: bytes(0, 9), kind: a, holder: held.clone() };
            let second = Lock { range: LockRange::to_end(9), kind: b, holder: wanted.clone() };
            table.lock(first.clone()).unwrap();
            let expected = if blocked { Err(Denied::Locked(first.clone())) } else { Ok(()) };
            assert_eq!(table.check(&second), expected);
            assert_eq!(table.lock(second), expected);
        }
    }
}

#[test]
fn locks_of_an_open_stack_and_are_undone_one_by_one() {
    let mut table = LockTable::default();
    let at = bytes(0, 9);
    table.lock(exclusive(at, by_open(1))).unwrap();
    assert!(matches!(table.lock(exclusive(at, by_open(1))), Err(Denied::Locked(_))));
    table.lock(shared(at, by_open(1))).unwrap();
    table.lock(shared(at, by_open(1))).unwrap();
    assert_eq!(table.len(), 3);
    assert_eq!(table.unlock(&by_open(1), bytes(0, 8)), Err(Denied::NotLocked));
    assert_eq!(table.unlock(&by_open(2), at), Err(Denied::NotLocked));
    table.unlock(&by_open(1), at).unwrap();
    assert!(table.iter().all(|l| l.kind == LockKind::Shared), "the exclusive one goes first");
    assert!(table.release_open(OpenToken(1)));
    assert!(table.is_empty());
    assert!(!table.release_open(OpenToken(1)));
}

#[test]
fn zero_length_lock_is_an_opens_only() {
    let place = LockRange::exact(5, 0).unwrap();
    let mut table = LockTable::default();
    assert_eq!(table.lock(shared(place, process(1))), Err(Denied::Invalid));
    assert_eq!(table.check(&shared(place, process(1))), Err(Denied::Invalid));
    assert_eq!(table.unlock(&process(1), place), Err(Denied::Invalid));
    table.lock(exclusive(place, by_open(1))).unwrap();
    table.lock(exclusive(place, by_open(2))).unwrap();
    assert!(matches!(table.lock(exclusive(bytes(4, 5), by_open(2))), Err(Denied::Locked(_))));
    table.lock(exclusive(bytes(5, 6), by_open(2))).unwrap();
    table.unlock(&by_open(1), place).unwrap();
    assert_eq!(table.len(), 2);
}

#[test]
fn release_drops_what_is_named_and_no_more() {
    let mut table = LockTable::default();
    let other = LockOwner::new(ClientId::Nfs4(1), b"other").unwrap();
    table.lock(exclusive(bytes(0, 0), process(1))).unwrap();
    table.lock(exclusive(bytes(1, 1), LockHolder::Owner(other.clone()))).unwrap();
    table.lock(exclusive(bytes(2, 2), by_open(1))).unwrap();
    table.lock(exclusive(bytes(3, 3), by_open(2))).unwrap();
    assert_eq!(table.held_by(&owner(1)), 1);
    assert!(table.release_owner(&owner(1)));
    assert_eq!(table.held_by(&owner(1)), 0);
    assert!(!table.release_owner(&owner(1)));
    assert!(table.release_client(ClientId::Nfs4(1)));
    assert_eq!(table.iter().map(|l| l.holder.clone()).collect::<Vec<_>>(), [by_open(2)]);
    assert!(!table.release_client(ClientId::Nfs4(1)));
    assert_eq!((other.client(), other.name()), (ClientId::Nfs4(1), &b"other"[..]));
}

#[test]
fn name_of_an_owner_is_bounded() {
    assert!(LockOwner::new(ClientId::Nfs4(1), &[0; limits::OWNER_BYTES]).is_ok());
    assert_eq!(LockOwner::new(ClientId::Nfs4(1), &[0; limits::OWNER_BYTES + 1]), Err(Denied::Invalid));
}

#[test]
fn locks_of_a_holder_and_of_a_node_are_bounded() {
    let mut table = LockTable::default();
    let apart = |i: usize| bytes(i as u64 * 4, i as u64 * 4 + 2);
    let holders = limits::LOCKS / limits::LOCKS_PER_HOLDER;
    for holder in 0..holders {
        let base = holder * limits::LOCKS_PER_HOLDER;
        for i in base..base + limits::LOCKS_PER_HOLDER {
            table.insert(shared(apart(i), process(holder as u64)));
        }
    }
    assert_eq!(table.len(), limits::LOCKS);
    let more = bytes(1 << 40, 1 << 40);
    assert_eq!(table.lock(shared(more, process(0))), Err(Denied::Limit), "of a holder");
    assert_eq!(table.lock(shared(more, by_open(99))), Err(Denied::Limit), "of the node");
    assert_eq!(table.check(&shared(more, by_open(99))), Err(Denied::Limit));
    assert_eq!(table.unlock(&process(0), bytes(1, 1)), Err(Denied::Limit), "would split a lock");
    table.unlock(&process(0), bytes(0, 0)).unwrap();
    table.lock(shared(bytes(0, 6), process(0))).unwrap();
    assert_eq!(table.len(), limits::LOCKS - 1, "two have become one");
    table.lock(shared(more, by_open(99))).unwrap();
    assert_eq!(table.len(), limits::LOCKS);
}

#[test]
fn errors_have_posix_terms() {
    for (denied, error) in [
        (Denied::Share(OpenToken(1)), FsError::ShareDenied),
        (Denied::Locked(shared(bytes(0, 0), process(1))), FsError::Locked),
        (Denied::NotLocked, FsError::NotFound),
        (Denied::UnknownOpen, FsError::Stale),
        (Denied::TokenInUse, FsError::Exists),
        (Denied::Invalid, FsError::Invalid),
        (Denied::Limit, FsError::NoSpace),
    ] {
        assert_eq!(FsError::from(&denied), error);
    }
}

use rstest::rstest;

use super::*;
use crate::access::AccessMask;

const R: Rights = Rights::READ;
const RH: Rights = Rights::READ.union(Rights::HANDLE);
const RW: Rights = Rights::READ.union(Rights::WRITE);
const RWH: Rights = Rights::all();
const NONE: Rights = Rights::empty();

/// The rights that remain of a lease with R, RH, RW and RWH.
#[rstest]
#[case(&[Trigger::OpenRead, Trigger::OpenWrite, Trigger::Read, Trigger::SetAttributes], [R, RH, R, RH])]
#[case(&[Trigger::OpenSecurity], [R, RH, RW, RWH])]
#[case(&[Trigger::OpenTruncate, Trigger::Write, Trigger::Truncate, Trigger::Lock, Trigger::ChangeEntries], [NONE; 4])]
#[case(&[Trigger::ShareConflict, Trigger::Rename, Trigger::Remove, Trigger::Link], [R, R, RW, RW])]
fn matrix_of_leases(#[case] triggers: &[Trigger], #[case] left: [Rights; 4]) {
    for trigger in triggers {
        assert_eq!([R, RH, RW, RWH].map(|rights| trigger.leaves(LeaseForm::Lease, rights)), left, "{trigger:?}");
    }
}

/// The rights that remain of level II, exclusive and batch.
#[rstest]
#[case(&[Trigger::OpenRead, Trigger::OpenSecurity, Trigger::OpenWrite, Trigger::Read, Trigger::SetAttributes], [R; 3])]
#[case(&[Trigger::OpenTruncate, Trigger::Write, Trigger::Truncate, Trigger::Lock, Trigger::ChangeEntries], [NONE; 3])]
#[case(&[Trigger::ShareConflict, Trigger::Rename, Trigger::Remove, Trigger::Link], [R, RW, R])]
fn matrix_of_oplocks(#[case] triggers: &[Trigger], #[case] left: [Rights; 3]) {
    for trigger in triggers {
        assert_eq!([R, RW, RWH].map(|rights| trigger.leaves(LeaseForm::Oplock, rights)), left, "{trigger:?}");
    }
}

#[test]
fn matrix_of_delegations() {
    for trigger in TRIGGERS {
        let reads = matches!(trigger, Trigger::OpenRead | Trigger::Read);
        let sees_no_content = trigger == Trigger::OpenSecurity;
        let of_reader = if reads || sees_no_content { RH } else { NONE };
        assert_eq!(trigger.leaves(LeaseForm::Delegation, RH), of_reader, "{trigger:?}");
        let of_writer = if sees_no_content { RWH } else { NONE };
        assert_eq!(trigger.leaves(LeaseForm::Delegation, RWH), of_writer, "{trigger:?}");
    }
}

#[rstest]
#[case(AccessMask::READ_ATTRIBUTES | AccessMask::WRITE_ATTRIBUTES | AccessMask::SYNCHRONIZE, None)]
#[case(AccessMask::READ_ACL | AccessMask::SYNCHRONIZE, Some(Trigger::OpenSecurity))]
#[case(AccessMask::READ_DATA, Some(Trigger::OpenRead))]
#[case(AccessMask::READ_NAMED_ATTRS, Some(Trigger::OpenRead))]
#[case(AccessMask::WRITE_ACL, Some(Trigger::OpenRead))]
#[case(AccessMask::DELETE, Some(Trigger::OpenRead))]
#[case(AccessMask::APPEND_DATA | AccessMask::READ_DATA, Some(Trigger::OpenWrite))]
fn opens_take_rights_by_what_they_are_for(#[case] rights: AccessMask, #[case] expected: Option<Trigger>) {
    assert_eq!(Trigger::of_open(rights, false), expected);
    assert_eq!(Trigger::of_open(rights, true), Some(Trigger::OpenTruncate));
}

#[test]
fn open_of_access_rights_breaks_an_oplock_and_no_lease() {
    for (form, is_broken) in [(LeaseForm::Lease, false), (LeaseForm::Oplock, true)] {
        let (mut node, key) = leased(1, form, RWH);
        let other = open(2, ShareAccess::empty());
        let opened = node.open_for(OpenToken(2), other, Some(Trigger::OpenSecurity), DEADLINE);
        let expected = if is_broken { Outcome::MustBreak(vec![broken(key, RWH, R, 2)]) } else { granted() };
        assert_eq!(opened, expected, "{form:?}");
    }
}

/// Held by another, asked for, granted.
#[rstest]
#[case((LeaseForm::Oplock, R), (LeaseForm::Lease, RWH), R)]
#[case((LeaseForm::Lease, RH), (LeaseForm::Oplock, RWH), NONE)]
#[case((LeaseForm::Lease, R), (LeaseForm::Oplock, RWH), R)]
#[case((LeaseForm::Lease, RH), (LeaseForm::Lease, RWH), RH)]
#[case((LeaseForm::Oplock, R), (LeaseForm::Oplock, RWH), R)]
fn handles_of_leases_and_oplocks_exclude_each_other(
    #[case] (held_form, held): (LeaseForm, Rights),
    #[case] (form, wanted): (LeaseForm, Rights),
    #[case] expected: Rights,
) {
    let (mut node, _) = leased(1, held_form, held);
    let key = key(2, form);
    assert_eq!(node.open(OpenToken(2), Open { lease: Some(key), ..open(2, ShareAccess::READ) }, false, 0), granted());
    assert_eq!(node.request_lease(key, wanted).rights, expected);
}

#[test]
fn lease_that_has_something_grows_to_all_that_is_wanted_or_stays() {
    let (mut node, first) = leased(1, LeaseForm::Lease, R);
    let second = key(2, LeaseForm::Lease);
    assert_eq!(
        node.open(OpenToken(2), Open { lease: Some(second), ..open(2, ShareAccess::READ) }, false, 0),
        granted()
    );
    assert_eq!(node.request_lease(second, RW).rights, R, "a new one gets what there is");
    assert_eq!(node.request_lease(first, RWH).rights, R);
    assert_eq!(node.request_lease(first, RH).rights, RH);
}

#[test]
fn matrix_never_gives_and_always_ends() {
    for form in [LeaseForm::Lease, LeaseForm::Oplock, LeaseForm::Delegation] {
        for trigger in TRIGGERS {
            for rights in (0..8).map(Rights::from_bits_truncate) {
                let left = trigger.leaves(form, rights);
                assert!(rights.contains(left));
                assert_eq!(trigger.leaves(form, left), left, "{trigger:?} {form:?} {rights:?}");
                assert!(!trigger.waits(LeaseForm::Lease, NONE));
            }
        }
    }
}

#[rstest]
#[case(LeaseForm::Lease, RWH, RH, RH)]
#[case(LeaseForm::Lease, RW, RH, R)]
#[case(LeaseForm::Lease, Rights::HANDLE, RWH, NONE)]
#[case(LeaseForm::Oplock, RWH, RWH, RWH)]
#[case(LeaseForm::Oplock, RWH, RH, R)]
#[case(LeaseForm::Oplock, RW, NONE, NONE)]
#[case(LeaseForm::Delegation, RWH, RH, NONE)]
#[case(LeaseForm::Delegation, RH, RH, RH)]
fn form_gets_what_it_can_express(
    #[case] form: LeaseForm,
    #[case] wanted: Rights,
    #[case] allowed: Rights,
    #[case] expected: Rights,
) {
    assert_eq!(form.fit(wanted, allowed), expected);
}

fn broken(key: LeaseKey, from: Rights, to: Rights, epoch: u16) -> Break {
    Break { key, from, to, epoch, deadline_ms: Some(DEADLINE) }
}

#[test]
fn other_open_waits_until_dirty_bytes_are_back() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RWH);
    let other = open(2, ShareAccess::READ);
    let expected = vec![broken(key, RWH, RH, 2)];
    assert_eq!(node.open(OpenToken(2), other, false, DEADLINE), Outcome::MustBreak(expected));
    assert_eq!(node.open(OpenToken(2), other, false, 99_999), Outcome::Wait { until_ms: DEADLINE });
    assert_eq!(node.leases().next_deadline_ms(), Some(DEADLINE));
    assert_eq!(node.acknowledge(&key, RWH, DEADLINE), Err(AcknowledgeError::TooMuch));
    assert_eq!(node.acknowledge(&key, RH, DEADLINE), Ok(None));
    assert_eq!(node.acknowledge(&key, RH, DEADLINE), Err(AcknowledgeError::NotBreaking));
    assert_eq!(node.open(OpenToken(2), other, false, DEADLINE), granted());
    assert_eq!(node.leases().find(&key).unwrap().rights, RH);
    assert_eq!(node.leases().next_deadline_ms(), None);
}

#[test]
fn own_operations_take_nothing() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RWH);
    let again = Open { lease: Some(key), ..open(1, ShareAccess::WRITE) };
    assert_eq!(node.open(OpenToken(5), again, true, DEADLINE), granted());
    assert_eq!(node.check(ClientId::Nfs4(1), Some(OpenToken(5)), Operation::Write(bytes(0, 9)), DEADLINE), granted());
    assert_eq!(
        node.lock(exclusive(bytes(0, 0), LockHolder::Open { client: ClientId::Nfs4(1), open: OpenToken(1) }), None, 0),
        lock_granted()
    );
    assert_eq!(node.request_lease(key, RWH).rights, RWH);
}

#[test]
fn holder_of_a_level_ii_oplock_loses_it_by_its_own_write() {
    for (form, rights, is_broken) in
        [(LeaseForm::Oplock, R, true), (LeaseForm::Oplock, RW, false), (LeaseForm::Lease, R, false)]
    {
        let (mut node, key) = leased(1, form, rights);
        let client = ClientId::Nfs4(1);
        let read = node.check(client, Some(OpenToken(1)), Operation::Read(bytes(0, 9)), DEADLINE);
        assert_eq!(read, granted());
        let write = Operation::Write(bytes(0, 9));
        let notified = Break { deadline_ms: None, ..broken(key, R, NONE, 2) };
        let expected = Outcome::Granted(if is_broken { vec![notified] } else { Vec::new() });
        let overwritten = node.clone().check(client, Some(OpenToken(1)), Operation::Overwrite, DEADLINE);
        assert_eq!(overwritten, granted(), "that was the open's");
        assert_eq!(node.check(client, Some(OpenToken(1)), write, DEADLINE), expected, "{form:?} {rights:?}");
        assert_eq!(node.check(client, Some(OpenToken(1)), write, DEADLINE), granted());
    }
}

#[test]
fn open_of_attributes_takes_nothing() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RWH);
    assert_eq!(node.open(OpenToken(2), open(2, ShareAccess::empty()), false, DEADLINE), granted());
    assert_eq!(node.request_lease(key, RWH).rights, RWH);
}

#[test]
fn copies_are_notified_but_not_waited_for() {
    let (mut node, key) = leased(1, LeaseForm::Lease, R);
    let write = Operation::Write(bytes(0, 9));
    let notified = Break { deadline_ms: None, ..broken(key, R, NONE, 2) };
    assert_eq!(node.check(ClientId::Nfs4(9), None, write, DEADLINE), Outcome::Granted(vec![notified]));
    assert_eq!(node.check(ClientId::Nfs4(9), None, write, DEADLINE), granted());
    assert_eq!(node.acknowledge(&key, NONE, DEADLINE), Err(AcknowledgeError::NotBreaking));
    let again = node.request_lease(key, R);
    assert_eq!((again.rights, again.epoch), (R, 3), "the lease keeps its epoch while it is empty");
}

#[test]
fn cached_handle_is_asked_back_while_a_write_goes_on() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RH);
    let write = Operation::Write(bytes(0, 9));
    assert_eq!(node.check(ClientId::Nfs4(9), None, write, DEADLINE), Outcome::Granted(vec![broken(key, RH, NONE, 2)]));
    assert_eq!(node.check(ClientId::Nfs4(9), None, write, DEADLINE), granted());
    let grant = node.request_lease(key, RWH);
    assert_eq!(grant, LeaseGrant { rights: RH, epoch: 2, breaking: true });
    assert_eq!(node.acknowledge(&key, NONE, DEADLINE), Ok(None));
}

#[test]
fn second_break_waits_for_the_first_acknowledgement() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RH);
    assert_eq!(
        node.check(ClientId::Nfs4(9), None, Operation::Rename, 10),
        Outcome::MustBreak(vec![Break { deadline_ms: Some(10), ..broken(key, RH, R, 2) }])
    );
    assert_eq!(node.check(ClientId::Nfs4(9), None, Operation::Write(bytes(0, 0)), 20), Outcome::Wait { until_ms: 10 });
    let further = Break { deadline_ms: None, ..broken(key, R, NONE, 2) };
    assert_eq!(node.acknowledge(&key, R, 30), Ok(Some(further)), "the write is waiting for it");
    assert_eq!(node.check(ClientId::Nfs4(9), None, Operation::Write(bytes(0, 0)), 20), granted());
}

#[test]
fn lease_is_broken_in_steps_to_what_all_who_wait_leave_it() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RWH);
    let other = open(2, ShareAccess::READ);
    assert_eq!(node.open(OpenToken(2), other, false, DEADLINE), Outcome::MustBreak(vec![broken(key, RWH, RH, 2)]));
    assert_eq!(node.open(OpenToken(3), other, true, DEADLINE), Outcome::Wait { until_ms: DEADLINE });
    let later = |from, to, epoch| Break { deadline_ms: Some(DEADLINE + 1), ..broken(key, from, to, epoch) };
    assert_eq!(node.acknowledge(&key, RH, DEADLINE + 1), Ok(Some(later(RH, R, 2))));
    for (token, truncate) in [(2, false), (3, true)] {
        let opened = node.open(OpenToken(token), other, truncate, 99_999);
        assert_eq!(opened, Outcome::Wait { until_ms: DEADLINE + 1 }, "all who open wait to the end");
    }
    let reads = node.check(ClientId::Nfs4(9), None, Operation::Read(bytes(0, 0)), 99_999);
    assert_eq!(reads, granted(), "nobody else waits for more than he needs");
    let last = Break { deadline_ms: None, ..broken(key, R, NONE, 2) };
    assert_eq!(node.acknowledge(&key, R, DEADLINE + 2), Ok(Some(last)));
    assert_eq!(node.open(OpenToken(2), other, false, DEADLINE), granted());
    assert_eq!(node.open(OpenToken(3), other, true, DEADLINE), granted());
}

#[test]
fn oplock_is_not_broken_further_by_its_acknowledgement() {
    let (mut node, key) = leased(1, LeaseForm::Oplock, RWH);
    let other = open(2, ShareAccess::READ);
    assert!(matches!(node.open(OpenToken(2), other, false, DEADLINE), Outcome::MustBreak(_)));
    assert_eq!(node.open(OpenToken(3), other, true, DEADLINE), Outcome::Wait { until_ms: DEADLINE });
    assert_eq!(node.acknowledge(&key, R, DEADLINE), Ok(None));
    let notified = Break { deadline_ms: None, ..broken(key, R, NONE, 3) };
    assert_eq!(node.open(OpenToken(3), other, true, DEADLINE), Outcome::Granted(vec![notified]));
}

#[test]
fn waiting_ends_at_the_first_deadline() {
    let mut table = LeaseTable::default();
    for client in [1, 2] {
        table.grant(key(client, LeaseForm::Delegation), RH);
    }
    let by = Requester { client: ClientId::Nfs4(9), lease: None };
    let only = |client: u64| [key(client, LeaseForm::Delegation)];
    assert_eq!(table.demand_of(Trigger::Write, only(1), 20).wait_until_ms, Some(20));
    assert_eq!(table.demand_of(Trigger::Write, only(2), 10).wait_until_ms, Some(10));
    let both = table.demand(Trigger::Write, &by, 99);
    assert_eq!((both.wait_until_ms, both.breaks), (Some(10), vec![]));
    assert_eq!(table.next_deadline_ms(), Some(10));
    assert_eq!(table.iter().count(), table.len());
}

#[test]
fn rights_are_revoked_by_the_time_of_the_break() {
    let (mut node, key) = leased(1, LeaseForm::Lease, RWH);
    assert_eq!(node.expire(u64::MAX), [], "granted rights do not age");
    assert!(matches!(node.check(ClientId::Nfs4(9), None, Operation::Read(bytes(0, 0)), 500), Outcome::MustBreak(_)));
    assert_eq!(node.expire(499), []);
    assert_eq!(node.expire(500), [key]);
    assert_eq!(node.acknowledge(&key, NONE, DEADLINE), Err(AcknowledgeError::Unknown));
    assert_eq!(node.check(ClientId::Nfs4(9), None, Operation::Read(bytes(0, 0)), 500), granted());
}

#[test]
fn share_mode_of_a_cached_handle_is_asked_back() {
    let key = key(1, LeaseForm::Lease);
    let denying = ShareMode { access: ShareAccess::READ, deny: ShareAccess::WRITE | ShareAccess::DELETE };
    let first = Open { share: denying, lease: Some(key), ..open(1, ShareAccess::READ) };
    for (operation, closes) in [(Some(Operation::Remove), true), (None, true), (None, false)] {
        let mut node = NodeOpens::default();
        assert_eq!(node.open(OpenToken(1), first, false, 0), granted());
        assert_eq!(node.request_lease(key, RH).rights, RH);
        let mut second = || match operation {
            Some(operation) => node.check(ClientId::Nfs4(2), None, operation, DEADLINE),
            None => node.open(OpenToken(2), open(2, ShareAccess::WRITE), false, DEADLINE),
        };
        assert_eq!(second(), Outcome::MustBreak(vec![broken(key, RH, R, 2)]));
        assert_eq!(second(), Outcome::Wait { until_ms: DEADLINE });
        if closes {
            assert!(node.close(OpenToken(1)).unwrap().last);
        } else {
            node.acknowledge(&key, R, DEADLINE).unwrap();
        }
        let answer = match operation {
            Some(operation) => node.check(ClientId::Nfs4(2), None, operation, DEADLINE),
            None => node.open(OpenToken(2), open(2, ShareAccess::WRITE), false, DEADLINE),
        };
        assert_eq!(answer, if closes { granted() } else { Outcome::Denied(Denied::Share(OpenToken(1))) });
    }
}

#[test]
fn handles_are_not_asked_back_where_it_cannot_help() {
    let key = key(1, LeaseForm::Lease);
    let denying = ShareMode { access: ShareAccess::READ, deny: ShareAccess::WRITE };
    let mut node = NodeOpens::default();
    assert_eq!(
        node.open(OpenToken(1), Open { share: denying, lease: Some(key), ..open(1, ShareAccess::READ) }, false, 0),
        granted()
    );
    assert_eq!(node.open(OpenToken(2), Open { share: denying, ..open(2, ShareAccess::READ) }, false, 0), granted());
    assert_eq!(node.request_lease(key, RH).rights, RH);
    let before = node.clone();
    assert_eq!(
        node.open(OpenToken(3), open(3, ShareAccess::WRITE), false, 0),
        Outcome::Denied(Denied::Share(OpenToken(2)))
    );
    assert_eq!(node, before);
}

#[test]
fn delegation_outlives_the_open_and_a_lease_does_not() {
    let (mut node, key) = leased(1, LeaseForm::Delegation, RH);
    assert!(node.close(OpenToken(1)).unwrap().last);
    assert!(!node.is_empty());
    assert!(matches!(node.check(ClientId::Nfs4(2), None, Operation::SetAttributes, 7), Outcome::MustBreak(_)));
    assert_eq!(node.check(ClientId::Nfs4(1), None, Operation::SetAttributes, 7), granted(), "its own client");
    assert!(node.return_lease(&key));
    assert!(!node.return_lease(&key));
    assert!(node.is_empty());

    for form in [LeaseForm::Lease, LeaseForm::Oplock] {
        let (mut node, key) = leased(1, form, RWH);
        assert_eq!(
            node.open(OpenToken(9), Open { lease: Some(key), ..open(1, ShareAccess::READ) }, false, 0),
            granted()
        );
        node.close(OpenToken(1)).unwrap();
        assert_eq!(node.leases().len(), 1, "another open has the key");
        node.close(OpenToken(9)).unwrap();
        assert!(node.is_empty());
    }
}

#[test]
fn acknowledged_to_nothing_is_gone_unless_it_is_a_lease() {
    for form in [LeaseForm::Lease, LeaseForm::Oplock, LeaseForm::Delegation] {
        let (mut node, key) = leased(1, form, RWH);
        assert!(matches!(node.check(ClientId::Nfs4(9), None, Operation::Write(bytes(0, 0)), 7), Outcome::MustBreak(_)));
        assert_eq!(node.acknowledge(&key, NONE, DEADLINE), Ok(None));
        assert_eq!(node.leases().is_empty(), form != LeaseForm::Lease);
    }
}

#[test]
fn rights_are_given_as_others_leave_room() {
    let lease = key(1, LeaseForm::Lease);
    let delegation = key(1, LeaseForm::Delegation);
    let mut node = NodeOpens::default();
    assert_eq!(node.request_lease(lease, RWH).rights, NONE, "no open has the key");
    assert_eq!(node.open(OpenToken(1), Open { lease: Some(lease), ..open(1, ShareAccess::READ) }, false, 0), granted());
    assert_eq!(node.open(OpenToken(2), open(2, ShareAccess::READ), false, 0), granted());
    assert_eq!(node.request_lease(lease, RWH).rights, RH, "another reads");
    assert_eq!(node.request_lease(lease, R).rights, RH, "asking for less gives nothing up");
    assert_eq!(node.request_lease(delegation, RWH).rights, NONE);
    node.close(OpenToken(2)).unwrap();
    let grown = node.request_lease(lease, RWH);
    assert_eq!((grown.rights, grown.epoch), (RWH, 2));
    assert_eq!(node.request_lease(delegation, RH).rights, NONE, "another may write from its cache");
}

#[test]
fn delegation_is_not_given_beside_a_writer_or_a_lock() {
    let delegation = key(1, LeaseForm::Delegation);
    let mut node = NodeOpens::default();
    assert_eq!(node.open(OpenToken(2), open(2, ShareAccess::WRITE), false, 0), granted());
    assert_eq!(node.request_lease(delegation, RH).rights, NONE);
    node.close(OpenToken(2)).unwrap();
    assert_eq!(node.lock(exclusive(bytes(0, 0), process(2)), None, 0), lock_granted());
    assert_eq!(node.request_lease(delegation, RH).rights, NONE);
    assert_eq!(node.release_owner(&owner(2)), []);
    assert_eq!(node.lock(exclusive(bytes(0, 0), process(1)), None, 0), lock_granted());
    assert_eq!(node.request_lease(delegation, RWH).rights, RWH, "its own lock");
}

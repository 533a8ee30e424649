use dittofs_domain::{
    ClientId, NodeId, ShareId,
    opens::{LeaseGrant, Rights},
};
use dittofs_smb_wire::{
    create::{Lease as WireLease, LeaseFlags, LeaseState, LeaseVersion2},
    identifiers::LeaseKey as WireKey,
};

use super::*;

const RH: Rights = Rights::READ.union(Rights::HANDLE);

fn key(form: LeaseForm, id: u128) -> LeaseKey {
    LeaseKey { client: ClientId::Smb(1), form, id }
}

fn node(id: u64) -> NodeRef {
    NodeRef::live(ShareId(1), NodeId(id))
}

/// Of an open whose session is gone.
fn holder(token: u64) -> Holder {
    Holder { token: OpenToken(token), session: Weak::new(), open: Weak::new() }
}

fn taken(epoch: Option<u16>, grant: (Rights, u16)) -> LeaseTaken {
    let id = 0x0102_0304_u128;
    LeaseTaken {
        key: key(LeaseForm::Lease, id),
        asked: WireLease {
            key: WireKey(id.to_be_bytes()),
            state: LeaseState::READ_CACHING,
            flags: LeaseFlags::empty(),
            version_2: epoch.map(|epoch| LeaseVersion2 { parent_key: WireKey([1; 16]), epoch }),
        },
        node: node(5),
        grant: LeaseGrant { rights: grant.0, epoch: grant.1, breaking: false },
    }
}

fn broken(key: LeaseKey, epoch: u16) -> Break {
    Break { key, from: RH, to: Rights::READ, epoch, deadline_ms: Some(1) }
}

fn epoch(given: Option<LeaseGiven>) -> u16 {
    given.unwrap().version_2.unwrap().epoch
}

#[test]
fn lease_is_for_one_file_until_its_last_open_goes() {
    let caching = Caching::default();
    let first = taken(None, (RH, 1));
    assert!(caching.note_lease(&first, holder(1)).is_some());
    assert!(caching.note_lease(&first, holder(2)).is_some());
    let elsewhere = LeaseTaken { node: node(6), ..taken(None, (RH, 1)) };
    assert!(caching.note_lease(&elsewhere, holder(3)).is_none());
    caching.forget(&first.key, OpenToken(1));
    assert_eq!(caching.lease_node(&first.key), Some(node(5)));
    caching.forget(&first.key, OpenToken(2));
    assert_eq!(caching.lease_node(&first.key), None);
    assert!(caching.note_lease(&elsewhere, holder(3)).is_some());
}

#[test]
fn epoch_goes_on_from_that_of_the_client() {
    let caching = Caching::default();
    let lease = |grant| taken(Some(0x4711), grant);
    assert_eq!(epoch(caching.note_lease(&lease((RH, 1)), holder(1))), 0x4712);
    assert_eq!(epoch(caching.note_lease(&lease((RH, 1)), holder(2))), 0x4712);
    let told = caching.tell(&broken(lease((RH, 1)).key, 2));
    assert!(matches!(told, Told::Unreachable(Holder { token: OpenToken(2), .. })), "the newest has no connection");
    assert_eq!(epoch(caching.note_lease(&lease((RH, 3)), holder(3))), 0x4714);
    caching.revoked(&lease((RH, 1)).key);
    assert_eq!(epoch(caching.note_lease(&lease((RH, 1)), holder(4))), 0x4715, "counted anew, and never back");
}

#[test]
fn epoch_of_a_lease_that_was_granted_nothing_is_that_of_a_first_grant() {
    let caching = Caching::default();
    assert_eq!(epoch(caching.note_lease(&taken(Some(u16::MAX), (Rights::empty(), 0)), holder(1))), 0);
    assert_eq!(epoch(caching.note_lease(&taken(Some(7), (RH, 1)), holder(2))), 1);
}

#[test]
fn lease_keeps_its_version_and_its_parent() {
    let caching = Caching::default();
    let first = taken(Some(1), (RH, 1));
    let asked = WireLease { flags: LeaseFlags::PARENT_LEASE_KEY_SET, ..first.asked };
    let given = caching.note_lease(&LeaseTaken { asked, ..first }, holder(1)).unwrap();
    assert_eq!(given.flags, LeaseFlags::PARENT_LEASE_KEY_SET);
    assert_eq!(given.version_2.unwrap().parent_key, WireKey([1; 16]));
    let again = caching.note_lease(&taken(None, (RH, 1)), holder(2)).unwrap();
    assert_eq!(again, given, "a request of version 1 is answered as the lease is");
}

#[test]
fn parent_counts_only_with_its_flag() {
    let caching = Caching::default();
    let given = caching.note_lease(&taken(Some(1), (RH, 1)), holder(1)).unwrap();
    assert_eq!((given.flags, given.version_2.unwrap().parent_key), (LeaseFlags::empty(), WireKey::default()));
}

#[test]
fn breaks_before_their_grant_is_noted_are_kept_while_anybody_opens() {
    let caching = Caching::default();
    let lease = taken(Some(1), (RH, 1));
    let opening = caching.opening();
    assert!(matches!(caching.tell(&broken(lease.key, 2)), Told::Yes));
    assert_eq!(epoch(caching.note_lease(&lease, holder(1))), 2);
    assert_eq!(epoch(caching.note_lease(&taken(None, (RH, 2)), holder(2))), 3, "it has been broken");
    assert!(matches!(caching.tell(&broken(key(LeaseForm::Lease, 99), 2)), Told::Yes));
    let later = caching.opening();
    drop(opening);
    assert_eq!(caching.0.lock().early, [], "who could come for it is gone");
    assert!(matches!(caching.tell(&broken(key(LeaseForm::Lease, 99), 2)), Told::Yes));
    assert_eq!(caching.0.lock().early.len(), 1);
    drop(later);
    assert_eq!(caching.0.lock().early, []);
    assert!(matches!(caching.tell(&broken(key(LeaseForm::Lease, 99), 2)), Told::Yes));
    assert_eq!(caching.0.lock().early, []);
}

#[test]
fn oplock_is_broken_only_once_its_open_is_known() {
    let caching = Caching::default();
    let (oplock, token) = (key(LeaseForm::Oplock, 7), OpenToken(7));
    caching.note_oplock(&oplock, holder(7));
    assert!(matches!(caching.tell(&broken(oplock, 2)), Told::Yes), "kept");
    caching.answered(token);
    assert!(matches!(caching.tell(&broken(oplock, 3)), Told::Unreachable(_)), "sent, but to nobody");
    caching.forget(&oplock, token);
    assert!(matches!(caching.tell(&broken(oplock, 4)), Told::Yes), "there is none any more");
}

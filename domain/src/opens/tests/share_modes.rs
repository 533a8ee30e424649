use super::*;
use crate::opens::share_mode::ShareCounts;

fn all_modes() -> impl Iterator<Item = ShareMode> + Clone {
    (0..64).map(|bits| ShareMode {
        access: ShareAccess::from_bits_truncate(bits & 7),
        deny: ShareAccess::from_bits_truncate(bits >> 3),
    })
}

/// The rule, bit by bit.
fn expected(a: ShareMode, b: ShareMode) -> bool {
    let content = |m: ShareMode| m.access.bits() != 0;
    let denies =
        |m: ShareMode, n: ShareMode| (0..3).any(|i| m.deny.bits() >> i & 1 == 1 && n.access.bits() >> i & 1 == 1);
    content(a) && content(b) && (denies(a, b) || denies(b, a))
}

#[test]
fn two_opens_conflict_where_one_does_what_the_other_denies() {
    for a in all_modes() {
        for b in all_modes() {
            assert_eq!(a.conflicts(b), expected(a, b), "{a:?} {b:?}");
            assert_eq!(a.conflicts(b), b.conflicts(a), "{a:?} {b:?}");
        }
    }
}

#[test]
fn second_open_is_refused_exactly_by_the_matrix() {
    for a in all_modes() {
        for b in all_modes() {
            let mut node = NodeOpens::default();
            let first = Open { share: a, ..open(1, a.access) };
            let second = Open { share: b, ..open(2, b.access) };
            assert_eq!(node.open(OpenToken(1), first, false, 0), granted());
            let outcome = node.open(OpenToken(2), second, false, 0);
            let refused = Outcome::Denied(Denied::Share(OpenToken(1)));
            assert_eq!(outcome, if expected(a, b) { refused } else { granted() }, "{a:?} {b:?}");
        }
    }
}

#[test]
fn counts_never_hide_a_conflict_and_return_to_nothing() {
    for a in all_modes() {
        for b in all_modes() {
            let mut counts = ShareCounts::default();
            counts.add(a);
            assert_eq!(counts.may_conflict(b), expected(a, b), "{a:?} {b:?}");
            counts.add(b);
            counts.remove(a);
            counts.remove(b);
            assert_eq!(counts, ShareCounts::default());
        }
    }
}

#[test]
fn change_of_an_open_meets_others_but_not_itself() {
    let (read, write) = (ShareAccess::READ, ShareAccess::WRITE);
    let mut node = NodeOpens::default();
    let denying = ShareMode { access: read, deny: write };
    assert_eq!(node.open(OpenToken(1), Open { share: denying, ..open(1, read) }, false, 0), granted());
    let own = ShareMode { access: read | write, deny: write };
    assert_eq!(node.change_share(OpenToken(1), own, 0), granted());
    let reader = node.open(OpenToken(2), open(2, read), false, 0);
    assert_eq!(reader, granted());
    let wanted = ShareMode { access: write, deny: ShareAccess::empty() };
    assert_eq!(node.change_share(OpenToken(2), wanted, 0), Outcome::Denied(Denied::Share(OpenToken(1))));
    assert_eq!(node.find(OpenToken(2)).unwrap().share.access, read);
    let downgraded = ShareMode { access: read, deny: ShareAccess::empty() };
    assert_eq!(node.change_share(OpenToken(1), downgraded, 0), granted());
    assert_eq!(node.change_share(OpenToken(2), wanted, 0), granted());
    assert_eq!(node.change_share(OpenToken(3), wanted, 0), Outcome::Denied(Denied::UnknownOpen));
}

#[test]
fn operation_without_an_open_meets_share_modes() {
    let deny_all = ShareMode { access: ShareAccess::READ, deny: ShareAccess::all() };
    let at = bytes(0, 9);
    let refused = Outcome::Denied(Denied::Share(OpenToken(1)));
    for (operation, expected) in [
        (Operation::Read(at), &refused),
        (Operation::Write(at), &refused),
        (Operation::Truncate(at), &refused),
        (Operation::Rename, &refused),
        (Operation::Remove, &refused),
        (Operation::Link, &granted()),
        (Operation::SetAttributes, &granted()),
    ] {
        let mut node = NodeOpens::default();
        assert_eq!(node.check(ClientId::Nfs4(9), None, operation, 0), granted());
        let first = Open { share: deny_all, ..open(1, ShareAccess::READ) };
        assert_eq!(node.open(OpenToken(1), first, false, 0), granted());
        assert_eq!(node.check(ClientId::Nfs4(9), None, operation, 0), *expected, "{operation:?}");
        assert_eq!(node.check(ClientId::Nfs4(9), Some(OpenToken(7)), operation, 0), *expected, "unknown open");
        assert_eq!(node.check(ClientId::Nfs4(1), Some(OpenToken(1)), operation, 0), granted(), "own: {operation:?}");
    }
}

#[test]
fn open_that_was_admitted_to_write_writes_on() {
    let mut node = NodeOpens::default();
    assert_eq!(node.open(OpenToken(1), open(1, ShareAccess::WRITE), false, 0), granted());
    assert_eq!(node.check(ClientId::Nfs4(1), Some(OpenToken(1)), Operation::Write(bytes(0, 0)), 0), granted());
}

/// Whatever the opens of a file's content deny, its streams are held; and a hold denies only deletion.
#[test]
fn a_hold_for_a_stream_is_denied_by_nobody_and_denies_deletion_alone() {
    let hold = |deny| ShareMode { access: ShareAccess::STREAM, deny };
    for access in [ShareAccess::READ, ShareAccess::WRITE, ShareAccess::DELETE, ShareAccess::all()] {
        let all = ShareMode { access, deny: ShareAccess::all() };
        assert!(!hold(ShareAccess::empty()).conflicts(all));
        let mut node = NodeOpens::default();
        let first = Open { share: hold(ShareAccess::DELETE), ..open(1, ShareAccess::empty()) };
        assert_eq!(node.open(OpenToken(1), first, false, 0), granted());
        let conflicts = access.contains(ShareAccess::DELETE);
        let second = node.open(OpenToken(2), Open { share: all, ..open(2, access) }, false, 0);
        assert_eq!(second != granted(), conflicts, "{access:?}");
        assert_eq!(hold(ShareAccess::DELETE).conflicts(all), conflicts);
    }
}

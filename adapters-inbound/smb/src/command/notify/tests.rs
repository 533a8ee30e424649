use dittofs_domain::{Name, watch::ChangeAction};
use dittofs_smb_wire::info::changes::decode_changes;

use super::*;

fn record(action: ChangeAction, names: &[&[u8]]) -> ChangeRecord {
    ChangeRecord { action, path: names.iter().map(|name| Name::new(name).unwrap()).collect(), stream: None }
}

fn listed(done: Done) -> (NtStatus, Vec<(u32, String)>) {
    let Response::Output(output) = done.body else { panic!("{:?}", done.body) };
    (done.status, decode_changes(&output.output).unwrap())
}

#[test]
fn paths_are_shown_as_listings_show_their_names() {
    let records = [
        record(ChangeAction::Added, &[b"d", b"a:b"]),
        record(ChangeAction::Removed, &[b"\xff"]),
        record(ChangeAction::RenamedFrom, &[b"x"]),
    ];
    let reply = WatchReply::Changes(records.to_vec());
    let (status, changes) = listed(answer(reply, 200).unwrap().unwrap());
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(changes, [(1, "d\\a\u{f022}b".into()), (2, "\u{f0ff}".into()), (4, "x".into())]);
}

#[test]
fn what_does_not_fit_is_answered_by_nothing_but_the_advice_to_list_anew() {
    let reply = || WatchReply::Changes(vec![record(ChangeAction::Added, &[b"abc"])]);
    assert_eq!(listed(answer(reply(), 18).unwrap().unwrap()).0, NtStatus::SUCCESS);
    for anew in [answer(reply(), 17), answer(WatchReply::Overflowed, 1_000)] {
        assert_eq!(listed(anew.unwrap().unwrap()), (NtStatus::NOTIFY_ENUM_DIR, Vec::new()));
    }
}

#[test]
fn the_end_of_a_watch_says_why() {
    let status = |reply| answer(reply, 1_000).unwrap().err().unwrap().status;
    assert_eq!(status(WatchReply::Removed), NtStatus::DELETE_PENDING);
    assert_eq!(status(WatchReply::Ended), NtStatus::NOTIFY_CLEANUP);
    assert!(answer(WatchReply::Nothing, 1_000).is_none());
}

#[test]
fn the_kinds_of_changes_have_the_bits_of_the_filter() {
    use dittofs_smb_wire::change_notify::CompletionFilter as Filter;
    let same = [
        (ChangeKinds::FILE_NAME, Filter::FILE_NAME),
        (ChangeKinds::DIRECTORY_NAME, Filter::DIR_NAME),
        (ChangeKinds::ATTRIBUTES, Filter::ATTRIBUTES),
        (ChangeKinds::SIZE, Filter::SIZE),
        (ChangeKinds::LAST_WRITE, Filter::LAST_WRITE),
        (ChangeKinds::LAST_ACCESS, Filter::LAST_ACCESS),
        (ChangeKinds::CREATION, Filter::CREATION),
        (ChangeKinds::EXTENDED_ATTRIBUTES, Filter::EA),
        (ChangeKinds::SECURITY, Filter::SECURITY),
    ];
    for (kinds, filter) in same {
        assert_eq!(kinds.bits(), filter.bits());
    }
}

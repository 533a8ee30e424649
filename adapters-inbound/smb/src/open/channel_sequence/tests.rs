use super::*;

fn sent(sequence: u16) -> Sent {
    Sent { sequence, is_replay: false, changes: true }
}

fn replayed(sequence: u16) -> Sent {
    Sent { is_replay: true, ..sent(sequence) }
}

#[test]
fn older_ones_change_nothing() {
    let open = ChannelSequence::default();
    assert!(open.begin(sent(7)).is_ok());
    assert_eq!(open.begin(sent(6)).err(), Some(NtStatus::FILE_NOT_AVAILABLE));
    let reads = Sent { changes: false, ..sent(6) };
    assert!(matches!(open.begin(reads), Ok(None)));
    assert!(open.begin(sent(7)).is_ok());
}

#[test]
fn sequence_wraps() {
    let open = ChannelSequence::default();
    assert!(open.begin(sent(0x7FFF)).is_ok());
    assert!(open.begin(sent(0xFFFE)).is_ok());
    assert!(open.begin(sent(1)).is_ok());
    assert_eq!(open.begin(sent(0xFFFE)).err(), Some(NtStatus::FILE_NOT_AVAILABLE));
}

#[test]
fn replay_waits_for_what_was_sent_before_the_failure() {
    let open = ChannelSequence::default();
    let first = open.begin(sent(0)).unwrap();
    assert!(open.begin(sent(1)).is_ok(), "new ones go on");
    assert_eq!(open.begin(replayed(1)).err(), Some(NtStatus::FILE_NOT_AVAILABLE));
    drop(first);
    assert!(open.begin(replayed(1)).is_ok());
}

#[test]
fn first_replay_of_a_new_sequence_goes_on() {
    let open = ChannelSequence::default();
    let _first = open.begin(sent(0)).unwrap();
    let replay = open.begin(replayed(1));
    assert!(replay.is_ok());
    assert_eq!(open.begin(replayed(1)).err(), Some(NtStatus::FILE_NOT_AVAILABLE));
}

use super::*;

#[test]
fn an_id_is_read_from_the_text_that_it_is_shown_as() {
    for bits in [0, 1, u64::MAX, 1 << 63, 0x0123_4567_89ab_cdef] {
        let id = BackupId::of_bits(bits);
        assert!(id.number() > 0 && id.number() <= i64::MAX as u64);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(BackupId::stored(id.number()), Some(id));
    }
}

#[test]
fn other_texts_and_numbers_are_no_ids() {
    for text in ["", "1", "0000000000000000", "ffffffffffffffff", "+000000000000001", "00000000000000010"] {
        assert_eq!(text.parse::<BackupId>(), Err(NoBackupId), "{text}");
    }
    assert_eq!(BackupId::stored(0), None);
    assert_eq!(BackupId::stored(1 << 63), None);
}

#[test]
fn no_file_is_the_node_of_pins() {
    assert!(!PINS.is_valid());
}

#[test]
fn an_object_is_pinned_only_while_it_is_live_and_unpinned_whatever_it_is() {
    let (object, backup) = (ObjectId(7), BackupId::of_bits(9));
    let mut plan = Plan::default();
    pin(&mut plan, object, backup);
    assert_eq!(plan.expectations.as_slice(), [Expectation::ObjectState { object, state: ObjectState::Live }]);
    assert_eq!(plan.changes.as_slice(), [Change::InsertReference(Reference::live(object, PINS, 9))]);
    let mut plan = Plan::default();
    unpin(&mut plan, object, backup);
    assert!(plan.expectations.is_empty());
    assert_eq!(plan.changes.as_slice(), [Change::DeleteReference(Reference::live(object, PINS, 9))]);
}

use super::*;

fn sequence(entry: u32, number: u32) -> LockSequence {
    LockSequence::read((entry << 4) | number).unwrap()
}

#[test]
fn entries_are_numbered_from_1_to_64() {
    assert_eq!(LockSequence::read(5), None);
    assert_eq!(LockSequence::read(65 << 4), None);
    assert_eq!(LockSequence::read((64 << 4) | 15), Some(LockSequence { entry: 63, number: 15 }));
    assert_eq!(LockSequence::read(u32::MAX), None);
}

#[test]
fn only_the_last_that_was_carried_out_is_known() {
    let sequences = LockSequences::default();
    assert!(!sequences.is_repeated(sequence(1, 15)), "a new open has carried out none");
    sequences.note(sequence(1, 15));
    assert!(sequences.is_repeated(sequence(1, 15)));
    assert!(!sequences.is_repeated(sequence(2, 15)));
    assert!(!sequences.is_repeated(sequence(1, 3)));
    assert!(!sequences.is_repeated(sequence(1, 15)), "another one came, which failed");
}

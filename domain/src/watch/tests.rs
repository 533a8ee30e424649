use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push(ChangeRecord),
    Overflow,
    Take,
}

fn record() -> impl Strategy<Value = ChangeRecord> {
    let action = prop_oneof![
        1 => Just(ChangeAction::Added),
        1 => Just(ChangeAction::Removed),
        3 => Just(ChangeAction::Modified),
        1 => Just(ChangeAction::RenamedFrom),
        1 => Just(ChangeAction::RenamedTo),
    ];
    let name = prop_oneof![Just("a"), Just("b"), Just("a longer name"), Just("größer")];
    (action, prop::collection::vec(name, 1..4)).prop_map(|(action, names)| record_of(action, &names))
}

fn record_of(action: ChangeAction, names: &[&str]) -> ChangeRecord {
    ChangeRecord { action, path: names.iter().map(|name| Name::new(name.as_bytes()).unwrap()).collect(), stream: None }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![12 => record().prop_map(Step::Push), 1 => Just(Step::Overflow), 3 => Just(Step::Take)]
}

/// The records without those that say again what the one before has said.
fn coalesced(records: &[ChangeRecord]) -> Vec<ChangeRecord> {
    let mut kept: Vec<ChangeRecord> = Vec::new();
    for record in records {
        if record.action != ChangeAction::Modified || kept.last() != Some(record) {
            kept.push(record.clone());
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_watcher_gets_all_changes_in_their_order_or_hears_that_it_does_not(
        steps in prop::collection::vec(step(), 0..200),
        bytes_max in 0..400usize,
    ) {
        let mut buffer = WatchBuffer::new(bytes_max);
        let (mut since, mut lost) = (Vec::new(), false);
        for step in &steps {
            match step {
                Step::Push(record) => {
                    buffer.push(record);
                    since.push(record.clone());
                    let bytes: usize = coalesced(&since).iter().map(ChangeRecord::bytes).sum();
                    lost |= bytes > bytes_max;
                }
                Step::Overflow => {
                    buffer.overflow();
                    lost = true;
                }
                Step::Take => {
                    let expected = match (lost, coalesced(&std::mem::take(&mut since))) {
                        (true, _) => Taken::Overflowed,
                        (false, records) if records.is_empty() => Taken::Nothing,
                        (false, records) => Taken::Changes(records),
                    };
                    prop_assert_eq!(buffer.has_something(), expected != Taken::Nothing);
                    prop_assert_eq!(buffer.take(), expected);
                    lost = false;
                }
            }
            prop_assert!(buffer.bytes() <= bytes_max);
        }
    }

    #[test]
    fn a_record_is_never_longer_than_it_counts_for(record in record()) {
        let text: Vec<String> =
            record.path.iter().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()).collect();
        let units = text.join("\\").encode_utf16().count();
        prop_assert!(12 + 2 * units <= record.bytes());
    }
}

#[test]
fn a_buffer_without_room_has_its_watcher_list_anew_each_time() {
    let mut buffer = WatchBuffer::new(0);
    for _ in 0..2 {
        assert_eq!(buffer.take(), Taken::Nothing);
        buffer.push(&record_of(ChangeAction::Added, &["a"]));
        assert_eq!(buffer.take(), Taken::Overflowed);
    }
}

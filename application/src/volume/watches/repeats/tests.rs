use super::*;

const FILE: NodeId = NodeId(3);
const MS: Duration = Duration::from_millis(1);

#[test]
fn a_write_counts_as_told_until_somebody_takes_it_or_a_moment_has_passed() {
    let repeats = Repeats::default();
    let (write, grow) = (ChangeKinds::LAST_WRITE, ChangeKinds::LAST_WRITE | ChangeKinds::SIZE);
    assert!(!repeats.is_told(FILE, write, (1, MS)));
    repeats.note(FILE, write, (1, MS));
    assert!(repeats.is_told(FILE, write, (1, 2 * MS)));
    assert!(!repeats.is_told(FILE, grow, (1, 2 * MS)), "nobody knows of the size");
    assert!(!repeats.is_told(NodeId(4), write, (1, 2 * MS)));
    assert!(!repeats.is_told(FILE, write, (2, 2 * MS)), "a watcher has taken it, or is new");
    assert!(!repeats.is_told(FILE, write, (1, 101 * MS)));
}

#[test]
fn only_so_many_files_are_remembered() {
    let repeats = Repeats::default();
    for file in 0..=FILES_MAX as u64 {
        repeats.note(NodeId(file), ChangeKinds::SIZE, (1, MS));
    }
    assert!(!repeats.is_told(NodeId(0), ChangeKinds::SIZE, (1, MS)));
    assert!(repeats.is_told(NodeId(FILES_MAX as u64), ChangeKinds::SIZE, (1, MS)));
    assert_eq!(repeats.0.lock().1.len(), 1);
}

use super::*;

const GIB: u64 = 1 << 30;

#[test]
fn a_journal_full_of_single_bytes_has_an_index_that_memory_has_room_for() {
    for (memory, journal) in [(GIB / 4, GIB), (GIB, 4 * GIB), (24 * GIB, 4 * GIB), (GIB, 1 << 50)] {
        let record = record_bytes_in(memory, ByteSize(journal));
        let index = journal / record * VolumeLimits::USUAL.record_bytes;
        assert!(index <= memory / INDEX_PART, "{memory} {journal}: {record}");
    }
    assert_eq!(record_bytes_in(GIB, ByteSize(16 << 20)), VolumeLimits::USUAL.record_bytes);
}

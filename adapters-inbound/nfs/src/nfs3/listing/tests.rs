use super::*;

#[test]
fn no_more_is_read_than_what_a_reply_holds() {
    const MIB: u32 = 1 << 20;
    let entries = |maxcount, dircount| Room::new(maxcount, dircount, ENTRY_PLUS_BYTES_MIN).entries();
    assert_eq!(entries(MIB, 0), 0, "one entry is always read, and here no more");
    assert_eq!(entries(MIB, 240), 10);
    assert_eq!(entries(1600, MIB), 10);
    assert_eq!(entries(MIB, u32::MAX), MIB as usize / ENTRY_PLUS_BYTES_MIN);
    assert_eq!(Room::new(u32::MAX, u32::MAX, ENTRY_BYTES_MIN).entries(), ENTRIES_MAX);
}

#[test]
fn longer_names_leave_room_for_fewer_entries() {
    let mut room = Room::new(ENTRY_PLUS_BYTES_MIN as u32 * 10, u32::MAX, ENTRY_PLUS_BYTES_MIN);
    room.take(b"a");
    assert_eq!(room.entries(), 9);
    room.take(&[b'a'; 255]);
    assert_eq!(room.entries(), 6);
    let mut room = Room::new(u32::MAX, 100, ENTRY_PLUS_BYTES_MIN);
    room.take(&[b'a'; 60]);
    assert_eq!(room.entries(), 0);
}

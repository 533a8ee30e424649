use dittofs_smb_wire::{
    NtStatus, Request,
    identifiers::FileId,
    read::{Channel, ReadFlags, ReadRequest},
};

use super::{FRAME_BYTES, HEAD_BYTES, Room};

fn read(length: u32) -> Result<Request, NtStatus> {
    let file_id = FileId { persistent: 1, volatile: 1 };
    Ok(Request::Read(ReadRequest {
        padding: 80,
        flags: ReadFlags::empty(),
        length,
        offset: 0,
        file_id,
        minimum_count: 0,
        channel: Channel::NONE,
        remaining_bytes: 0,
    }))
}

#[test]
fn answers_that_one_frame_cannot_carry_are_refused_before_they_are_made() {
    let mut room = Room::of(4);
    assert!(room.demand(read(8 << 20)).is_ok());
    room.take((8 << 20) + 80);
    // Two of them are longer than the 24 bits of a frame's length.
    assert_eq!(room.demand(read(8 << 20)).err(), Some(NtStatus::INSUFFICIENT_RESOURCES));
    // What was answered counts, not what was asked for.
    room.take(80);
    assert!(room.demand(read(4 << 20)).is_ok());
}

#[test]
fn each_request_of_a_frame_has_room_for_an_error() {
    let mut room = Room::of(64);
    room.take(FRAME_BYTES);
    assert_eq!(room.demand(read(1)).err(), Some(NtStatus::INSUFFICIENT_RESOURCES));
    let room = Room::of(64);
    assert!(room.left + 64 * HEAD_BYTES <= FRAME_BYTES);
}

#[test]
fn what_is_malformed_stays_it() {
    assert_eq!(Room::of(1).demand(Err(NtStatus::INVALID_PARAMETER)).err(), Some(NtStatus::INVALID_PARAMETER));
}

//! The format does not change.

use dittofs_domain::{Epoch, ownership::Start};

use super::{
    super::{
        format::{Headed, RECORD_HEAD, SEGMENT_HEAD_COPY, SegmentHead, decode_released},
        superblock::Gap,
    },
    *,
};

const SEGMENT_HEX: &str = "44464a5301000000ffeeddccbbaa99887766554433221100050000000000000003000000000000000000000400000000\
    290000000000000021b25d41";
const RECORD_HEX: &str = "44464a52010000000a0000008520ed5f2a000000000000000900000000000000bc020000000000000000000000000000\
    c60200000000000000f1536500000000bc020000000000000300000000000000290000000000000000000000e3f40359";
const COPY_HEX: &str = "44464a52080000000a0000008520ed5f2a000000000000000900000000000000bc020000000000001100000000000000\
    c60200000000000000f1536500000000bc02000000000000030000000000000029000000000000000000000048ac82a0";
const RELEASE_HEX: &str =
    "04000000000000000300000000000000090000000000000001000000000000000b000000000000000200000000000000";
const SUPERBLOCK_HEX: &str = "44464a4201000000ffeeddccbbaa99887766554433221100030000000000000004000000000000001e00000000000000\
    06000000000000002d000000000000002900000000000000010000000000000004000000000000008010000000000000\
    050000000000000000100000000000002a00000000000000a175a90d";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn segment_head() -> SegmentHead {
    SegmentHead { journal: ID, number: 5, incarnation: 3, bytes: 64 << 20, durable: 41 }
}

#[test]
fn heads_of_segments_have_the_documented_bytes() {
    let bytes = segment_head().encode();
    assert_eq!(bytes.len(), 4_096);
    assert_eq!(hex(&bytes[..60]), SEGMENT_HEX);
    assert_eq!(bytes[..60], bytes[SEGMENT_HEAD_COPY..SEGMENT_HEAD_COPY + 60]);
    assert_eq!(SegmentHead::decode(&bytes), Headed::Head(segment_head()));
}

#[test]
fn one_copy_of_a_segments_head_is_enough() {
    let whole = segment_head().encode();
    for spoilt in [0, SEGMENT_HEAD_COPY] {
        let mut bytes = whole.clone();
        bytes[spoilt + 20] ^= 1;
        assert_eq!(SegmentHead::decode(&bytes), Headed::Head(segment_head()));
    }
    assert_eq!(SegmentHead::decode(&whole[..30]), Headed::Bad);
    assert_eq!(SegmentHead::decode(&[0; 4_096]), Headed::Bad);
}

#[test]
fn records_have_the_documented_bytes() {
    let head = RecordHead::of(&write(9, 700, 10)).unwrap();
    let head = RecordHead { sequence: 42, durable: 41, ..head };
    let seed = segment_head().seed();
    let bytes = head.encode(seed);
    assert_eq!(hex(&bytes), RECORD_HEX);
    assert_eq!(RecordHead::decode(&bytes, seed), Some(head));
    assert_eq!(head.span(), 128);
}

#[test]
fn copies_have_the_number_of_their_record_where_others_have_0() {
    let copy = Record { copy_of: Some(Sequence(17)), ..write(9, 700, 10) };
    let head = RecordHead { sequence: 42, durable: 41, ..RecordHead::of(&copy).unwrap() };
    let seed = segment_head().seed();
    let bytes = head.encode(seed);
    assert_eq!(hex(&bytes), COPY_HEX);
    assert_eq!(RecordHead::decode(&bytes, seed), Some(head));
    assert_eq!((head.number(), head.record(copy.data.clone())), (17, Some(copy)));
}

#[test]
fn records_of_another_life_of_a_segment_are_none() {
    let head = RecordHead::of(&write(9, 700, 10)).unwrap();
    let bytes = head.encode(segment_head().seed());
    let others = [
        SegmentHead { journal: JournalId(1), ..segment_head() },
        SegmentHead { number: 6, ..segment_head() },
        SegmentHead { incarnation: 4, ..segment_head() },
    ];
    for other in others {
        assert_eq!(RecordHead::decode(&bytes, other.seed()), None);
    }
    for at in 0..RECORD_HEAD {
        let mut bytes = bytes;
        bytes[at] ^= 0x10;
        assert_eq!(RecordHead::decode(&bytes, segment_head().seed()), None, "byte {at}");
    }
}

#[test]
fn released_numbers_are_runs() {
    let bytes = encode_released(&[4, 5, 6, 9, 11, 12].map(Sequence));
    assert_eq!(hex(&bytes), RELEASE_HEX);
    assert!(decode_released(&bytes).eq([(4, 3), (9, 1), (11, 2)]));
}

#[test]
fn superblocks_have_the_documented_bytes() {
    let superblock = Superblock {
        journal: ID,
        incarnation: 3,
        oldest: 4,
        start: 30,
        prepared: 6,
        next: 45,
        durable: 41,
        gaps: vec![Gap { from: (4, 4_224), to: (5, 4_096), next: 42 }],
        start_noted: None,
    };
    let bytes = superblock.encode();
    assert_eq!(hex(&bytes), SUPERBLOCK_HEX);
    assert_eq!(Superblock::decode(&bytes).unwrap(), superblock);
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(Superblock::decode(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn a_noted_start_stands_behind_everything_else() {
    let start = Start { epoch: Epoch(0x11), nonce: 0x22 };
    let superblock = Superblock { start_noted: Some(start), ..Superblock::new(ID, 1) };
    let bytes = superblock.encode();
    assert!(hex(&bytes[..bytes.len() - 4]).ends_with("11000000000000002200000000000000"));
    assert_eq!(Superblock::decode(&bytes).unwrap(), superblock);
}

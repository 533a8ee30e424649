use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::{
    content::block::{BlockSpec, build},
    id::{NodeId, Sequence},
};

fn block(node: u64, len: usize) -> BuiltBlock {
    let spec = BlockSpec { node: NodeId(node), offset: 0, seq: Sequence(node) };
    build(spec, &[Bytes::from(vec![node as u8; len])]).unwrap()
}

fn object(lens: &[usize]) -> (Vec<u8>, Vec<BlockPlace>) {
    let mut builder = ObjectBuilder::new(ObjectId(0xfeed), ShareId(5), Epoch(6));
    let places = lens.iter().zip(10..).map(|(len, node)| builder.push(block(node, *len))).collect();
    let bytes = builder.bytes();
    assert_eq!(builder.object(), ObjectId(0xfeed));
    let mut all = BytesMut::new();
    builder.finish().iter().for_each(|segment| all.extend_from_slice(segment));
    assert_eq!(all.len() as u64, bytes);
    (all.to_vec(), places)
}

#[test]
fn an_object_is_read_without_metadata() {
    let (bytes, places) = object(&[1, 200_000, 17]);
    let (head, blocks) = scan(&bytes).unwrap();
    assert_eq!((head.object, head.share, head.epoch, head.blocks), (ObjectId(0xfeed), ShareId(5), Epoch(6), 3));
    assert_eq!(
        blocks.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        places.iter().map(|place| place.at).collect::<Vec<_>>()
    );
    for ((at, head), place) in blocks.iter().zip(&places) {
        assert_eq!(at % BLOCK_ALIGNMENT, 0);
        assert_eq!(head.check_place(place), Ok(()));
    }
    assert_eq!(blocks.iter().map(|(_, head)| head.node.0).collect::<Vec<_>>(), vec![10, 11, 12]);
}

#[test]
fn the_format_of_version_2_does_not_change() {
    let (bytes, _) = object(&[]);
    let hex: String = bytes[..56].iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = [
        "44464f4202000000",
        "edfe0000000000000000000000000000",
        "0500000000000000",
        "0600000000000000",
        "4000000000000000",
        "0000000000000000",
    ];
    assert_eq!(hex, fields.concat());
    assert_eq!(scan(&bytes).map(|(_, blocks)| blocks.len()), Ok(0));
}

#[test]
fn a_head_that_no_writer_writes_is_refused() {
    let (bytes, _) = object(&[5]);
    for (at, value, error) in
        [(0, 0, BlockError::Magic), (4, 9, BlockError::Version(9)), (30, 1, BlockError::HeadChecksum)]
    {
        let mut bad = bytes.clone();
        bad[at] = value;
        assert_eq!(ObjectHead::parse(&bad), Err(error));
    }
    for at in [6, 52] {
        let mut bad = bytes.clone();
        bad[at] = 1;
        let checksum = checksum(&bad[..CHECKSUM_AT]);
        bad[CHECKSUM_AT..64].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(ObjectHead::parse(&bad), Err(BlockError::Field("reserved bytes")));
    }
    let mut bad = bytes.clone();
    bad[48] = 2;
    let checksum = checksum(&bad[..CHECKSUM_AT]);
    bad[CHECKSUM_AT..64].copy_from_slice(&checksum.to_le_bytes());
    assert_eq!(scan(&bad), Err(BlockError::Field("number of blocks")));
    assert_eq!(scan(&bytes[..bytes.len() - 1]), Err(BlockError::Field("object length")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn no_bytes_make_the_scan_panic(
        garbage in prop::collection::vec(any::<u8>(), 0..300),
        at in 0usize..1_000,
        flip in 1u8..,
    ) {
        prop_assert!(scan(&garbage).is_err());
        let (mut bytes, _) = object(&[100, 300]);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok((_, blocks)) = scan(&bytes) {
            let is_payload_or_padding = blocks.iter().all(|(start, head)| {
                let start = *start as usize;
                !(start..start + crate::content::block::head_len(head.raw_len) as usize).contains(&at)
            });
            prop_assert!(is_payload_or_padding && at >= 64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// A range is dead exactly where no living block is, and the head never is.
    #[test]
    fn what_is_dead_is_all_but_the_head_and_the_living_blocks(
        blocks in prop::collection::vec((0u64..2_000, 1u32..300), 0..12),
    ) {
        let place = |(at, stored_len): &(u64, u32)| {
            BlockPlace { at: OBJECT_HEAD_LEN + at, stored_len: *stored_len, raw_len: 1, codec: 0, key_id: crate::id::KeyId(0) }
        };
        let blocks: Vec<BlockPlace> = blocks.iter().map(place).collect();
        let bytes = 3_000;
        let dead = dead_ranges(bytes, blocks.iter().copied());
        prop_assert!(dead.windows(2).all(|pair| pair[0].end < pair[1].start) && dead.iter().all(|range| !range.is_empty()));
        for at in 0..bytes {
            let is_dead = dead.iter().any(|range| range.contains(&at));
            let lives = |block: &BlockPlace| (block.at..block.at + u64::from(block.stored_len)).contains(&at);
            prop_assert_eq!(is_dead, at >= OBJECT_HEAD_LEN && !blocks.iter().any(lives), "{}", at);
        }
    }
}

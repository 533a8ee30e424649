use proptest::prelude::*;

use super::*;
use crate::content::{BLOCK_BYTES_MAX, CHUNK_BYTES};

const NODE: NodeId = NodeId(9);

#[test]
fn blocks_end_with_their_region() {
    let block = |offset, len| BlockPlan { node: NODE, offset, len };
    let ranges = [REGION_BYTES - 10..2 * REGION_BYTES + 5, CHUNK_BYTES - 1..CHUNK_BYTES + 1];
    let expected = [
        block(REGION_BYTES - 10, 10),
        block(REGION_BYTES, BLOCK_BYTES_MAX),
        block(2 * REGION_BYTES, 5),
        block(CHUNK_BYTES - 1, 1),
        block(CHUNK_BYTES, 1),
    ];
    assert_eq!(blocks(NODE, &ranges), expected);
}

#[test]
fn nothing_packs_into_nothing() {
    assert_eq!(pack(&[], &Policy::default()), vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn every_block_is_packed_once_and_no_object_is_too_large_or_needlessly_small(
        lens in prop::collection::vec(prop_oneof![Just(BLOCK_BYTES_MAX), 1..=BLOCK_BYTES_MAX, Just(4_096)], 0..700),
    ) {
        let policy = Policy::default();
        let blocks: Vec<_> = lens.iter().map(|len| BlockPlan { node: NODE, offset: 0, len: *len }).collect();
        let objects = pack(&blocks, &policy);
        let packed: Vec<_> = objects.iter().flat_map(|object| object.blocks.clone()).collect();
        prop_assert_eq!(packed, blocks);
        for object in &objects {
            prop_assert!(object.bytes() <= policy.object_bytes_max);
            prop_assert!((1..=policy.object_blocks_max).contains(&object.blocks.len()));
        }
        if let [objects @ .., _] = &objects[..] {
            let is_worth_it = |object: &ObjectPlan| {
                object.bytes() >= policy.object_bytes_min || object.blocks.len() == policy.object_blocks_max
            };
            prop_assert!(objects.iter().all(is_worth_it));
        }
    }
}

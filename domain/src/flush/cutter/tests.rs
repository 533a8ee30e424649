use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    content::slices::{Place, Slice, SliceIndex},
    id::Sequence,
};

const SCALE: Scale = Scale::TINY;
const REGION_BYTES: u64 = SCALE.region_bytes as u64;
const SPAN: u64 = 12 * REGION_BYTES;

#[derive(Clone, Debug)]
struct Write {
    node: u64,
    offset: u64,
    len: u32,
}

fn write() -> impl Strategy<Value = Write> {
    let offset = prop_oneof![0..SPAN, (0..12u64, 0..4u64).prop_map(|(region, at)| region * REGION_BYTES + at)];
    let len = prop_oneof![1u32..10_000, 1u32..3 * REGION_BYTES as u32];
    (0..4u64, offset, len).prop_map(|(node, offset, len)| Write { node, offset, len })
}

/// Files that are flushed while they are written to.
#[derive(Default)]
struct Files {
    indices: BTreeMap<NodeId, SliceIndex>,
    seq: u64,
}

impl Files {
    fn write(&mut self, write: &Write) {
        self.seq += 1;
        let index = self.indices.entry(NodeId(3 + write.node)).or_default();
        index.insert(write.offset, write.len, Sequence(self.seq), Place::default(), 0);
    }

    /// Flushes all files; answers the batches. Whenever something was taken, the next of `meanwhile` is written.
    fn flush(&mut self, policy: &Policy, costs: &[Cost], meanwhile: &[Write]) -> Vec<Vec<(NodeId, u64, Vec<Slice>)>> {
        let mut cutter = Cutter::new(self.indices.keys().copied(), policy, &SCALE);
        let (mut batches, mut batch) = (Vec::new(), Vec::new());
        let (mut costs, mut meanwhile) = (costs.iter().cycle(), meanwhile.iter());
        loop {
            match cutter.step() {
                Step::Take { node, from } => match self.indices[&node].region_from(from, &SCALE) {
                    Some(region) => {
                        cutter.took(region.end, *costs.next().unwrap());
                        batch.push((node, region.start, region.slices));
                    }
                    None => cutter.finished(),
                },
                Step::Put => {
                    cutter.put();
                    batches.push(std::mem::take(&mut batch));
                }
                Step::Done => break,
            }
            if let Some(write) = meanwhile.next() {
                self.write(write);
            }
        }
        batches.push(batch);
        batches
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    (1..5u64, 1..40usize).prop_map(|(regions, blocks)| Policy {
        object_bytes_max: regions * REGION_BYTES,
        object_blocks_max: blocks,
        ..Policy::default()
    })
}

fn cost() -> impl Strategy<Value = Cost> {
    (prop_oneof![Just(REGION_BYTES), 1..=REGION_BYTES, 1..1_000u64], 1..20usize)
        .prop_map(|(bytes, blocks)| Cost { bytes, blocks })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_slice_is_in_one_batch_and_no_region_in_two(
        policy in policy(),
        costs in prop::collection::vec(cost(), 1..8),
        writes in prop::collection::vec(write(), 1..40),
        meanwhile in prop::collection::vec(write(), 0..20),
    ) {
        let mut files = Files::default();
        writes.iter().for_each(|write| files.write(write));
        let before = files.indices.clone();
        let batches = files.flush(&policy, &costs, &meanwhile);

        let mut regions = BTreeSet::new();
        for (node, start, slices) in batches.iter().flatten() {
            prop_assert!(regions.insert((*node, *start)), "{} at {} is taken twice", node, start);
            let end = start + REGION_BYTES;
            prop_assert!(slices.iter().all(|slice| slice.offset >= *start && slice.end() <= end));
        }
        // Every slice that was there before is taken, or a newer record that came over it in the meantime.
        for (node, index) in &before {
            for slice in index.iter() {
                let taken = batches.iter().flatten().filter(|(of, _, _)| of == node);
                let parts = taken.flat_map(|(_, _, slices)| slices).filter_map(|s| s.cut(&(slice.offset..slice.end())));
                let bytes: u64 = parts.filter(|part| part.seq >= slice.seq).map(|part| u64::from(part.len)).sum();
                prop_assert_eq!(bytes, u64::from(slice.len));
            }
        }
    }

    #[test]
    fn a_batch_is_as_full_as_it_may_be_and_no_fuller(
        policy in policy(),
        costs in prop::collection::vec(cost(), 1..8),
        writes in prop::collection::vec(write(), 1..40),
    ) {
        let mut files = Files::default();
        writes.iter().for_each(|write| files.write(write));
        let batches = files.flush(&policy, &costs, &[]);
        let mut next = costs.iter().cycle();
        let costs: Vec<Vec<&Cost>> = batches.iter().map(|batch| next.by_ref().take(batch.len()).collect()).collect();
        for (at, batch) in costs.iter().enumerate() {
            let bytes: u64 = batch.iter().map(|cost| cost.bytes).sum();
            prop_assert!(bytes <= policy.object_bytes_max);
            let but_last: usize = batch.iter().rev().skip(1).map(|cost| cost.blocks).sum();
            prop_assert!(but_last < policy.object_blocks_max);
            let blocks: usize = batch.iter().map(|cost| cost.blocks).sum();
            let is_full = bytes + REGION_BYTES > policy.object_bytes_max || blocks >= policy.object_blocks_max;
            prop_assert!(is_full || at + 1 == costs.len());
        }
    }
}

#[test]
fn nothing_to_flush_is_done_at_once() {
    assert_eq!(Cutter::new([], &Policy::default(), &SCALE).step(), Step::Done);
}

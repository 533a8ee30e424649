//! Reading: on the calling thread what is in memory, the rest on a blocking one.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_ports::FrameKey;

use super::{format, index::Found, segment::Read, state::State};

/// More is not copied on the caller's thread: its other work would wait for too long.
const INLINE_BYTES_MAX: usize = 512 << 10;

pub(super) async fn frames(state: &Arc<State>, keys: &[FrameKey]) -> Vec<Option<Bytes>> {
    let mut frames = vec![None; keys.len()];
    if state.is_off() {
        return frames;
    }
    let mut found = Vec::new();
    {
        let mut index = state.index.lock();
        found.extend(
            keys.iter().enumerate().filter_map(|(at, key)| Some((at, *key, index.find(format::hash_of(key))?))),
        );
    }
    let bytes: usize = found.iter().map(|(_, _, found)| found.row.len as usize).sum();
    if bytes <= INLINE_BYTES_MAX {
        found.retain(|(at, key, found)| match found.segment.read(&found.row, key, true) {
            Read::Frame(frame) => {
                frames[*at] = Some(frame);
                false
            }
            Read::Absent | Read::Damaged | Read::Failed(_) => true,
        });
    }
    if !found.is_empty() {
        let reader = Arc::clone(state);
        let read = tokio::task::spawn_blocking(move || read_all(&reader, found)).await;
        for (at, frame) in read.unwrap_or_default() {
            frames[at] = Some(frame);
        }
    }
    let hits = frames.iter().flatten().count();
    state.hits.add(hits as u64);
    state.misses.add((frames.len() - hits) as u64);
    frames
}

fn read_all(state: &State, wanted: Vec<(usize, FrameKey, Found)>) -> Vec<(usize, Bytes)> {
    let mut frames = Vec::with_capacity(wanted.len());
    for (at, key, found) in wanted {
        match found.segment.read(&found.row, &key, false) {
            Read::Frame(frame) => frames.push((at, frame)),
            Read::Absent | Read::Damaged => {
                state.damaged.count();
                state.index.lock().forget(&found);
            }
            Read::Failed(error) => {
                state.give_up("can't be read", &error);
                break;
            }
        }
    }
    frames
}

//! Which ranges of an object are asked for when some frames of a block are wanted.
//!
//! Behind a network a request costs a round trip whatever it asks for, so that a little more is asked for in one, and
//! what can be asked for side by side is not asked for in turns. On a disk of this machine neither holds.

use std::ops::Range;

use dittofs_domain::content::{
    BlockPlace, FRAME_BYTES,
    block::{BlockHead, CODEC_NONE, frame_count, head_len},
};

/// The cost of a request, as the bytes that are fetched rather than asking twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Blocks up to so many bytes are fetched as a whole where not even the head is known.
    whole_max: u64,
    /// Up to so many bytes that nobody wants are fetched rather than asking twice.
    gap_max: u64,
    /// Whether the head and the frames are asked for at once.
    at_once: bool,
}

impl Reach {
    /// A store behind a network.
    pub(super) const REMOTE: Reach = Reach { whole_max: 256 << 10, gap_max: 128 << 10, at_once: true };
    /// A disk: a small file is one read, and for a gap one more is cheaper.
    pub(super) const LOCAL: Reach = Reach { whole_max: 34 << 10, gap_max: 0, at_once: false };
}

/// A range of a block that is one request, and the frames that are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Get {
    /// Counted from the start of the block.
    pub(super) stored: Range<u64>,
    pub(super) frames: Range<u32>,
}

/// The requests for a head and frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gets {
    /// The head alone, before or beside the rest.
    pub(super) head: bool,
    /// The first of these begins with the head.
    pub(super) begins_with_head: bool,
    pub(super) frames: Vec<Get>,
}

/// Runs of frames, joined where what lies in between is small.
pub(super) fn runs(frames: &[u32], reach: Reach) -> Vec<Range<u32>> {
    let gap_max = (reach.gap_max / u64::from(FRAME_BYTES)) as u32;
    let mut runs = Vec::<Range<u32>>::new();
    for frame in frames {
        match runs.last_mut() {
            Some(run) if frame.saturating_sub(run.end) <= gap_max => run.end = frame + 1,
            _ => runs.push(*frame..frame + 1),
        }
    }
    runs
}

/// Chooses the requests where the head is not known.
pub(super) fn without_head(place: &BlockPlace, frames: &[u32], reach: Reach) -> Gets {
    let all = 0..frame_count(place.raw_len);
    if u64::from(place.stored_len) <= reach.whole_max {
        let whole = Get { stored: 0..u64::from(place.stored_len), frames: all };
        return Gets { head: false, begins_with_head: true, frames: vec![whole] };
    }
    let head_alone = Gets { head: true, begins_with_head: false, frames: Vec::new() };
    let Some(frame_len) = frame_len(place) else { return head_alone };
    let head_len = u64::from(head_len(place.raw_len));
    let start = |frame: u32| head_len + u64::from(frame) * frame_len;
    let mut gets: Vec<Get> = runs(frames, reach)
        .into_iter()
        .map(|run| Get { stored: start(run.start)..start(run.end).min(u64::from(place.stored_len)), frames: run })
        .collect();
    let Some(first) = gets.first_mut() else { return head_alone };
    if first.stored.start - head_len <= reach.gap_max {
        *first = Get { stored: 0..first.stored.end, frames: 0..first.frames.end };
        return Gets { head: false, begins_with_head: true, frames: gets };
    }
    match reach.at_once {
        true => Gets { head: true, begins_with_head: false, frames: gets },
        false => head_alone,
    }
}

/// Chooses the requests where the head is known; none if it has no such frames.
pub(super) fn with_head(head: &BlockHead, frames: &[u32], reach: Reach) -> Option<Vec<Get>> {
    let get = |frames: Range<u32>| {
        let run = head.frames_of(raw_range(&frames, head.raw_len))?;
        Some(Get { stored: run.stored, frames: run.frames })
    };
    runs(frames, reach).into_iter().map(get).collect()
}

/// The bytes of content in some frames of a block.
pub(super) fn raw_range(frames: &Range<u32>, raw_len: u32) -> Range<u32> {
    frames.start.saturating_mul(FRAME_BYTES)..frames.end.saturating_mul(FRAME_BYTES).min(raw_len)
}

/// Stored bytes of each frame but the last, where all are as long as their content, or longer by the same number of
/// bytes (a seal).
fn frame_len(place: &BlockPlace) -> Option<u64> {
    let frames = u64::from(frame_count(place.raw_len));
    let content = u64::from(head_len(place.raw_len)) + u64::from(place.raw_len);
    let more = u64::from(place.stored_len).checked_sub(content)?;
    let is_even = frames > 0 && more % frames == 0;
    (place.codec == CODEC_NONE && is_even).then(|| u64::from(FRAME_BYTES) + more / frames)
}

#[cfg(test)]
mod tests;

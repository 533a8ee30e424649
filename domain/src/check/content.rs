//! Checks whether the bytes of objects are those that were written, and finds which bytes of which file are lost if
//! not.

use std::{collections::BTreeMap, fmt, ops::Range};

use crate::{
    content::{
        BLOCK_BYTES_MAX, BlockPlace, Extent, FRAME_BYTES, MapRow,
        block::{BlockError, BlockHead, FrameSeal, SEAL_BYTES, frame_count, head_len},
        map::{Facts, visible},
    },
    id::{KeyId, ObjectId},
};

/// Bytes of an object that are read at a time: a block is never longer than this, its head and its seals.
const WINDOW_BYTES: u64 = 4 << 20;
/// Bytes between two blocks that are rather read than skipped. Behind a network so little comes in less time than
/// another request takes.
const GAP_BYTES_MAX: u64 = 128 << 10;

/// The damage of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The object is not there, or ends before it.
    Missing,
    /// The content store can't read it.
    Unreadable,
    /// Its bytes are not those that were written.
    Block(BlockError),
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Missing => write!(out, "not there, or too short"),
            Damage::Unreadable => write!(out, "the content store can't read it"),
            Damage::Block(error) => error.fmt(out),
        }
    }
}

/// A block of an object, and which of its frames files use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedBlock {
    /// Where it is.
    pub place: BlockPlace,
    /// Bit n: frame n is used. A block has at most 32.
    pub frames: u128,
}

/// A block with frames that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedBlock {
    /// Where it is.
    pub place: BlockPlace,
    /// Bit n: frame n is lost.
    pub frames: u128,
    /// Why.
    pub damage: Damage,
}

/// The blocks of one object that files use.
#[derive(Clone, Debug, Default)]
pub struct BlockUses(BTreeMap<(u64, u32, u32, u8, KeyId), u128>);

impl BlockUses {
    /// Adds what the rows of a file use of an object.
    pub fn add(&mut self, file: &Facts, rows: &[(u64, MapRow)], object: ObjectId) {
        for (_, extent) in uses_in(file, rows, object) {
            let Extent::Stored { len, from } = extent else { continue };
            let BlockPlace { at, stored_len, raw_len, codec, key_id } = from.block;
            *self.0.entry((at, stored_len, raw_len, codec, key_id)).or_default() |= frames_of(from.skip, len);
        }
    }

    /// Bytes of blocks by the key that seals them, which may be none.
    pub fn bytes_by_key(&self) -> BTreeMap<KeyId, u64> {
        let mut bytes = BTreeMap::new();
        for (_, stored_len, _, _, key_id) in self.0.keys() {
            *bytes.entry(*key_id).or_default() += u64::from(*stored_len);
        }
        bytes
    }

    /// The blocks in the order of their places, in groups that are each read at once.
    pub fn windows(&self) -> Vec<Vec<UsedBlock>> {
        let mut windows: Vec<Vec<UsedBlock>> = Vec::new();
        let (mut start, mut end) = (0, 0);
        for (&(at, stored_len, raw_len, codec, key_id), &frames) in &self.0 {
            let block = UsedBlock { place: BlockPlace { at, stored_len, raw_len, codec, key_id }, frames };
            let block_end = at.saturating_add(u64::from(stored_len));
            let is_near = at <= u64::saturating_add(end, GAP_BYTES_MAX) && block_end.max(end) - start <= WINDOW_BYTES;
            match windows.last_mut() {
                Some(window) if is_near => {
                    window.push(block);
                    end = end.max(block_end);
                }
                _ => {
                    windows.push(vec![block]);
                    (start, end) = (at, block_end);
                }
            }
        }
        windows
    }
}

impl UsedBlock {
    /// Whether a block can be so long. A block that can't is never read.
    pub fn is_possible(&self) -> bool {
        let BlockPlace { stored_len, raw_len, key_id, .. } = self.place;
        if raw_len > BLOCK_BYTES_MAX {
            return false;
        }
        let seals = if key_id.is_none() { 0 } else { SEAL_BYTES * frame_count(raw_len) };
        stored_len <= head_len(raw_len) + raw_len + seals
    }

    /// The part of an object that a window takes.
    pub fn span(window: &[UsedBlock]) -> Range<u64> {
        let start = window.first().map_or(0, |block| block.place.at);
        let ends = window.iter().map(|block| block.place.at.saturating_add(u64::from(block.place.stored_len)));
        start..ends.max().unwrap_or(start)
    }

    /// The whole block as lost.
    pub fn lost(&self, damage: Damage) -> DamagedBlock {
        DamagedBlock { place: self.place, frames: self.frames, damage }
    }
}

/// Checks the stored bytes of a block of an object: its head, and the frames that are used. `opens` says whether a
/// sealed frame opens. It returns true where the key is not known: a missing key does not make a frame damaged.
///
/// # Errors
/// The frames that can't be read, and why.
pub fn verify_block(
    object: ObjectId,
    block: &UsedBlock,
    stored: &[u8],
    opens: impl Fn(&FrameSeal, &[u8]) -> bool,
) -> Result<(), DamagedBlock> {
    let lost = |error| block.lost(Damage::Block(error));
    let head = BlockHead::parse_in(stored, object, block.place.at).map_err(lost)?;
    head.check_place(&block.place).map_err(lost)?;
    let run = head.frames_of(0..head.raw_len).ok_or_else(|| lost(BlockError::Field("raw length")))?;
    let mut damaged: Option<DamagedBlock> = None;
    for frame in head.stored_frames(&run).filter(|frame| block.frames & bit(frame.index) != 0) {
        let bytes = stored.get(frame.stored.start as usize..frame.stored.end as usize).unwrap_or_default();
        let at = block.place.at;
        let is_opened = || head.key_id.is_none() || opens(&head.frame_seal(object, at, frame.index), bytes);
        let verified = head.verify(frame.index, bytes);
        if let Err(error) =
            verified.and_then(|()| if is_opened() { Ok(()) } else { Err(BlockError::Seal(frame.index)) })
        {
            let first = DamagedBlock { frames: 0, ..block.lost(Damage::Block(error)) };
            damaged.get_or_insert(first).frames |= bit(frame.index);
        }
    }
    damaged.map_or(Ok(()), Err)
}

/// The extents of a file that lead to an object, each with its offset in the file: those that are read.
pub fn uses_in<'a>(
    file: &'a Facts,
    rows: &'a [(u64, MapRow)],
    object: ObjectId,
) -> impl Iterator<Item = (u64, Extent)> + 'a {
    let page_bytes = file.scale.page();
    rows.iter().flat_map(move |(page, row)| {
        let start = page.saturating_mul(page_bytes);
        let (extents, shown) = match row {
            MapRow::Page { version, extents } => {
                let shown =
                    visible(*version, *page, file.pending_truncation, page_bytes).min(file.size.saturating_sub(start));
                (extents.as_slice(), shown)
            }
            MapRow::Holes { .. } => (&[][..], 0),
        };
        let mut at = 0;
        extents.iter().filter_map(move |extent| {
            let offset = at;
            at += u64::from(extent.len());
            let is_of_object = matches!(extent, Extent::Stored { from, .. } if from.object == object);
            let left = shown.checked_sub(offset).filter(|left| *left > 0 && is_of_object)?;
            Some((start + offset, extent.slice(0, u32::try_from(left).unwrap_or(u32::MAX))))
        })
    })
}

/// The bytes of a file that are lost with damaged blocks of an object, neighbours joined.
pub fn damaged_ranges(
    file: &Facts,
    rows: &[(u64, MapRow)],
    object: ObjectId,
    damaged: &[DamagedBlock],
) -> Vec<(Range<u64>, Damage)> {
    let mut ranges: Vec<(Range<u64>, Damage)> = Vec::new();
    for (offset, extent) in uses_in(file, rows, object) {
        let Extent::Stored { len, from } = extent else { continue };
        for block in damaged.iter().filter(|block| block.place == from.block) {
            for frame in (0..128).filter(|frame| block.frames & bit(*frame) != 0) {
                let lost = part_in(from.skip, len, frame);
                if lost.is_empty() {
                    continue;
                }
                let range = offset + u64::from(lost.start)..offset + u64::from(lost.end);
                match ranges.last_mut() {
                    Some((last, damage)) if last.end == range.start && is_alike(damage, &block.damage) => {
                        last.end = range.end;
                    }
                    _ => ranges.push((range, block.damage.clone())),
                }
            }
        }
    }
    ranges
}

fn is_alike(one: &Damage, other: &Damage) -> bool {
    let is_frame = |damage: &Damage| matches!(damage, Damage::Block(BlockError::Frame(_) | BlockError::Seal(_)));
    one == other || is_frame(one) && is_frame(other)
}

/// Bytes of an extent that are in a frame of its block.
fn part_in(skip: u32, len: u32, frame: u32) -> Range<u32> {
    let first = frame.saturating_mul(FRAME_BYTES);
    let from = first.max(skip) - skip;
    let to = first.saturating_add(FRAME_BYTES).saturating_sub(skip).min(len);
    from..to.max(from)
}

/// The frames that have bytes of an extent.
fn frames_of(skip: u32, len: u32) -> u128 {
    let last = skip.saturating_add(len.saturating_sub(1)) / FRAME_BYTES;
    (skip / FRAME_BYTES..=last).fold(0, |frames, frame| frames | bit(frame))
}

/// A block has at most 128 frames; what is behind them is outside every block, and so found by its head.
fn bit(frame: u32) -> u128 {
    1u128.checked_shl(frame).unwrap_or(1 << 127)
}

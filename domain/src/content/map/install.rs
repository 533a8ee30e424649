//! Putting flushed bytes into a map.

use std::ops::Range;

use super::{Edit, Facts, MapError, Piece, rows::Rows};
use crate::{
    content::{FILE_BYTES_MAX, MapRow},
    id::NodeId,
    plan::{Change, MapQuery, MapView},
    scale::Scale,
};

/// Chunks that the pieces of one install span at most. 512 MiB of a file: with fewer, scattered writes would be
/// published in more plans, with more the rows of a plan would not be bounded well.
pub const INSTALL_CHUNKS_MAX: u64 = 8;

/// The outcome of an install.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The changes.
    pub edit: Edit,
    /// Pages that now have more extents than the scale lets a page have: the flush policy was not followed, and their
    /// region should be rewritten soon. The edit is right all the same.
    pub crowded: Vec<u64>,
}

/// Groups pieces that don't overlap so that the rows which one install must see are bounded: each group spans at most
/// [`INSTALL_CHUNKS_MAX`] chunks and becomes a plan of its own, in the order of offsets. The new size of each but the
/// last is its own end, or the size as stored if that is greater.
pub fn batches(mut pieces: Vec<Piece>, scale: &Scale) -> Vec<Vec<Piece>> {
    pieces.sort_by_key(|piece| piece.offset);
    let mut out: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        let last = scale.chunk_of(scale.page_of(piece.end().saturating_sub(1)));
        let fits = |batch: &Vec<Piece>| {
            batch.first().is_some_and(|first| last < scale.chunk_of(scale.page_of(first.offset)) + INSTALL_CHUNKS_MAX)
        };
        match out.last_mut() {
            Some(batch) if fits(batch) => batch.push(piece),
            _ => out.push(vec![piece]),
        }
    }
    out
}

/// Whether pieces, in order, go into one plan.
pub fn is_one_install(pieces: &[Piece], scale: &Scale) -> bool {
    let chunk = |offset: u64| scale.chunk_of(scale.page_of(offset));
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return true };
    chunk(last.end().saturating_sub(1)) < chunk(first.offset) + INSTALL_CHUNKS_MAX
}

/// Cuts pieces off behind the last byte of theirs that was written, unless the file, of this size, is longer. `ranges`
/// are those that were written, in order. A block may go on with a hole before bytes that are published later: a crash
/// in between would leave a size that nobody gave the file.
pub fn cut_behind_written(pieces: Vec<Piece>, ranges: &[Range<u64>], size: u64) -> Vec<Piece> {
    let end = pieces.iter().map(Piece::end).max().unwrap_or(0);
    let last = ranges.iter().rev().find(|range| range.start < end).map_or(0, |range| range.end.min(end));
    if end <= last.max(size) {
        return pieces;
    }
    pieces.iter().filter_map(|piece| piece.cut(&(0..last.max(size)))).collect()
}

/// Which rows [`install`] needs: all of every chunk that a piece touches.
pub fn install_query(node: NodeId, pieces: &[Piece], scale: &Scale) -> MapQuery {
    let start = pieces.iter().map(|piece| piece.offset).min().unwrap_or(0);
    let end = pieces.iter().map(Piece::end).max().unwrap_or(0).max(start + 1);
    let first_page = scale.chunk_start(scale.page_of(start));
    let last_page = scale.chunk_end(scale.page_of(end - 1)) - 1;
    let rows_max = (last_page - first_page + 2).min((INSTALL_CHUNKS_MAX + 2) * scale.chunk_pages()) as usize;
    MapQuery { node, first_page, last_page, rows_max }
}

/// Lays pieces over a file's map, later ones over earlier ones. `new_size` is the file's size afterwards: at least the
/// size as stored, and at least the end of each piece; what lies between the old end and the pieces becomes a hole.
/// Rows are stamped with the content version of `facts`.
///
/// # Errors
/// `BadPiece`; `Incomplete` if the view lacks rows; `Uncovered` or `Malformed` where the map is damaged.
pub fn install(view: &MapView, facts: &Facts, pieces: &[Piece], new_size: u64) -> Result<Installed, MapError> {
    if let Some(bad) = pieces.iter().find(|piece| !piece.is_valid() || piece.end() > new_size) {
        return Err(MapError::BadPiece { offset: bad.offset });
    }
    if new_size < facts.size || new_size > FILE_BYTES_MAX {
        return Err(MapError::BadPiece { offset: new_size });
    }
    let mut rows = Rows::new(view, facts, facts.content_version);
    rows.grow_to(facts.scale.pages_of(new_size));
    for piece in pieces {
        rows.write(piece)?;
    }
    let mut edit = rows.finish()?;
    edit.size = (new_size != facts.size).then_some(new_size);
    let crowded = crowded_pages(&edit, facts.scale.page_extents as usize);
    Ok(Installed { edit, crowded })
}

fn crowded_pages(edit: &Edit, extents_max: usize) -> Vec<u64> {
    let is_crowded = |change: &Change| match change {
        Change::PutRow { page, row: MapRow::Page { extents, .. }, .. } => {
            (extents.len() > extents_max).then_some(*page)
        }
        _ => None,
    };
    edit.changes.iter().filter_map(is_crowded).collect()
}

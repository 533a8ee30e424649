//! What a clone takes of its source: extents, not bytes.

use std::ops::Range;

use super::{Facts, MapError, Piece, Source, read::resolve_known};
use crate::{
    content::PAGE_BYTES,
    id::NodeId,
    plan::{MapQuery, MapView},
};

/// Rows of the source that one plan takes: 2 GiB of a dense file.
pub const CLONE_ROWS_MAX: usize = 2_048;
/// Pieces that one plan takes.
const PIECES_MAX: usize = 4_096;

/// Which rows of the source [`clone_pieces`] needs for a range, or for the start of it.
pub fn clone_query(source: NodeId, range: &Range<u64>) -> MapQuery {
    let last_page = range.end.saturating_sub(1).max(range.start) / PAGE_BYTES;
    MapQuery { node: source, first_page: range.start / PAGE_BYTES, last_page, rows_max: CLONE_ROWS_MAX }
}

/// The pieces of a range of a file, moved to `to`, as far as the view goes and one plan may. Behind the stored size the
/// source is a hole.
///
/// # Errors
/// `Uncovered` or `Malformed` where the map is damaged, `Incomplete` where the view has not even the first page.
pub fn clone_pieces(view: &MapView, source: &Facts, range: Range<u64>, to: u64) -> Result<Vec<Piece>, MapError> {
    let (mut pieces, known) = resolve_known(view, source.clip, source.size, range.clone())?;
    let end = pieces.last().map_or(range.start, Piece::end);
    if end < known {
        pieces.push(Piece { offset: end, len: known - end, source: Source::Hole });
    }
    pieces.truncate(PIECES_MAX);
    for piece in &mut pieces {
        piece.offset = piece.offset - range.start + to;
    }
    Ok(pieces)
}

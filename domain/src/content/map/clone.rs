//! The pieces that a clone takes from its source: extents, not bytes.

use std::ops::Range;

use super::{Facts, MapError, Piece, Source, read::resolve_known};
use crate::{
    id::NodeId,
    plan::{MapQuery, MapView},
    scale::Scale,
};

/// Which rows of the source [`clone_pieces`] needs for a range, or for the start of it.
pub fn clone_query(source: NodeId, range: &Range<u64>, scale: &Scale) -> MapQuery {
    let last_page = scale.page_of(range.end.saturating_sub(1).max(range.start));
    MapQuery { node: source, first_page: scale.page_of(range.start), last_page, rows_max: scale.plan_rows as usize }
}

/// The pieces of a range of a file, moved to `to`, as far as the view goes and one plan may. Behind the stored size the
/// source is a hole.
///
/// # Errors
/// `Uncovered` or `Malformed` where the map is damaged, `Incomplete` where the view has not even the first page.
pub fn clone_pieces(view: &MapView, source: &Facts, range: Range<u64>, to: u64) -> Result<Vec<Piece>, MapError> {
    let (mut pieces, known) = resolve_known(view, source, range.clone())?;
    let end = pieces.last().map_or(range.start, Piece::end);
    if end < known {
        pieces.push(Piece { offset: end, len: known - end, source: Source::Hole });
    }
    // More would not fit into the plan in which they are put.
    pieces.truncate(source.scale.plan_steps as usize);
    for piece in &mut pieces {
        piece.offset = piece.offset - range.start + to;
    }
    Ok(pieces)
}

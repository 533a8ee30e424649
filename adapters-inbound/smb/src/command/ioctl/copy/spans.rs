//! Ranges of two files that belong together.

use dittofs_smb_wire::control::Chunk;

/// A range of the source, and where it goes in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) source: u64,
    pub(super) target: u64,
    pub(super) length: u64,
}

impl From<&Chunk> for Span {
    fn from(chunk: &Chunk) -> Span {
        Span { source: chunk.source_offset, target: chunk.target_offset, length: u64::from(chunk.length) }
    }
}

impl Span {
    /// The first byte of the source behind; none where no number is great enough.
    pub(super) fn source_end(self) -> Option<u64> {
        self.source.checked_add(self.length)
    }

    /// The same in the target.
    pub(super) fn target_end(self) -> Option<u64> {
        self.target.checked_add(self.length)
    }

    /// Whether its ranges have a byte in common, if both are of one file.
    pub(super) fn overlaps(self) -> bool {
        self.source.abs_diff(self.target) < self.length
    }

    /// Its parts in an order in which no byte is overwritten before it was read, if both ranges are of one file.
    pub(super) fn pieces(self, bytes_max: u32) -> impl Iterator<Item = Span> {
        let step = u64::from(bytes_max.max(1));
        let count = self.length.div_ceil(step);
        let is_upwards = self.target > self.source;
        (0..count).map(move |index| {
            let start = step * if is_upwards { count - 1 - index } else { index };
            let length = step.min(self.length - start);
            Span { source: self.source + start, target: self.target + start, length }
        })
    }
}

/// The chunks at the start of which each goes on where the one before ends, in both files: as one span, and how many
/// they are. None without chunks.
pub(super) fn first_run(chunks: &[Chunk], count_max: usize) -> Option<(Span, usize)> {
    let mut chunks = chunks.iter().take(count_max).map(Span::from);
    let mut run = chunks.next()?;
    let mut count = 1;
    for next in chunks {
        if run.source_end() != Some(next.source) || run.target_end() != Some(next.target) {
            break;
        }
        run.length += next.length;
        count += 1;
    }
    Some((run, count))
}

#[cfg(test)]
mod tests;

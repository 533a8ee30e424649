//! A file as the list of everything that was done to it: a byte is what the last of them says.

use dittofs_domain::content::map::{Piece, Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Byte {
    Zero,
    /// The n-th byte of an object's payload.
    Of(u128, u64),
    Inline(u8),
}

enum Event {
    Wrote { object: Option<u128>, byte: u8, start: u64, end: u64 },
    Zeroed { start: u64, end: u64 },
}

#[derive(Default)]
pub(crate) struct Model {
    events: Vec<Event>,
    pub(crate) size: u64,
}

impl Model {
    pub(crate) fn write(&mut self, piece: &Piece) {
        let (start, end) = (piece.offset, piece.end());
        self.events.push(match &piece.source {
            Source::Stored(from) => Event::Wrote { object: Some(from.object.0), byte: 0, start, end },
            Source::Inline(bytes) => Event::Wrote { object: None, byte: bytes[0], start, end },
            Source::Hole => Event::Zeroed { start, end },
        });
        self.size = self.size.max(end);
    }

    pub(crate) fn truncate(&mut self, size: u64) {
        self.events.push(Event::Zeroed { start: size, end: u64::MAX });
        self.size = size;
    }

    pub(crate) fn punch(&mut self, start: u64, end: u64) {
        self.events.push(Event::Zeroed { start, end });
    }

    pub(crate) fn byte(&self, at: u64) -> Byte {
        for event in self.events.iter().rev() {
            match event {
                Event::Wrote { object, byte, start, end } if (*start..*end).contains(&at) => {
                    return object.map_or(Byte::Inline(*byte), |object| Byte::Of(object, at - start));
                }
                Event::Zeroed { start, end } if (*start..*end).contains(&at) => return Byte::Zero,
                _ => {}
            }
        }
        Byte::Zero
    }

    /// The ends of everything: between two of them nothing changes.
    pub(crate) fn edges(&self) -> Vec<u64> {
        let mut edges = vec![0, self.size];
        for event in &self.events {
            let (Event::Wrote { start, end, .. } | Event::Zeroed { start, end }) = event;
            edges.extend([*start, *end]);
        }
        edges.retain(|edge| *edge <= self.size);
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

pub(crate) fn byte_of(piece: &Piece, at: u64) -> Byte {
    let skip = at - piece.offset;
    match &piece.source {
        Source::Hole => Byte::Zero,
        Source::Inline(bytes) => Byte::Inline(bytes[skip as usize]),
        Source::Stored(from) => Byte::Of(from.object.0, u64::from(from.skip) + skip),
    }
}

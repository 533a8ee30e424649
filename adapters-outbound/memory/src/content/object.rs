//! One object: the parts that it was put as.

use std::ops::Range;

use bytes::Bytes;

/// The bytes that are read of a part that is gone.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    parts: Vec<Part>,
}

/// A part; none is empty.
#[derive(Clone, Debug)]
struct Part {
    /// The offset at which it ends.
    end: u64,
    len: u64,
    /// None: its memory was given back.
    bytes: Option<Bytes>,
}

impl Part {
    fn start(&self) -> u64 {
        self.end - self.len
    }

    /// A range of it that is not empty.
    fn slices(&self, range: Range<u64>) -> Vec<Bytes> {
        let (start, end) = (range.start as usize, range.end as usize);
        match &self.bytes {
            Some(bytes) => vec![bytes.slice(start..end)],
            None => ZEROS.chunks(ZEROS.len()).cycle().scan(end - start, zeros).collect(),
        }
    }
}

/// Some of the zeros that are left to give.
fn zeros(left: &mut usize, some: &'static [u8]) -> Option<Bytes> {
    let given = some.get(..(*left).min(some.len())).filter(|given| !given.is_empty())?;
    *left -= given.len();
    Some(Bytes::from_static(given))
}

impl Object {
    pub(super) fn new(parts: Vec<Bytes>) -> Object {
        let mut end = 0;
        let parts = parts.into_iter().filter(|part| !part.is_empty()).map(|part| {
            let len = part.len() as u64;
            end += len;
            Part { end, len, bytes: Some(part) }
        });
        Object { parts: parts.collect() }
    }

    pub(super) fn len(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end)
    }

    /// Bytes that it takes in memory.
    pub(super) fn resident(&self) -> u64 {
        self.parts.iter().filter(|part| part.bytes.is_some()).map(|part| part.len).sum()
    }

    /// The same object without the parts that lie in ranges that nobody needs, and how many bytes these were.
    pub(super) fn without(&self, dead: &[Range<u64>]) -> (Object, u64) {
        let mut parts = self.parts.clone();
        for part in &mut parts {
            if dead.iter().any(|range| range.start <= part.start() && part.end <= range.end) {
                part.bytes = None;
            }
        }
        let after = Object { parts };
        let given_back = self.resident() - after.resident();
        (after, given_back)
    }

    /// A range, as slices of the parts; none if it is empty or the object does not reach that far.
    pub(super) fn range(&self, range: Range<u64>) -> Option<Vec<Bytes>> {
        if range.start >= range.end || range.end > self.len() {
            return None;
        }
        let first = self.parts.partition_point(|part| part.end <= range.start);
        let slices = self.parts.get(first..)?.iter().take_while(|part| part.start() < range.end).flat_map(|part| {
            let from = range.start.saturating_sub(part.start());
            part.slices(from..(range.end - part.start()).min(part.len))
        });
        Some(slices.collect())
    }

    /// Whether two objects hold the same, however it is divided into parts.
    pub(super) fn same_bytes(&self, other: &Object) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let all = |object: &Object| object.range(0..object.len()).unwrap_or_default();
        let (ours, theirs) = (all(self), all(other));
        ours.iter().flatten().eq(theirs.iter().flatten())
    }
}

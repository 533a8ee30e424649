use crate::{Encode, Encoder};

/// A value-follows list that is written entry by entry, up to a number of bytes: the body of READDIR and its kin.
///
/// The terminator and the flag behind it (`eof`) are part of the limit.
#[derive(Debug)]
pub struct BoundedList<'e> {
    encoder: &'e mut Encoder,
    bytes_left: usize,
    entries: usize,
}

/// The `false` that ends the list, and `eof`.
const END_BYTES: usize = 8;

impl<'e> BoundedList<'e> {
    /// A list of at most `bytes_max` bytes, its end included.
    pub fn new(encoder: &'e mut Encoder, bytes_max: usize) -> Self {
        Self { encoder, bytes_left: bytes_max.saturating_sub(END_BYTES), entries: 0 }
    }

    /// Appends an entry if it fits; otherwise nothing of it stays, and the answer is `false`.
    pub fn try_push(&mut self, entry: &impl Encode) -> bool {
        let before = self.encoder.len();
        let fits = self.encoder.attempt(self.bytes_left, |encoder| {
            encoder.put_bool(true);
            entry.encode(encoder);
        });
        if fits {
            self.bytes_left -= self.encoder.len() - before;
            self.entries += 1;
        }
        fits
    }

    /// The number of entries written.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The number of bytes that further entries may take.
    pub fn bytes_left(&self) -> usize {
        self.bytes_left
    }

    /// Ends the list; `eof` says that the directory ends with it too.
    pub fn finish(self, eof: bool) {
        self.encoder.put_bool(false);
        self.encoder.put_bool(eof);
    }
}

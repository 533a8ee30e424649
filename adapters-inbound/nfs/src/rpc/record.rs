use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

/// Takes records out of a stream (record marking, RFC 5531 section 11).
///
/// A record in one fragment, as all common clients send it, is cut out of the input without a copy. Several fragments are joined in
/// a buffer that grows as their bytes arrive, never by what a header promises.
#[derive(Debug)]
pub struct RecordReader {
    record_bytes_max: usize,
    joined: BytesMut,
    fragments: usize,
    /// Fragments of it without a byte.
    empty: usize,
    /// The fragment of a longer record whose bytes are arriving.
    open: Option<Fragment>,
}

/// Why a stream can't be read on. The connection has to be closed: what follows can't be distinguished from garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordError {
    /// A record is longer than the limit.
    #[error("a record is longer than the limit")]
    TooLong,
    /// A record has more empty fragments than it may have bytes.
    #[error("a record has too many empty fragments")]
    TooManyFragments,
}

#[derive(Debug, Clone, Copy)]
struct Fragment {
    bytes_left: usize,
    last: bool,
}

const MARK_BYTES: usize = 4;
const LAST_FRAGMENT: u32 = 1 << 31;
impl RecordReader {
    /// A reader that refuses records of more than `record_bytes_max` bytes.
    pub fn new(record_bytes_max: usize) -> Self {
        Self { record_bytes_max, joined: BytesMut::new(), fragments: 0, empty: 0, open: None }
    }

    /// Takes the next complete record from the front of `input`; `None` when more bytes have to arrive first.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, RecordError> {
        loop {
            if let Some(fragment) = self.open {
                match self.join(fragment, input) {
                    Joined::Record(record) => return Ok(Some(record)),
                    Joined::Fragment => continue,
                    Joined::Incomplete => return Ok(None),
                }
            }
            let Some(fragment) = self.header(input)? else { return Ok(None) };
            if fragment.last && self.fragments == 0 {
                let end = MARK_BYTES + fragment.bytes_left;
                if input.len() < end {
                    return Ok(None);
                }
                input.advance(MARK_BYTES);
                return Ok(Some(input.split_to(fragment.bytes_left).freeze()));
            }
            self.fragments += 1;
            // A record may come in any number of fragments. Those of no bytes are bounded as if they had some, so that a record of
            // nothing can't go on for ever.
            self.empty += usize::from(fragment.bytes_left == 0 && !fragment.last);
            if self.empty > self.record_bytes_max {
                return Err(RecordError::TooManyFragments);
            }
            input.advance(MARK_BYTES);
            self.open = Some(fragment);
        }
    }

    /// The length, mark included, of the incomplete record at the front of `input`, if it comes in one fragment.
    pub fn whole_record_bytes(&self, input: &[u8]) -> Option<usize> {
        if self.fragments > 0 {
            return None;
        }
        let fragment = self.header(input).ok()??;
        fragment.last.then_some(MARK_BYTES + fragment.bytes_left)
    }

    /// The bytes of a record in several fragments that have been joined so far.
    pub fn joined_bytes(&self) -> usize {
        self.joined.len()
    }

    /// Whether a record has begun and not ended.
    pub fn is_inside_record(&self, input: &[u8]) -> bool {
        self.fragments > 0 || !input.is_empty()
    }

    fn header(&self, input: &[u8]) -> Result<Option<Fragment>, RecordError> {
        let Some(mark) = input.first_chunk::<MARK_BYTES>() else { return Ok(None) };
        let mark = u32::from_be_bytes(*mark);
        let bytes = usize::try_from(mark & !LAST_FRAGMENT).map_err(|_| RecordError::TooLong)?;
        if bytes > self.record_bytes_max.saturating_sub(self.joined.len()) {
            return Err(RecordError::TooLong);
        }
        Ok(Some(Fragment { bytes_left: bytes, last: mark & LAST_FRAGMENT != 0 }))
    }

    fn join(&mut self, fragment: Fragment, input: &mut BytesMut) -> Joined {
        let bytes = fragment.bytes_left.min(input.len());
        self.joined.extend_from_slice(&input.split_to(bytes));
        let bytes_left = fragment.bytes_left - bytes;
        if bytes_left > 0 {
            self.open = Some(Fragment { bytes_left, ..fragment });
            return Joined::Incomplete;
        }
        self.open = None;
        if !fragment.last {
            return Joined::Fragment;
        }
        (self.fragments, self.empty) = (0, 0);
        Joined::Record(std::mem::take(&mut self.joined).freeze())
    }
}

enum Joined {
    Record(Bytes),
    Fragment,
    Incomplete,
}

use bytes::{BufMut, Bytes, BytesMut};

/// Opaque data of at least so many bytes are spliced into the message as a segment of their own; shorter ones are copied, since a
/// segment costs more than so small a copy.
pub const SPLICE_BYTES_MIN: usize = 2048;

/// A message under construction: a list of segments.
///
/// Everything small goes into one buffer; payloads are spliced in without a copy, and what follows them goes into another buffer.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The first buffer, once a payload has been spliced behind it. It stays writable for the header's sake.
    head: Option<BytesMut>,
    middle: Vec<Bytes>,
    current: BytesMut,
    /// The bytes in `head` and `middle`.
    bytes_before: usize,
    copy_only: bool,
}

/// A finished message: its first segment, still writable so that a header can be patched, and the others.
#[derive(Debug)]
pub struct Encoded {
    /// The first segment.
    pub head: BytesMut,
    /// The segments behind it, in order; none is empty.
    pub rest: Vec<Bytes>,
}

impl Encoder {
    /// An encoder whose first segment has room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { current: BytesMut::with_capacity(capacity), ..Self::default() }
    }

    /// The number of bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes_before + self.current.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `bytes` more bytes at once.
    pub fn reserve(&mut self, bytes: usize) {
        self.current.reserve(bytes);
    }

    /// Appends an unsigned integer.
    #[inline]
    pub fn put_u32(&mut self, value: u32) {
        self.current.put_u32(value);
    }

    /// Appends an unsigned hyper integer.
    #[inline]
    pub fn put_u64(&mut self, value: u64) {
        self.current.put_u64(value);
    }

    /// Appends a boolean.
    #[inline]
    pub fn put_bool(&mut self, value: bool) {
        self.put_u32(u32::from(value));
    }

    /// Appends `N` unsigned integers in one step: the fast way to write a structure of fixed size.
    #[inline]
    pub fn put_words<const N: usize>(&mut self, words: [u32; N]) {
        self.current.extend_from_slice(words.map(u32::to_be_bytes).as_flattened());
    }

    /// Appends fixed-length opaque data with their padding.
    #[inline]
    pub fn put_fixed(&mut self, bytes: &[u8]) {
        self.current.extend_from_slice(bytes);
        self.put_padding(bytes.len());
    }

    /// Appends variable-length opaque data by copying them.
    #[inline]
    pub fn put_opaque(&mut self, bytes: &[u8]) {
        self.put_length(bytes.len());
        self.put_fixed(bytes);
    }

    /// Appends variable-length opaque data; long ones are spliced.
    pub fn put_opaque_bytes(&mut self, bytes: &Bytes) {
        self.put_length(bytes.len());
        self.put_segment(bytes);
        self.put_padding(bytes.len());
    }

    /// Appends one opaque item that is the concatenation of `segments`; long ones are spliced.
    pub fn put_opaque_segments(&mut self, segments: &[Bytes]) {
        let length = segments.iter().map(Bytes::len).sum();
        self.put_length(length);
        for segment in segments {
            self.put_segment(segment);
        }
        self.put_padding(length);
    }

    /// Appends a count. XDR has no longer one than `u32`; a message is far below that.
    pub fn put_length(&mut self, length: usize) {
        debug_assert!(u32::try_from(length).is_ok(), "an XDR count has 32 bits");
        self.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    /// The finished message.
    pub fn finish(mut self) -> Encoded {
        match self.head.take() {
            None => Encoded { head: self.current, rest: self.middle },
            Some(head) => {
                if !self.current.is_empty() {
                    self.middle.push(self.current.freeze());
                }
                Encoded { head, rest: self.middle }
            }
        }
    }

    /// Runs `write`, and undoes what it wrote if the bytes written exceed `bytes_max`. Answers whether they stay.
    pub(crate) fn attempt(&mut self, bytes_max: usize, write: impl FnOnce(&mut Self)) -> bool {
        let mark = self.current.len();
        let copy_only = std::mem::replace(&mut self.copy_only, true);
        write(self);
        self.copy_only = copy_only;
        let fits = self.current.len().saturating_sub(mark) <= bytes_max;
        if !fits {
            self.current.truncate(mark);
        }
        fits
    }

    fn put_segment(&mut self, bytes: &Bytes) {
        if bytes.len() < SPLICE_BYTES_MIN || self.copy_only {
            self.current.extend_from_slice(bytes);
            return;
        }
        let written = std::mem::take(&mut self.current);
        self.bytes_before += written.len() + bytes.len();
        if self.head.is_none() {
            self.head = Some(written);
        } else if !written.is_empty() {
            self.middle.push(written.freeze());
        }
        self.middle.push(bytes.clone());
    }

    #[inline]
    fn put_padding(&mut self, length: usize) {
        self.current.put_bytes(0, length.wrapping_neg() % 4);
    }
}

impl Encoded {
    /// The length of the message.
    pub fn len(&self) -> usize {
        self.head.len() + self.rest.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole message in one piece, copied. For tests, datagrams and the duplicate-request cache.
    pub fn to_bytes(&self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.len());
        whole.extend_from_slice(&self.head);
        for segment in &self.rest {
            whole.extend_from_slice(segment);
        }
        whole.freeze()
    }
}

/// The two words of a hyper integer, for [`Encoder::put_words`].
#[inline]
pub const fn words_of(value: u64) -> [u32; 2] {
    [(value >> 32) as u32, value as u32]
}

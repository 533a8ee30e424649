//! Reads the arguments of a call.

use bytes::Bytes;

use super::Syntax;
use crate::cursor::{Malformed, Reader, utf16};

/// A reader of arguments, in the order of their declaration.
#[derive(Clone, Debug)]
pub(crate) struct NdrReader {
    reader: Reader,
    syntax: Syntax,
}

impl NdrReader {
    /// A reader at the beginning of a stub.
    pub(crate) fn new(stub: Bytes, syntax: Syntax) -> Self {
        Self { reader: Reader::new(stub), syntax }
    }

    /// Bytes that are left.
    pub(crate) fn remaining(&self) -> usize {
        self.reader.remaining()
    }

    /// A DWORD.
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        self.reader.u32()
    }

    /// The referent of a pointer: whether what it points to follows.
    pub(crate) fn pointer(&mut self) -> Result<bool, Malformed> {
        self.word().map(|referent| referent != 0)
    }

    /// A number of elements. Nothing says yet that they are there.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.word()?).map_err(|_| Malformed)
    }

    /// The discriminant of a union whose arms are pointers, up to where its arm begins (MS-RPCE 2.2.5.3.4.4).
    pub(crate) fn discriminant(&mut self) -> Result<u32, Malformed> {
        self.align_word()?;
        let discriminant = self.u32()?;
        self.align_word()?;
        Ok(discriminant)
    }

    /// Passes over padding in front of a structure, union or pointer.
    pub(crate) fn align_word(&mut self) -> Result<(), Malformed> {
        self.align(self.syntax.word_bytes())
    }

    /// A conformant and varying string of UTF-16, without its end mark (C706 14.3.4.2).
    ///
    /// Text that isn't UTF-16 is an empty string, which names nothing: the arguments behind it still can be read.
    pub(crate) fn string(&mut self) -> Result<String, Malformed> {
        let (max, offset, actual) = (self.count()?, self.count()?, self.count()?);
        if offset != 0 || actual > max {
            return Err(Malformed);
        }
        let bytes = self.reader.take(actual.checked_mul(2).ok_or(Malformed)?)?;
        let end = bytes.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0]).unwrap_or(actual);
        Ok(utf16(bytes.get(..2 * end).unwrap_or_default()).unwrap_or_default())
    }

    /// A unique pointer to a string that means nothing here, with the string.
    pub(crate) fn skip_string_pointer(&mut self) -> Result<(), Malformed> {
        if self.pointer()? {
            self.string()?;
        }
        Ok(())
    }

    /// A conformant array of bytes that means nothing here.
    pub(crate) fn skip_bytes(&mut self) -> Result<(), Malformed> {
        let count = self.count()?;
        self.reader.skip(count)
    }

    fn word(&mut self) -> Result<u64, Malformed> {
        self.align_word()?;
        match self.syntax {
            Syntax::Ndr32 => self.reader.u32().map(u64::from),
            Syntax::Ndr64 => self.reader.u64(),
        }
    }

    fn align(&mut self, alignment: usize) -> Result<(), Malformed> {
        self.reader.skip(self.reader.position().next_multiple_of(alignment) - self.reader.position())
    }
}

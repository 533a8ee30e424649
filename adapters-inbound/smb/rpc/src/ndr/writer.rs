//! Writes the results of a call.

use bytes::Bytes;

use super::{Syntax, Value};
use crate::cursor::Writer;

/// A writer of results, in the order of their declaration.
#[derive(Debug)]
pub(crate) struct NdrWriter {
    writer: Writer,
    syntax: Syntax,
    /// The referent that the next pointer gets. Its value is free but for zero.
    next_referent: u32,
}

impl NdrWriter {
    /// A writer of an empty stub.
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self { writer: Writer::with_capacity(256), syntax, next_referent: 0x0002_0000 }
    }

    /// A DWORD.
    pub(crate) fn u32(&mut self, value: u32) {
        self.writer.align(4);
        self.writer.u32(value);
    }

    /// A pointer to what is written next, or after the structure it is in.
    pub(crate) fn pointer(&mut self) {
        self.word(u64::from(self.next_referent));
        self.next_referent = self.next_referent.wrapping_add(4).max(4);
    }

    /// A pointer to nothing.
    pub(crate) fn null(&mut self) {
        self.word(0);
    }

    /// A number of elements.
    pub(crate) fn count(&mut self, count: usize) {
        self.word(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// The discriminant of a union whose arms are pointers, up to where its arm begins (MS-RPCE 2.2.5.3.4.4).
    pub(crate) fn discriminant(&mut self, value: u32) {
        self.align_word();
        self.u32(value);
        self.align_word();
    }

    /// Padding in front of a structure, union or pointer.
    pub(crate) fn align_word(&mut self) {
        self.writer.align(self.syntax.word_bytes());
    }

    /// Structures one after the other, and behind all of them what their members point to (C706 14.3.12.3).
    pub(crate) fn structures<'a>(&mut self, structures: &[Vec<Value<'a>>]) {
        for structure in structures {
            self.members(structure);
        }
        for value in structures.iter().flatten() {
            if let Value::Text(text) = value {
                self.string(text);
            }
        }
    }

    /// The stub.
    pub(crate) fn into_stub(self) -> Bytes {
        self.writer.into_bytes().freeze()
    }

    /// A structure without what it points to. NDR64 also pads its end, so that its size is a multiple of its alignment.
    fn members(&mut self, structure: &[Value<'_>]) {
        let has_pointer = structure.iter().any(|value| !matches!(value, Value::Number(_)));
        let alignment = if has_pointer { self.syntax.word_bytes() } else { 4 };
        self.writer.align(alignment);
        for value in structure {
            match value {
                Value::Number(number) => self.u32(*number),
                Value::Text(_) => self.pointer(),
                Value::Null => self.null(),
            }
        }
        self.writer.align(alignment);
    }

    /// A conformant and varying string of UTF-16 with its end mark (C706 14.3.4.2).
    fn string(&mut self, text: &str) {
        let count = text.encode_utf16().count() + 1;
        self.count(count);
        self.count(0);
        self.count(count);
        self.writer.utf16(text);
        self.writer.u16(0);
    }

    fn word(&mut self, value: u64) {
        self.align_word();
        match self.syntax {
            Syntax::Ndr32 => self.writer.u32(u32::try_from(value).unwrap_or(u32::MAX)),
            Syntax::Ndr64 => self.writer.u64(value),
        }
    }
}

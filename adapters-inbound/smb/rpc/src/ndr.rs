//! Network data representation: how arguments and results lie in the stub of a call.
//!
//! There are two transfer syntaxes: NDR of C706 (chapter 14), here NDR32, and NDR64 of MS-RPCE (2.2.5). All that
//! differs for the types in use is the size of a word: pointers and counts of elements are 4 bytes or 8, aligned to
//! their size, and so are structures and unions that hold a pointer.

mod reader;
mod writer;

use crate::pdu::SyntaxId;

pub(crate) use reader::NdrReader;
pub(crate) use writer::NdrWriter;

/// A transfer syntax.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    /// NDR version 2 (C706 chapter 14).
    Ndr32,
    /// NDR64 version 1 (MS-RPCE 2.2.5).
    Ndr64,
}

impl Syntax {
    /// By which a bind names the syntax (MS-RPCE 2.2.4.12, 3.1.1.1.1).
    pub(crate) const fn id(self) -> SyntaxId {
        match self {
            Self::Ndr32 => {
                SyntaxId::new(0x8a88_5d04, 0x1ceb, 0x11c9, [0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60], 2)
            }
            Self::Ndr64 => {
                SyntaxId::new(0x7171_0533, 0xbeba, 0x4937, [0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36], 1)
            }
        }
    }

    /// Bytes of a pointer and of a count of elements.
    pub(crate) const fn word_bytes(self) -> usize {
        match self {
            Self::Ndr32 => 4,
            Self::Ndr64 => 8,
        }
    }
}

/// A member of a structure in a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Value<'a> {
    /// A DWORD.
    Number(u32),
    /// A pointer to a string of UTF-16 with an end mark.
    Text(&'a str),
    /// A pointer to nothing.
    Null,
}

impl Value<'_> {
    /// An upper bound of the bytes that the value takes, with what it points to and with padding.
    pub(crate) fn encoded_bytes(self, syntax: Syntax) -> usize {
        let word = syntax.word_bytes();
        match self {
            Self::Number(_) | Self::Null => word,
            Self::Text(text) => 4 * word + (2 * (text.encode_utf16().count() + 1)).next_multiple_of(word),
        }
    }
}

#[cfg(test)]
mod tests;

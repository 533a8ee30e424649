//! Names of files and streams (MS-FSCC 2.1.5).

use bitflags::bitflags;
use thiserror::Error;

/// The longest name of a file or a stream, in UTF-16 units (MS-FSCC 2.1.5).
pub const COMPONENT_UNITS_MAX: usize = 255;

bitflags! {
    /// Why a name can't stand in a path of Windows. A server of files that others have named decides on its own which
    /// of these it minds.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct NameFlaws: u16 {
        /// No character at all.
        const EMPTY = 0x01;
        /// More than 255 UTF-16 units.
        const TOO_LONG = 0x02;
        /// One of `" \ / : | < > * ?`.
        const ILLEGAL_CHARACTER = 0x04;
        /// A character from U+0001 to U+001F.
        const CONTROL_CHARACTER = 0x08;
        /// U+0000.
        const NUL = 0x10;
        /// `.` or `..`.
        const DOT_COMPONENT = 0x20;
        /// A dot at the end, which Windows' own functions drop.
        const TRAILING_DOT = 0x40;
        /// A space at the end, which Windows' own functions drop.
        const TRAILING_SPACE = 0x80;
    }
}

impl NameFlaws {
    /// Flaws of one component of a path, without a stream (MS-FSCC 2.1.5).
    #[must_use]
    pub fn of_component(name: &str) -> Self {
        let mut flaws = Self::of_length(name);
        for character in name.chars() {
            flaws |= match character {
                '"' | '\\' | '/' | ':' | '|' | '<' | '>' | '*' | '?' => Self::ILLEGAL_CHARACTER,
                '\0' => Self::NUL,
                '\u{1}'..='\u{1f}' => Self::CONTROL_CHARACTER,
                _ => continue,
            };
        }
        flaws.set(Self::DOT_COMPONENT, matches!(name, "." | ".."));
        flaws.set(Self::TRAILING_DOT, name.ends_with('.'));
        flaws.set(Self::TRAILING_SPACE, name.ends_with(' '));
        flaws
    }

    /// Flaws of the name of a stream: wildcards and control characters are legal in it (MS-FSCC 2.1.5).
    #[must_use]
    pub fn of_stream(name: &str) -> Self {
        let mut flaws = Self::of_length(name);
        flaws.set(Self::ILLEGAL_CHARACTER, name.contains(['\\', '/', ':']));
        flaws.set(Self::NUL, name.contains('\0'));
        flaws
    }

    fn of_length(name: &str) -> Self {
        let mut flaws = Self::empty();
        flaws.set(Self::EMPTY, name.is_empty());
        flaws.set(Self::TOO_LONG, name.encode_utf16().nth(COMPONENT_UNITS_MAX).is_some());
        flaws
    }
}

/// A name that no file or stream can have: STATUS_OBJECT_NAME_INVALID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the name is invalid")]
pub struct InvalidName;

/// The last component of a path, taken apart: `name:stream:type` (MS-FSCC 2.1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileName<'a> {
    /// The name of the file. It isn't examined: see [`NameFlaws::of_component`]. Empty for a stream of the directory
    /// that the path ends in, and in a rename of a stream.
    pub name: &'a str,
    /// The name of the stream; empty for the unnamed one.
    pub stream: &'a str,
    /// The type of the stream, if the name gives it.
    pub stream_type: Option<StreamType>,
}

/// The type of a stream (MS-FSCC 2.1.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StreamType {
    /// `$DATA`.
    Data,
    /// `$INDEX_ALLOCATION`: the list of a directory.
    IndexAllocation,
}

impl<'a> FileName<'a> {
    /// Takes a component apart. Refuses a stream without a name and a type (`name:`), an empty or unknown type, and a
    /// stream name with an illegal character or of more than 255 UTF-16 units.
    pub fn parse(component: &'a str) -> Result<Self, InvalidName> {
        let Some((name, rest)) = component.split_once(':') else {
            return Ok(Self { name: component, stream: "", stream_type: None });
        };
        let (stream, stream_type) = match rest.split_once(':') {
            Some((stream, stream_type)) => (stream, Some(StreamType::parse(stream_type)?)),
            None => (rest, None),
        };
        let mut flaws = NameFlaws::of_stream(stream);
        if stream_type.is_some() {
            flaws.remove(NameFlaws::EMPTY);
        }
        if flaws.is_empty() { Ok(Self { name, stream, stream_type }) } else { Err(InvalidName) }
    }

    /// The name is one of a named stream, rather than of a file or directory itself. `$I30` is the name of a
    /// directory's own index.
    #[must_use]
    pub fn is_named_stream(&self) -> bool {
        match self.stream_type {
            Some(StreamType::IndexAllocation) => !matches!(self.stream, "" | "$I30" | "$i30"),
            Some(StreamType::Data) | None => !self.stream.is_empty(),
        }
    }
}

impl StreamType {
    fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.eq_ignore_ascii_case("$DATA") {
            Ok(Self::Data)
        } else if text.eq_ignore_ascii_case("$INDEX_ALLOCATION") {
            Ok(Self::IndexAllocation)
        } else {
            Err(InvalidName)
        }
    }
}

#[cfg(test)]
mod tests;

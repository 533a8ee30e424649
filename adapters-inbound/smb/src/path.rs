//! Paths as clients write them: names with backslashes between them, from the share's root on. The last one may be that
//! of a stream.

use dittofs_domain::Name;
use dittofs_smb_wire::{
    NtStatus,
    info::{FileName, StreamType},
    text::Utf16Text,
};

use crate::names::{shown, stored, stream_shown};

/// The deepest path. Each name on the way is looked up.
const NAMES_MAX: usize = 256;
/// Characters that no name may have, besides control characters and those that separate names (MS-FSCC, 2.1.5).
const FORBIDDEN: [char; 6] = ['"', '<', '>', '|', '*', '?'];

/// A path. The share's root has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    names: Vec<Name>,
    pub(crate) part: PathPart,
}

/// The part of a file that a path names (MS-FSCC, 2.1.5).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum PathPart {
    /// The file or directory itself.
    #[default]
    Whole,
    /// Its content (`name::$DATA`), which a directory has not.
    Content,
    /// Its list of entries (`name::$INDEX_ALLOCATION`), which only a directory has.
    Index,
    /// A named stream.
    Stream(Name),
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one that begins with a separator; `OBJECT_PATH_SYNTAX_BAD` for `.` and `..`;
    /// `OBJECT_NAME_INVALID` for all that is no name here.
    pub(crate) fn read(text: &Utf16Text) -> Result<Path, NtStatus> {
        let text = text.decode().map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
        Path::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Path, NtStatus> {
        if text.is_empty() {
            return Ok(Path { names: Vec::new(), part: PathPart::Whole });
        }
        if text.starts_with(['\\', '/']) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let text = text.strip_suffix(['\\', '/']).unwrap_or(text);
        let (directories, last) = match text.rsplit_once(['\\', '/']) {
            Some((directories, last)) => (Some(directories), last),
            None => (None, text),
        };
        let (last, part) = split_part(last)?;
        // A stream of the root has no name before it.
        let is_of_root = directories.is_none() && last.is_empty() && part != PathPart::Whole;
        let directories = directories.into_iter().flat_map(|text| text.split(['\\', '/']));
        let last = Some(last).filter(|_| !is_of_root);
        let names: Vec<Name> = directories.chain(last).map(name).collect::<Result<_, _>>()?;
        if names.len() > NAMES_MAX { Err(NtStatus::OBJECT_NAME_INVALID) } else { Ok(Path { names, part }) }
    }

    /// The names of the directories on the way, and the last one; none for the root.
    pub(crate) fn split(&self) -> Option<(&[Name], &Name)> {
        self.names.split_last().map(|(last, directories)| (directories, last))
    }

    /// The path as clients see it.
    pub(crate) fn shown(&self) -> String {
        let names: Vec<String> = self.names.iter().map(shown).collect();
        match &self.part {
            PathPart::Stream(stream) => with_stream(&names.join("\\"), stream),
            PathPart::Whole | PathPart::Content | PathPart::Index => names.join("\\"),
        }
    }
}

/// The path of a stream, by that of its file.
pub(crate) fn with_stream(file: &str, stream: &Name) -> String {
    format!("{file}:{}", stream_shown(stream))
}

/// Takes the last component of a path apart: its name, and which part of what has it is meant.
fn split_part(component: &str) -> Result<(&str, PathPart), NtStatus> {
    let parsed = FileName::parse(component).map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    let part = match (parsed.stream_type, parsed.is_named_stream()) {
        // A list of entries has no other.
        (Some(StreamType::IndexAllocation), true) => return Err(NtStatus::OBJECT_NAME_INVALID),
        // Nothing stands for another character in the name of a stream: nearly all are legal there.
        (_, true) => PathPart::Stream(Name::new(parsed.stream.as_bytes()).map_err(|_| NtStatus::OBJECT_NAME_INVALID)?),
        (Some(StreamType::Data), false) => PathPart::Content,
        (Some(StreamType::IndexAllocation), false) => PathPart::Index,
        (None, false) => PathPart::Whole,
    };
    Ok((parsed.name, part))
}

/// A name as a client writes it.
fn name(component: &str) -> Result<Name, NtStatus> {
    if component == "." || component == ".." {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    if component.contains(|c: char| c == ':' || c.is_control() || FORBIDDEN.contains(&c)) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    stored(component).map_err(|_| NtStatus::OBJECT_NAME_INVALID)
}

#[cfg(test)]
mod tests;

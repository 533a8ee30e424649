//! Paths as clients write them: names with backslashes between them, from the share's root on.

use dittofs_domain::Name;
use dittofs_smb_wire::{NtStatus, info::FileName, text::Utf16Text};

use crate::names::stored;

/// The deepest path. Each name on the way is looked up.
const NAMES_MAX: usize = 256;
/// Characters that no name may have, besides control characters and those that separate names (MS-FSCC, 2.1.5).
const FORBIDDEN: [char; 6] = ['"', '<', '>', '|', '*', '?'];

/// A path. The share's root has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<Name>);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one that begins with a separator; `OBJECT_PATH_SYNTAX_BAD` for `.` and `..`;
    /// `OBJECT_NAME_INVALID` for all that is no name here, streams among it.
    pub(crate) fn read(text: &Utf16Text) -> Result<Path, NtStatus> {
        let text = text.decode().map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
        Path::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Path, NtStatus> {
        if text.is_empty() {
            return Ok(Path(Vec::new()));
        }
        if text.starts_with(['\\', '/']) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let text = text.strip_suffix(['\\', '/']).unwrap_or(text);
        let names: Vec<Name> = text.split(['\\', '/']).map(name).collect::<Result<_, _>>()?;
        if names.len() > NAMES_MAX { Err(NtStatus::OBJECT_NAME_INVALID) } else { Ok(Path(names)) }
    }

    /// The names of the directories on the way, and the last one; none for the root.
    pub(crate) fn split(&self) -> Option<(&[Name], &Name)> {
        self.0.split_last().map(|(last, directories)| (directories, last))
    }
}

/// A name as a client writes it.
fn name(component: &str) -> Result<Name, NtStatus> {
    if component == "." || component == ".." {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    let parsed = FileName::parse(component).map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    // Streams come with a later version; the file's own content may be named.
    if parsed.is_named_stream() || parsed.name.contains(|c: char| c.is_control() || FORBIDDEN.contains(&c)) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    stored(parsed.name).map_err(|_| NtStatus::OBJECT_NAME_INVALID)
}

#[cfg(test)]
mod tests;

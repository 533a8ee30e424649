//! File information for SET_INFO (MS-FSCC 2.4, MS-SMB2 3.3.5.21.1).

#[cfg(any(test, feature = "client"))]
mod encode;

use bitflags::bitflags;
use bytes::Bytes;
use thiserror::Error;

use crate::attributes::FileAttributes;
use crate::cursor::{Malformed, Reader, utf16};
use crate::filetime::{FileTime, TimeChange};

use super::ea::{self, Ea};

/// A change of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetFile {
    /// Class 4: times and attributes (FileBasicInformation).
    Basic(BasicChange),
    /// Class 10 or 65: another path (FileRenameInformation and FileRenameInformationEx).
    Rename(Rename),
    /// Class 11: one more hard link (FileLinkInformation).
    Link(Link),
    /// Class 13: whether to delete the file when its last open is closed (FileDispositionInformation).
    Disposition(bool),
    /// Class 64: the same, with flags (FileDispositionInformationEx).
    DispositionEx(DispositionFlags),
    /// Class 14: the position of the open, in bytes (FilePositionInformation).
    Position(u64),
    /// Class 15: extended attributes to set, or, if the value is empty, to delete (FileFullEaInformation).
    FullEa(Vec<Ea>),
    /// Class 16: the mode of the open (FileModeInformation).
    Mode(u32),
    /// Class 19: bytes in storage. Less than the end of the file cuts the file off (FileAllocationInformation).
    Allocation(u64),
    /// Class 20: the end of the file, in bytes (FileEndOfFileInformation).
    EndOfFile(u64),
    /// Class 39: bytes of valid data (FileValidDataLengthInformation).
    ValidDataLength(u64),
}

/// A change that can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SetError {
    /// STATUS_INVALID_INFO_CLASS.
    #[error("the information class can't be set")]
    InvalidInfoClass,
    /// STATUS_INFO_LENGTH_MISMATCH.
    #[error("the buffer is too short for the information class")]
    LengthMismatch,
    /// STATUS_INVALID_PARAMETER.
    #[error("a field has a value that it can't have")]
    InvalidParameter,
    /// STATUS_OBJECT_NAME_INVALID: the name isn't UTF-16.
    #[error("the name is not UTF-16")]
    ObjectNameInvalid,
    /// STATUS_EA_LIST_INCONSISTENT.
    #[error("the list of extended attributes is inconsistent")]
    EaListInconsistent,
}

impl From<Malformed> for SetError {
    fn from(_: Malformed) -> Self {
        Self::InvalidParameter
    }
}

/// The shortest buffer of a class, in bytes; nothing for a class that can't be set. Of a rename and a link it is the
/// size of the structure with its padding (MS-SMB2 3.3.5.21.1): clients pad a name of one character.
#[must_use]
pub fn minimum_length(class: u8) -> Option<usize> {
    match class {
        4 => Some(40),
        10 | 11 | 65 => Some(24),
        13 => Some(1),
        15 => Some(8),
        16 | 64 => Some(4),
        14 | 19 | 20 | 39 => Some(8),
        _ => None,
    }
}

/// Decodes the buffer of a SET_INFO request. Bytes behind the structure mean nothing.
pub fn decode(class: u8, bytes: &Bytes) -> Result<SetFile, SetError> {
    if bytes.len() < minimum_length(class).ok_or(SetError::InvalidInfoClass)? {
        return Err(SetError::LengthMismatch);
    }
    let mut reader = Reader::new(bytes.clone());
    Ok(match class {
        4 => SetFile::Basic(BasicChange::read(&mut reader)?),
        10 => {
            let (replace_if_exists, root_directory, name) = read_replace_and_name(&mut reader)?;
            let flags = if replace_if_exists { RenameFlags::REPLACE_IF_EXISTS } else { RenameFlags::empty() };
            SetFile::Rename(Rename { flags, root_directory, name })
        }
        11 => {
            let (replace_if_exists, root_directory, name) = read_replace_and_name(&mut reader)?;
            SetFile::Link(Link { replace_if_exists, root_directory, name })
        }
        13 => SetFile::Disposition(reader.u8()? != 0),
        14 => SetFile::Position(reader.u64()?),
        15 => SetFile::FullEa(ea::decode_list(bytes).map_err(|_| SetError::EaListInconsistent)?),
        16 => SetFile::Mode(reader.u32()?),
        19 => SetFile::Allocation(reader.u64()?),
        20 => SetFile::EndOfFile(reader.u64()?),
        39 => SetFile::ValidDataLength(reader.u64()?),
        64 => SetFile::DispositionEx(DispositionFlags::from_bits_retain(reader.u32()?)),
        65 => {
            let flags = RenameFlags::from_bits_retain(reader.u32()?);
            reader.skip(4)?;
            let (root_directory, name) = read_name(&mut reader)?;
            SetFile::Rename(Rename { flags, root_directory, name })
        }
        _ => return Err(SetError::InvalidInfoClass),
    })
}

/// Times and attributes to set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BasicChange {
    /// When the file was created.
    pub creation: TimeChange,
    /// When data was read last.
    pub last_access: TimeChange,
    /// When data was written last.
    pub last_write: TimeChange,
    /// When data or attributes changed last.
    pub change: TimeChange,
    /// Attributes; nothing to leave them as they are.
    pub attributes: Option<FileAttributes>,
}

impl BasicChange {
    fn read(reader: &mut Reader) -> Result<Self, SetError> {
        let mut time = || TimeChange::from_field(FileTime(reader.u64()?)).ok_or(SetError::InvalidParameter);
        let (creation, last_access, last_write, change) = (time()?, time()?, time()?, time()?);
        let attributes = match reader.u32()? {
            0 => None,
            bits => Some(FileAttributes::from_bits_retain(bits)),
        };
        Ok(Self { creation, last_access, last_write, change, attributes })
    }
}

/// Another path for a file, or another name for a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rename {
    /// Flags. Class 10 has but one of them, as a byte.
    pub flags: RenameFlags,
    /// Zero, or the request is refused with STATUS_INVALID_PARAMETER (MS-SMB2 3.3.5.21.1).
    pub root_directory: u64,
    /// The path from the root of the share, or `:stream:$DATA`.
    pub name: String,
}

/// One more name for a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// A file of that name is replaced.
    pub replace_if_exists: bool,
    /// Zero, or the request is refused with STATUS_INVALID_PARAMETER.
    pub root_directory: u64,
    /// The path from the root of the share.
    pub name: String,
}

bitflags! {
    /// Flags of a rename (FileRenameInformationEx). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct RenameFlags: u32 {
        /// A file of that name is replaced.
        const REPLACE_IF_EXISTS = 0x0000_0001;
        /// A file of that name is replaced even while it is open.
        const POSIX_SEMANTICS = 0x0000_0002;
        /// The pin state isn't inherited from the new directory.
        const SUPPRESS_PIN_STATE_INHERITANCE = 0x0000_0004;
        /// The storage reserve isn't inherited from the new directory.
        const SUPPRESS_STORAGE_RESERVE_INHERITANCE = 0x0000_0008;
        /// The available space of the new directory doesn't grow.
        const NO_INCREASE_AVAILABLE_SPACE = 0x0000_0010;
        /// The available space of the old directory doesn't shrink.
        const NO_DECREASE_AVAILABLE_SPACE = 0x0000_0020;
        /// A file that is read-only is replaced as well.
        const IGNORE_READONLY_ATTRIBUTE = 0x0000_0040;

        const _ = !0;
    }

    /// Flags of a deletion (FileDispositionInformationEx). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct DispositionFlags: u32 {
        /// The file is to be deleted; without this flag it is not.
        const DELETE = 0x0000_0001;
        /// The name goes at once when this open is closed, even if others remain.
        const POSIX_SEMANTICS = 0x0000_0002;
        /// A file that is mapped as an executable isn't deleted.
        const FORCE_IMAGE_SECTION_CHECK = 0x0000_0004;
        /// Sets or clears the option FILE_DELETE_ON_CLOSE of the open.
        const ON_CLOSE = 0x0000_0008;
        /// A file that is read-only is deleted as well.
        const IGNORE_READONLY_ATTRIBUTE = 0x0000_0010;

        const _ = !0;
    }
}

/// The common layout of FILE_RENAME_INFORMATION_TYPE_2 and FILE_LINK_INFORMATION_TYPE_2.
fn read_replace_and_name(reader: &mut Reader) -> Result<(bool, u64, String), SetError> {
    let replace_if_exists = reader.u8()? != 0;
    reader.skip(7)?;
    let (root_directory, name) = read_name(reader)?;
    Ok((replace_if_exists, root_directory, name))
}

fn read_name(reader: &mut Reader) -> Result<(u64, String), SetError> {
    let root_directory = reader.u64()?;
    let length = usize::try_from(reader.u32()?).map_err(|_| SetError::InvalidParameter)?;
    if length == 0 || !length.is_multiple_of(2) {
        return Err(SetError::InvalidParameter);
    }
    let name = utf16(&reader.take(length)?).map_err(|_| SetError::ObjectNameInvalid)?;
    Ok((root_directory, name))
}

#[cfg(test)]
mod tests;

//! Facts of a file that several information classes share.

use crate::attributes::FileAttributes;
use crate::cursor::Writer;
#[cfg(any(test, feature = "client"))]
use crate::cursor::{Malformed, Reader};
use crate::filetime::FileTime;

/// The four times of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileTimes {
    /// When the file was created.
    pub creation: FileTime,
    /// When data was read last.
    pub last_access: FileTime,
    /// When data was written last.
    pub last_write: FileTime,
    /// When data or attributes changed last.
    pub change: FileTime,
}

impl FileTimes {
    pub(crate) fn put(&self, writer: &mut Writer) {
        for time in [self.creation, self.last_access, self.last_write, self.change] {
            writer.field(time);
        }
    }

    #[cfg(any(test, feature = "client"))]
    pub(crate) fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let mut time = || reader.u64().map(FileTime);
        Ok(Self { creation: time()?, last_access: time()?, last_write: time()?, change: time()? })
    }
}

/// Facts that both a query of a file and an entry of a directory listing give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileMetadata {
    /// Times.
    pub times: FileTimes,
    /// Bytes that the file takes up in storage.
    pub allocation_size: u64,
    /// Bytes of data, from the start of the file to its end.
    pub end_of_file: u64,
    /// Attributes.
    pub attributes: FileAttributes,
    /// The tag of the reparse point; 0 without one (MS-FSCC 2.1.2).
    pub reparse_tag: u32,
    /// Identifies the file on its volume.
    pub file_id: u64,
    /// Bytes that all extended attributes take up, as FileEaInformation counts them.
    pub ea_size: u32,
}

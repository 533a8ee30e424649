//! FilePosixInformation, class 100 of the SMB3 POSIX extensions.
//!
//! The extensions aren't a part of MS-FSCC. The layout is the one of the Linux client, and of Samba and ksmbd as
//! servers: packed, times first. A directory entry has the name behind it, a query of a file doesn't.

use crate::cursor::Writer;
#[cfg(any(test, feature = "client"))]
use crate::cursor::{Malformed, Reader};
use crate::security::Sid;

use super::metadata::FileMetadata;

/// Bytes of the structure before the two SIDs.
pub(crate) const FIXED_LENGTH: usize = 80;

/// Facts of the POSIX class beyond [`FileMetadata`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PosixFacts {
    /// Hard links.
    pub links: u32,
    /// The number of the device that holds the file.
    pub device: u32,
    /// Type and permissions as on the wire: see [`PosixFileType::mode`].
    pub mode: u32,
    /// The owner, for instance [`Sid::unix_user`].
    pub owner: Sid,
    /// The group, for instance [`Sid::unix_group`].
    pub group: Sid,
}

impl PosixFacts {
    pub(crate) fn encoded_length(&self) -> usize {
        FIXED_LENGTH + self.owner.encoded_length() + self.group.encoded_length()
    }
}

/// The type of a file in a mode of the SMB3 POSIX extensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum PosixFileType {
    /// A regular file.
    Regular = 0,
    /// A directory.
    Directory = 1,
    /// A symbolic link.
    SymbolicLink = 2,
    /// A character device.
    CharacterDevice = 3,
    /// A block device.
    BlockDevice = 4,
    /// A named pipe.
    Fifo = 5,
    /// A socket.
    Socket = 6,
}

impl PosixFileType {
    /// The mode of a file of this type with the permissions in the low 12 bits (sticky, set-ID and `rwxrwxrwx`). The
    /// type stands in the bits 12 to 14, and isn't the S_IFMT of any system.
    #[must_use]
    pub fn mode(self, permissions: u32) -> u32 {
        (self as u32) << 12 | permissions & 0o7777
    }
}

pub(crate) fn put(writer: &mut Writer, metadata: &FileMetadata, posix: &PosixFacts) {
    metadata.times.put(writer);
    writer.u64(metadata.end_of_file);
    writer.u64(metadata.allocation_size);
    writer.u32(metadata.attributes.presented().bits());
    writer.u64(metadata.file_id);
    writer.u32(posix.device);
    writer.zeros(4);
    writer.u32(posix.links);
    writer.u32(metadata.reparse_tag);
    writer.u32(posix.mode);
    posix.owner.put(writer);
    posix.group.put(writer);
}

#[cfg(any(test, feature = "client"))]
pub(crate) fn read(reader: &mut Reader) -> Result<(FileMetadata, PosixFacts), Malformed> {
    use super::metadata::FileTimes;
    use crate::attributes::FileAttributes;

    let times = FileTimes::read(reader)?;
    let (end_of_file, allocation_size) = (reader.u64()?, reader.u64()?);
    let attributes = FileAttributes::from_bits_retain(reader.u32()?);
    let (file_id, device) = (reader.u64()?, reader.u32()?);
    reader.skip(4)?;
    let (links, reparse_tag, mode) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let posix = PosixFacts { links, device, mode, owner: Sid::read(reader)?, group: Sid::read(reader)? };
    Ok((FileMetadata { times, allocation_size, end_of_file, attributes, reparse_tag, file_id, ea_size: 0 }, posix))
}

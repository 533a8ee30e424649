use std::borrow::Cow;

use crate::attributes::FileAttributes;
use crate::cursor::Writer;
use crate::info::metadata::FileMetadata;
use crate::info::posix::{self, PosixFacts};

use super::class::DirectoryClass;

/// UTF-16 units that the field of an 8.3 name holds.
const SHORT_NAME_UNITS: usize = 12;

/// All that the classes of a directory listing can say of one file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DirectoryEntry<'a> {
    /// The name in its directory.
    pub name: Cow<'a, str>,
    /// The 8.3 name, at most 12 characters; empty if there is none.
    pub short_name: Cow<'a, str>,
    /// A position in the directory, for file systems that have such: else 0.
    pub file_index: u32,
    /// Times, sizes, attributes and identity.
    pub metadata: FileMetadata,
    /// For [`DirectoryClass::Posix`].
    pub posix: Option<PosixFacts>,
    /// For [`DirectoryClass::IdBothDirectory`], when the client has negotiated the attributes of the AAPL context.
    pub apple: Option<AppleFacts>,
}

/// Facts that Apple's clients read in place of other fields, once the AAPL create context has agreed on it
/// (kAAPL_SUPPORTS_READ_DIR_ATTR).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppleFacts {
    /// The greatest access that the user can get: in place of the size of extended attributes.
    pub maximal_access: u32,
    /// Bytes of the resource fork: in the first half of the 8.3 name.
    pub resource_fork_length: u64,
    /// The part of FinderInfo that a listing needs: in the second half of the 8.3 name.
    pub finder_info: [u8; 16],
    /// The mode of the file: in the reserved field.
    pub unix_mode: u16,
}

impl DirectoryEntry<'_> {
    /// Bytes of the entry, without padding; nothing if facts are missing.
    pub(super) fn encoded_length(&self, class: DirectoryClass) -> Option<usize> {
        let sids = match class {
            DirectoryClass::Posix => self.posix.as_ref()?.encoded_length() - posix::FIXED_LENGTH,
            _ => 0,
        };
        Some(class.fixed_length() + sids + self.name_length())
    }

    pub(super) fn put(&self, class: DirectoryClass, writer: &mut Writer) {
        writer.u32(0);
        writer.u32(self.file_index);
        match class {
            DirectoryClass::Names => self.put_name_length(writer),
            DirectoryClass::Posix => {
                if let Some(posix) = &self.posix {
                    posix::put(writer, &self.metadata, posix);
                }
                self.put_name_length(writer);
            }
            _ => {
                self.put_metadata(writer);
                self.put_class(class, writer);
            }
        }
        writer.utf16(&self.name);
    }

    /// The part that all but two classes have.
    fn put_metadata(&self, writer: &mut Writer) {
        self.metadata.times.put(writer);
        writer.u64(self.metadata.end_of_file);
        writer.u64(self.metadata.allocation_size);
        writer.u32(self.metadata.attributes.presented().bits());
        self.put_name_length(writer);
    }

    /// The part between the length of the name and the name.
    fn put_class(&self, class: DirectoryClass, writer: &mut Writer) {
        match class {
            DirectoryClass::Directory | DirectoryClass::Names | DirectoryClass::Posix => {}
            DirectoryClass::FullDirectory => writer.u32(self.ea_size_or_tag()),
            DirectoryClass::BothDirectory => {
                writer.u32(self.ea_size_or_tag());
                self.put_short_name(writer);
            }
            DirectoryClass::IdFullDirectory => {
                writer.u32(self.ea_size_or_tag());
                writer.zeros(4);
                writer.u64(self.metadata.file_id);
            }
            DirectoryClass::IdBothDirectory => {
                match &self.apple {
                    Some(apple) => apple.put(writer),
                    None => {
                        writer.u32(self.ea_size_or_tag());
                        self.put_short_name(writer);
                        writer.zeros(2);
                    }
                }
                writer.u64(self.metadata.file_id);
            }
            DirectoryClass::IdExtdDirectory => {
                writer.u32(self.metadata.ea_size);
                writer.u32(self.metadata.reparse_tag);
                writer.u64(self.metadata.file_id);
                writer.u64(0);
            }
        }
    }

    /// Of a reparse point the field holds the tag (FileBothDirectoryInformation).
    fn ea_size_or_tag(&self) -> u32 {
        if self.metadata.attributes.contains(FileAttributes::REPARSE_POINT) {
            self.metadata.reparse_tag
        } else {
            self.metadata.ea_size
        }
    }

    fn put_short_name(&self, writer: &mut Writer) {
        let units = self.short_name.encode_utf16().count().min(SHORT_NAME_UNITS);
        writer.u8(u8::try_from(2 * units).unwrap_or_default());
        writer.u8(0);
        for unit in self.short_name.encode_utf16().take(units) {
            writer.u16(unit);
        }
        writer.zeros(2 * (SHORT_NAME_UNITS - units));
    }

    fn put_name_length(&self, writer: &mut Writer) {
        writer.u32(u32::try_from(self.name_length()).unwrap_or_default());
    }

    fn name_length(&self) -> usize {
        2 * self.name.encode_utf16().count()
    }
}

impl AppleFacts {
    /// From the size of extended attributes to the reserved field in front of the identifier. Apple's clients expect
    /// 24 as the length of the 8.3 name, although it holds none.
    fn put(&self, writer: &mut Writer) {
        writer.u32(self.maximal_access);
        writer.u8(24);
        writer.u8(0);
        writer.u64(self.resource_fork_length);
        writer.put(&self.finder_info);
        writer.u16(self.unix_mode);
    }
}

//! File information for QUERY_INFO (MS-FSCC 2.4, MS-SMB2 3.3.5.20.1).

mod class;
#[cfg(any(test, feature = "client"))]
mod decode;
mod stream;

use crate::access::AccessMask;
use crate::cursor::Writer;

use super::metadata::FileMetadata;
use super::posix::{self, PosixFacts};
use super::query::{Encoded, QueryError, cut, whole};
use crate::attributes::FileAttributes;

pub use class::FileClass;
#[cfg(any(test, feature = "client"))]
pub use decode::decode;
pub use stream::StreamFacts;

/// All that the information classes of a file can say. Facts that a class doesn't need may be left at their default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFacts {
    /// Times, sizes, attributes and identity.
    pub metadata: FileMetadata,
    /// Identifies the volume: its serial number.
    pub volume_id: u64,
    /// Hard links to the file.
    pub links: u32,
    /// The file is deleted when its last open is closed.
    pub delete_pending: bool,
    /// The open is one of a directory. An open of a stream of a directory isn't.
    pub directory: bool,
    /// Facts of the open that the query is for.
    pub open: OpenFacts,
    /// The path from the root of the share, with a leading backslash; with `:stream` behind it for a named stream.
    /// MS-SMB2 3.3.5.20.1 lets a server leave it empty for [`FileClass::All`].
    pub path: String,
    /// For [`FileClass::AlternateName`]: the 8.3 name.
    pub alternate_name: Option<String>,
    /// For [`FileClass::Stream`]: all data streams. The unnamed stream comes first.
    pub streams: Vec<StreamFacts>,
    /// For [`FileClass::Posix`].
    pub posix: Option<PosixFacts>,
}

/// Facts of an open rather than of its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenFacts {
    /// Granted access.
    pub access: AccessMask,
    /// The create options that FileModeInformation lists, for instance FILE_WRITE_THROUGH (2).
    pub mode: u32,
    /// The alignment that buffers need, less one (FileAlignmentInformation): 0 for none.
    pub alignment: u32,
    /// The position that the client has set (FilePositionInformation), in bytes.
    pub position: u64,
}

/// Encodes one class for a client that has room for `limit` bytes. A name or a list of streams that doesn't fit is cut
/// (STATUS_BUFFER_OVERFLOW); all else must fit.
pub fn encode(class: FileClass, facts: &FileFacts, limit: usize) -> Result<Encoded, QueryError> {
    if limit < class.minimum_length() {
        return Err(QueryError::LengthMismatch);
    }
    let mut writer = Writer::with_capacity(class.minimum_length() + 2 * facts.path.len());
    let metadata = &facts.metadata;
    match class {
        FileClass::Basic => put_basic(&mut writer, metadata),
        FileClass::Standard => put_standard(&mut writer, facts),
        FileClass::Internal => writer.u64(metadata.file_id),
        FileClass::Ea => writer.u32(metadata.ea_size),
        FileClass::Access => writer.u32(facts.open.access.bits()),
        FileClass::Position => writer.u64(facts.open.position),
        FileClass::Mode => writer.u32(facts.open.mode),
        FileClass::Alignment => writer.u32(facts.open.alignment),
        FileClass::Compression => put_compression(&mut writer, metadata),
        FileClass::NetworkOpen => put_network_open(&mut writer, metadata),
        FileClass::AttributeTag => put_attribute_tag(&mut writer, metadata),
        FileClass::Id => put_id(&mut writer, facts),
        FileClass::Posix => {
            posix::put(&mut writer, metadata, facts.posix.as_ref().ok_or(QueryError::InvalidInfoClass)?)
        }
        FileClass::All => return Ok(all(writer, facts, limit)),
        FileClass::Name => return Ok(name(writer, &facts.path, limit)),
        FileClass::NormalizedName => return Ok(name(writer, facts.path.trim_start_matches('\\'), limit)),
        FileClass::AlternateName => {
            let alternate_name = facts.alternate_name.as_ref().ok_or(QueryError::ObjectNameNotFound)?;
            return Ok(name(writer, alternate_name, limit));
        }
        FileClass::Stream => return Ok(stream::encode(&facts.streams, limit)),
    }
    whole(writer, limit)
}

/// FILE_BASIC_INFORMATION.
fn put_basic(writer: &mut Writer, metadata: &FileMetadata) {
    metadata.times.put(writer);
    writer.u32(metadata.attributes.presented().bits());
    writer.zeros(4);
}

/// FILE_STANDARD_INFORMATION.
fn put_standard(writer: &mut Writer, facts: &FileFacts) {
    writer.u64(facts.metadata.allocation_size);
    writer.u64(facts.metadata.end_of_file);
    writer.u32(facts.links);
    writer.u8(facts.delete_pending.into());
    writer.u8(facts.directory.into());
    writer.zeros(2);
}

/// FILE_ALL_INFORMATION. The result is at least as long as the structure with one character of a name, aligned: the
/// Linux client refuses one without room for any character.
fn all(mut writer: Writer, facts: &FileFacts, limit: usize) -> Encoded {
    put_basic(&mut writer, &facts.metadata);
    put_standard(&mut writer, facts);
    writer.u64(facts.metadata.file_id);
    writer.u32(facts.metadata.ea_size);
    writer.u32(facts.open.access.bits());
    writer.u64(facts.open.position);
    writer.u32(facts.open.mode);
    writer.u32(facts.open.alignment);
    put_name(&mut writer, &facts.path);
    writer.zeros(FileClass::All.minimum_length().saturating_sub(writer.position()));
    cut(writer, limit)
}

/// FILE_NAME_INFORMATION.
fn name(mut writer: Writer, name: &str, limit: usize) -> Encoded {
    put_name(&mut writer, name);
    cut(writer, limit)
}

fn put_name(writer: &mut Writer, name: &str) {
    let length = writer.position();
    writer.u32(0);
    let start = writer.position();
    writer.utf16(name);
    writer.patch_u32(length, u32::try_from(writer.position() - start).unwrap_or(u32::MAX));
}

/// FILE_COMPRESSION_INFORMATION of a file that isn't compressed.
fn put_compression(writer: &mut Writer, metadata: &FileMetadata) {
    writer.u64(metadata.end_of_file);
    writer.zeros(8);
}

/// FILE_NETWORK_OPEN_INFORMATION.
fn put_network_open(writer: &mut Writer, metadata: &FileMetadata) {
    metadata.times.put(writer);
    writer.u64(metadata.allocation_size);
    writer.u64(metadata.end_of_file);
    writer.u32(metadata.attributes.presented().bits());
    writer.zeros(4);
}

/// FILE_ATTRIBUTE_TAG_INFORMATION.
fn put_attribute_tag(writer: &mut Writer, metadata: &FileMetadata) {
    writer.u32(metadata.attributes.presented().bits());
    let has_tag = metadata.attributes.contains(FileAttributes::REPARSE_POINT);
    writer.u32(if has_tag { metadata.reparse_tag } else { 0 });
}

/// FILE_ID_INFORMATION. The identifier of the file has 128 bits.
fn put_id(writer: &mut Writer, facts: &FileFacts) {
    writer.u64(facts.volume_id);
    writer.u64(facts.metadata.file_id);
    writer.u64(0);
}

#[cfg(test)]
mod tests;

//! File system information for QUERY_INFO (MS-FSCC 2.5, MS-SMB2 3.3.5.20.2).

mod attributes;
#[cfg(any(test, feature = "client"))]
mod decode;

use crate::cursor::Writer;
use crate::filetime::FileTime;

use super::query::{Encoded, QueryError, cut, whole};

pub use attributes::FileSystemAttributes;
#[cfg(any(test, feature = "client"))]
pub use decode::decode;

/// FILE_DEVICE_DISK of FileFsDeviceInformation.
const FILE_DEVICE_DISK: u32 = 7;

/// The device is mounted: a bit of [`VolumeFacts::device_characteristics`].
pub const FILE_DEVICE_IS_MOUNTED: u32 = 0x0000_0020;
/// The device can't be written: a bit of [`VolumeFacts::device_characteristics`].
pub const FILE_READ_ONLY_DEVICE: u32 = 0x0000_0002;

/// An information class of a volume that a client may query (MS-FSCC 2.5). The discriminant is its number on the wire.
///
/// FileFsControlInformation (6, quotas) isn't among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum VolumeClass {
    /// Label, serial number and time of creation (FileFsVolumeInformation).
    Volume = 1,
    /// The label (FileFsLabelInformation).
    Label = 2,
    /// Space (FileFsSizeInformation).
    Size = 3,
    /// The kind of device (FileFsDeviceInformation).
    Device = 4,
    /// Abilities and the name of the file system (FileFsAttributeInformation).
    Attribute = 5,
    /// Space of all, and that the caller may use (FileFsFullSizeInformation).
    FullSize = 7,
    /// The identifier of the volume (FileFsObjectIdInformation).
    ObjectId = 8,
    /// Sizes and alignment of sectors (FileFsSectorSizeInformation).
    SectorSize = 11,
    /// Space and files, as `statvfs` gives them (SMB3 POSIX extensions).
    Posix = 100,
}

impl VolumeClass {
    /// All classes.
    pub const ALL: [Self; 9] = [
        Self::Volume,
        Self::Label,
        Self::Size,
        Self::Device,
        Self::Attribute,
        Self::FullSize,
        Self::ObjectId,
        Self::SectorSize,
        Self::Posix,
    ];

    /// The class with this number, if it is one of these.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The length of the fixed part in bytes. A client with less room gets STATUS_INFO_LENGTH_MISMATCH.
    #[must_use]
    pub fn minimum_length(self) -> usize {
        match self {
            Self::Label | Self::Device => 8,
            Self::Attribute => 16,
            Self::Volume | Self::Size => 24,
            Self::SectorSize => 28,
            Self::FullSize => 32,
            Self::Posix => 56,
            Self::ObjectId => 64,
        }
    }

    /// An answer that is too long is cut, rather than refused.
    #[must_use]
    pub fn is_truncatable(self) -> bool {
        matches!(self, Self::Volume | Self::Label | Self::Attribute)
    }
}

/// All that the information classes of a volume can say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VolumeFacts {
    /// When the volume was created.
    pub created: FileTime,
    /// The serial number.
    pub serial_number: u32,
    /// The label, at most 32 characters.
    pub label: String,
    /// Identifies the volume.
    pub object_id: [u8; 16],
    /// For instance [`FILE_DEVICE_IS_MOUNTED`].
    pub device_characteristics: u32,
    /// The file system.
    pub file_system: FileSystemFacts,
    /// Space.
    pub space: SpaceFacts,
    /// Sectors.
    pub sectors: SectorFacts,
}

/// The file system of a volume.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileSystemFacts {
    /// Abilities.
    pub attributes: FileSystemAttributes,
    /// The longest name of a file, in characters.
    pub component_length_max: u32,
    /// For instance `NTFS`. Some applications use streams and ACLs only with that name.
    pub name: String,
}

/// Space on a volume, in allocation units, and files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpaceFacts {
    /// All units.
    pub total_units: u64,
    /// Free units that the caller may use.
    pub caller_available_units: u64,
    /// All free units.
    pub available_units: u64,
    /// Files that can exist, for [`VolumeClass::Posix`].
    pub total_files: u64,
    /// Files that can still be created, for [`VolumeClass::Posix`].
    pub available_files: u64,
}

/// Sectors of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SectorFacts {
    /// Sectors of an allocation unit.
    pub sectors_per_unit: u32,
    /// Bytes of a sector.
    pub bytes_per_sector: u32,
    /// Bytes that are best written at once: a multiple of [`Self::bytes_per_sector`].
    pub physical_bytes_per_sector: u32,
    /// Bits of FileFsSectorSizeInformation: 1 aligned device, 2 aligned partition, 4 no seek penalty, 8 trim enabled.
    pub flags: u32,
}

/// Encodes one class for a client that has room for `limit` bytes. A label or name that doesn't fit is cut
/// (STATUS_BUFFER_OVERFLOW); all else must fit.
pub fn encode(class: VolumeClass, facts: &VolumeFacts, limit: usize) -> Result<Encoded, QueryError> {
    if limit < class.minimum_length() {
        return Err(QueryError::LengthMismatch);
    }
    let mut writer = Writer::with_capacity(128);
    let (space, sectors) = (&facts.space, &facts.sectors);
    match class {
        VolumeClass::Volume => {
            writer.field(facts.created);
            writer.u32(facts.serial_number);
            writer.u32(utf16_length(&facts.label));
            let has_object_ids = facts.file_system.attributes.contains(FileSystemAttributes::SUPPORTS_OBJECT_IDS);
            writer.u8(has_object_ids.into());
            writer.u8(0);
            writer.utf16(&facts.label);
        }
        VolumeClass::Label => {
            writer.u32(utf16_length(&facts.label));
            writer.utf16(&facts.label);
        }
        VolumeClass::Size => {
            writer.u64(space.total_units);
            writer.u64(space.caller_available_units);
            put_unit(&mut writer, sectors);
        }
        VolumeClass::FullSize => {
            writer.u64(space.total_units);
            writer.u64(space.caller_available_units);
            writer.u64(space.available_units);
            put_unit(&mut writer, sectors);
        }
        VolumeClass::Device => {
            writer.u32(FILE_DEVICE_DISK);
            writer.u32(facts.device_characteristics);
        }
        VolumeClass::Attribute => {
            writer.u32(facts.file_system.attributes.bits());
            writer.u32(facts.file_system.component_length_max);
            writer.u32(utf16_length(&facts.file_system.name));
            writer.utf16(&facts.file_system.name);
        }
        VolumeClass::ObjectId => {
            writer.put(&facts.object_id);
            writer.zeros(48);
        }
        VolumeClass::SectorSize => put_sectors(&mut writer, sectors),
        VolumeClass::Posix => put_posix(&mut writer, facts),
    }
    if class.is_truncatable() { Ok(cut(writer, limit)) } else { whole(writer, limit) }
}

fn put_unit(writer: &mut Writer, sectors: &SectorFacts) {
    writer.u32(sectors.sectors_per_unit);
    writer.u32(sectors.bytes_per_sector);
}

fn put_sectors(writer: &mut Writer, sectors: &SectorFacts) {
    writer.u32(sectors.bytes_per_sector);
    writer.u32(sectors.physical_bytes_per_sector);
    writer.u32(sectors.physical_bytes_per_sector);
    writer.u32(sectors.physical_bytes_per_sector);
    writer.u32(sectors.flags);
    writer.zeros(8);
}

/// FileFsPosixInformation of the SMB3 POSIX extensions, in the layout of the Linux client. Its unit is the allocation
/// unit.
fn put_posix(writer: &mut Writer, facts: &VolumeFacts) {
    let unit_bytes = facts.sectors.sectors_per_unit.saturating_mul(facts.sectors.bytes_per_sector);
    writer.u32(unit_bytes);
    writer.u32(unit_bytes);
    writer.u64(facts.space.total_units);
    writer.u64(facts.space.available_units);
    writer.u64(facts.space.caller_available_units);
    writer.u64(facts.space.total_files);
    writer.u64(facts.space.available_files);
    writer.u64(facts.serial_number.into());
}

fn utf16_length(text: &str) -> u32 {
    u32::try_from(2 * text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;

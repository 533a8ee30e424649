use bytes::Bytes;

use crate::cursor::{Malformed, Reader, utf16};
use crate::filetime::FileTime;

use super::{FileSystemAttributes, SectorFacts, VolumeClass, VolumeFacts};

/// Decodes the answer to a query, for a client. Facts that the class doesn't give are left at their default.
pub fn decode(class: VolumeClass, bytes: &Bytes) -> Result<VolumeFacts, Malformed> {
    let mut reader = Reader::new(bytes.clone());
    let mut facts = VolumeFacts::default();
    let space = &mut facts.space;
    match class {
        VolumeClass::Volume => {
            facts.created = FileTime(reader.u64()?);
            facts.serial_number = reader.u32()?;
            let length = reader.u32()?;
            let has_object_ids = reader.u8()? != 0;
            facts.file_system.attributes.set(FileSystemAttributes::SUPPORTS_OBJECT_IDS, has_object_ids);
            reader.skip(1)?;
            facts.label = read_text(&mut reader, length)?;
        }
        VolumeClass::Label => {
            let length = reader.u32()?;
            facts.label = read_text(&mut reader, length)?;
        }
        VolumeClass::Size => {
            space.total_units = reader.u64()?;
            space.caller_available_units = reader.u64()?;
            read_unit(&mut reader, &mut facts.sectors)?;
        }
        VolumeClass::FullSize => {
            space.total_units = reader.u64()?;
            space.caller_available_units = reader.u64()?;
            space.available_units = reader.u64()?;
            read_unit(&mut reader, &mut facts.sectors)?;
        }
        VolumeClass::Device => {
            reader.skip(4)?;
            facts.device_characteristics = reader.u32()?;
        }
        VolumeClass::Attribute => {
            facts.file_system.attributes = FileSystemAttributes::from_bits_retain(reader.u32()?);
            facts.file_system.component_length_max = reader.u32()?;
            let length = reader.u32()?;
            facts.file_system.name = read_text(&mut reader, length)?;
        }
        VolumeClass::ObjectId => facts.object_id = reader.array()?,
        VolumeClass::SectorSize => {
            facts.sectors.bytes_per_sector = reader.u32()?;
            facts.sectors.physical_bytes_per_sector = reader.u32()?;
            reader.skip(8)?;
            facts.sectors.flags = reader.u32()?;
        }
        VolumeClass::Posix => {
            reader.skip(4)?;
            facts.sectors = SectorFacts { sectors_per_unit: 1, bytes_per_sector: reader.u32()?, ..facts.sectors };
            space.total_units = reader.u64()?;
            space.available_units = reader.u64()?;
            space.caller_available_units = reader.u64()?;
            space.total_files = reader.u64()?;
            space.available_files = reader.u64()?;
            facts.serial_number = u32::try_from(reader.u64()?).map_err(|_| Malformed)?;
        }
    }
    Ok(facts)
}

fn read_unit(reader: &mut Reader, sectors: &mut SectorFacts) -> Result<(), Malformed> {
    sectors.sectors_per_unit = reader.u32()?;
    sectors.bytes_per_sector = reader.u32()?;
    Ok(())
}

fn read_text(reader: &mut Reader, length: u32) -> Result<String, Malformed> {
    utf16(&reader.take(usize::try_from(length).map_err(|_| Malformed)?)?)
}

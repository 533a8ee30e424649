use bytes::Bytes;

use crate::access::AccessMask;
use crate::attributes::FileAttributes;
use crate::cursor::{Malformed, Reader, range, utf16};
use crate::info::metadata::FileTimes;
use crate::info::posix;

use super::class::FileClass;
use super::stream::FIXED_LENGTH;
use super::{FileFacts, StreamFacts};

/// Decodes the answer to a query, for a client. Facts that the class doesn't give are left at their default.
pub fn decode(class: FileClass, bytes: &Bytes) -> Result<FileFacts, Malformed> {
    let mut reader = Reader::new(bytes.clone());
    let mut facts = FileFacts::default();
    match class {
        FileClass::Basic => read_basic(&mut reader, &mut facts)?,
        FileClass::Standard => read_standard(&mut reader, &mut facts)?,
        FileClass::Internal => facts.metadata.file_id = reader.u64()?,
        FileClass::Ea => facts.metadata.ea_size = reader.u32()?,
        FileClass::Access => facts.open.access = AccessMask::from_bits_retain(reader.u32()?),
        FileClass::Position => facts.open.position = reader.u64()?,
        FileClass::Mode => facts.open.mode = reader.u32()?,
        FileClass::Alignment => facts.open.alignment = reader.u32()?,
        FileClass::All => read_all(&mut reader, &mut facts)?,
        FileClass::Name | FileClass::NormalizedName => facts.path = read_name(&mut reader)?,
        FileClass::AlternateName => facts.alternate_name = Some(read_name(&mut reader)?),
        FileClass::Stream => facts.streams = read_streams(bytes)?,
        FileClass::Compression => facts.metadata.end_of_file = reader.u64()?,
        FileClass::NetworkOpen => read_network_open(&mut reader, &mut facts)?,
        FileClass::AttributeTag => {
            facts.metadata.attributes = FileAttributes::from_bits_retain(reader.u32()?);
            facts.metadata.reparse_tag = reader.u32()?;
        }
        FileClass::Id => {
            facts.volume_id = reader.u64()?;
            facts.metadata.file_id = reader.u64()?;
        }
        FileClass::Posix => {
            let (metadata, posix) = posix::read(&mut reader)?;
            facts.metadata = metadata;
            facts.posix = Some(posix);
        }
    }
    Ok(facts)
}

fn read_basic(reader: &mut Reader, facts: &mut FileFacts) -> Result<(), Malformed> {
    facts.metadata.times = FileTimes::read(reader)?;
    facts.metadata.attributes = FileAttributes::from_bits_retain(reader.u32()?);
    reader.skip(4)
}

fn read_standard(reader: &mut Reader, facts: &mut FileFacts) -> Result<(), Malformed> {
    facts.metadata.allocation_size = reader.u64()?;
    facts.metadata.end_of_file = reader.u64()?;
    facts.links = reader.u32()?;
    facts.delete_pending = reader.u8()? != 0;
    facts.directory = reader.u8()? != 0;
    reader.skip(2)
}

fn read_all(reader: &mut Reader, facts: &mut FileFacts) -> Result<(), Malformed> {
    read_basic(reader, facts)?;
    read_standard(reader, facts)?;
    facts.metadata.file_id = reader.u64()?;
    facts.metadata.ea_size = reader.u32()?;
    facts.open.access = AccessMask::from_bits_retain(reader.u32()?);
    facts.open.position = reader.u64()?;
    facts.open.mode = reader.u32()?;
    facts.open.alignment = reader.u32()?;
    facts.path = read_name(reader)?;
    Ok(())
}

fn read_network_open(reader: &mut Reader, facts: &mut FileFacts) -> Result<(), Malformed> {
    facts.metadata.times = FileTimes::read(reader)?;
    facts.metadata.allocation_size = reader.u64()?;
    facts.metadata.end_of_file = reader.u64()?;
    facts.metadata.attributes = FileAttributes::from_bits_retain(reader.u32()?);
    Ok(())
}

fn read_name(reader: &mut Reader) -> Result<String, Malformed> {
    let length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
    utf16(&reader.take(length)?)
}

fn read_streams(bytes: &Bytes) -> Result<Vec<StreamFacts>, Malformed> {
    let mut streams = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let mut reader = Reader::new(rest.clone());
        let next = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let name_length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let (size, allocation_size) = (reader.u64()?, reader.u64()?);
        let name = utf16(&reader.take(name_length)?)?;
        let name = name.strip_prefix(':').and_then(|name| name.strip_suffix(":$DATA")).ok_or(Malformed)?;
        streams.push(StreamFacts { name: name.to_owned(), size, allocation_size });
        if next == 0 {
            break;
        }
        if next < FIXED_LENGTH {
            return Err(Malformed);
        }
        let rest_length = rest.len().checked_sub(next).ok_or(Malformed)?;
        rest = range(&rest, next as u64, rest_length as u64)?;
    }
    Ok(streams)
}

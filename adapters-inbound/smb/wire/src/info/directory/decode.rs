use std::borrow::Cow;

use bytes::Bytes;

use crate::attributes::FileAttributes;
use crate::cursor::{Malformed, Reader, range, utf16};
use crate::info::metadata::FileTimes;
use crate::info::posix;

use super::class::DirectoryClass;
use super::entry::DirectoryEntry;

/// Decodes a page, for a client. Facts that the class doesn't give are left at their default; what Apple's clients
/// read in other fields isn't told apart from those fields.
pub fn decode_page(class: DirectoryClass, page: &Bytes) -> Result<Vec<DirectoryEntry<'static>>, Malformed> {
    let mut entries = Vec::new();
    let mut rest = page.clone();
    while !rest.is_empty() {
        let mut reader = Reader::new(rest.clone());
        let next = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        entries.push(read_entry(class, &mut reader)?);
        if next == 0 {
            break;
        }
        if next < reader.position() {
            return Err(Malformed);
        }
        let rest_length = rest.len().checked_sub(next).ok_or(Malformed)?;
        rest = range(&rest, next as u64, rest_length as u64)?;
    }
    Ok(entries)
}

fn read_entry(class: DirectoryClass, reader: &mut Reader) -> Result<DirectoryEntry<'static>, Malformed> {
    let mut entry = DirectoryEntry { file_index: reader.u32()?, ..DirectoryEntry::default() };
    let name_length = match class {
        DirectoryClass::Names => reader.u32()?,
        DirectoryClass::Posix => {
            let (metadata, posix) = posix::read(reader)?;
            entry.metadata = metadata;
            entry.posix = Some(posix);
            reader.u32()?
        }
        _ => {
            let name_length = read_metadata(reader, &mut entry)?;
            read_class(class, reader, &mut entry)?;
            name_length
        }
    };
    entry.name = Cow::Owned(utf16(&reader.take(usize::try_from(name_length).map_err(|_| Malformed)?)?)?);
    Ok(entry)
}

fn read_metadata(reader: &mut Reader, entry: &mut DirectoryEntry<'_>) -> Result<u32, Malformed> {
    entry.metadata.times = FileTimes::read(reader)?;
    entry.metadata.end_of_file = reader.u64()?;
    entry.metadata.allocation_size = reader.u64()?;
    entry.metadata.attributes = FileAttributes::from_bits_retain(reader.u32()?);
    reader.u32()
}

fn read_class(
    class: DirectoryClass,
    reader: &mut Reader,
    entry: &mut DirectoryEntry<'static>,
) -> Result<(), Malformed> {
    if matches!(class, DirectoryClass::Directory) {
        return Ok(());
    }
    let ea_size = reader.u32()?;
    match class {
        DirectoryClass::IdExtdDirectory => {
            entry.metadata.ea_size = ea_size;
            entry.metadata.reparse_tag = reader.u32()?;
            entry.metadata.file_id = reader.u64()?;
            return reader.skip(8);
        }
        _ if entry.metadata.attributes.contains(FileAttributes::REPARSE_POINT) => entry.metadata.reparse_tag = ea_size,
        _ => entry.metadata.ea_size = ea_size,
    }
    if matches!(class, DirectoryClass::BothDirectory | DirectoryClass::IdBothDirectory) {
        let short_name_length = reader.u8()?;
        reader.skip(1)?;
        let short_name = range(&reader.take(24)?, 0, short_name_length.into())?;
        entry.short_name = Cow::Owned(utf16(&short_name)?);
    }
    match class {
        DirectoryClass::IdBothDirectory => reader.skip(2)?,
        DirectoryClass::IdFullDirectory => reader.skip(4)?,
        _ => return Ok(()),
    }
    entry.metadata.file_id = reader.u64()?;
    Ok(())
}

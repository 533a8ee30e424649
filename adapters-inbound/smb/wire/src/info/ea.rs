//! Extended attributes: FileFullEaInformation and the list of names to query (FILE_FULL_EA_INFORMATION,
//! FILE_GET_EA_INFORMATION).
//!
//! The create context SMB2_CREATE_EA_BUFFER holds the same list (MS-SMB2 2.2.13.2.1).

use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer, range};

use super::query::{Encoded, QueryError};

/// The information class of a list of extended attributes, for query and set.
pub const FULL_EA_CLASS: u8 = 15;

const ALIGNMENT: usize = 4;

/// An extended attribute.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ea {
    /// FILE_NEED_EA (0x80), or 0.
    pub flags: u8,
    /// The name, in ASCII, at most 255 bytes. It can't hold a NUL.
    pub name: Bytes,
    /// The value, at most 65,535 bytes. Empty in a SET_INFO: the attribute is deleted.
    pub value: Bytes,
}

/// Elements of a list: more than a file has attributes.
const ELEMENTS_MAX: usize = 8_192;

/// Decodes a list, and refuses one that isn't consistent (STATUS_EA_LIST_INCONSISTENT).
pub fn decode_list(bytes: &Bytes) -> Result<Vec<Ea>, Malformed> {
    let mut attributes = Vec::new();
    let mut rest = bytes.clone();
    loop {
        let mut reader = Reader::new(rest.clone());
        let next = reader.u32()?;
        let (flags, name_length, value_length) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let name = read_name(&mut reader, name_length)?;
        let value = reader.take(value_length.into())?;
        let used = reader.position();
        attributes.push(Ea { flags, name, value });
        if attributes.len() > ELEMENTS_MAX {
            return Err(Malformed);
        }
        match following(&rest, next, used)? {
            Some(following) => rest = following,
            None => return Ok(attributes),
        }
    }
}

/// Decodes FILE_GET_EA_INFORMATION, the names that a client asks for.
pub fn decode_names(bytes: &Bytes) -> Result<Vec<Bytes>, Malformed> {
    let mut names = Vec::new();
    let mut rest = bytes.clone();
    loop {
        let mut reader = Reader::new(rest.clone());
        let next = reader.u32()?;
        let name_length = reader.u8()?;
        names.push(read_name(&mut reader, name_length)?);
        if names.len() > ELEMENTS_MAX {
            return Err(Malformed);
        }
        let used = reader.position();
        match following(&rest, next, used)? {
            Some(following) => rest = following,
            None => return Ok(names),
        }
    }
}

/// Encodes the attributes that fit, in order and each as a whole. An attribute whose name or value is too long for its
/// field of the length is left out.
pub fn encode_list(attributes: &[Ea], limit: usize) -> Result<Encoded, QueryError> {
    let mut writer = Writer::with_capacity(limit.min(1024));
    let mut previous = None;
    let mut overflow = false;
    for attribute in attributes {
        let (Ok(name_length), Ok(value_length)) =
            (u8::try_from(attribute.name.len()), u16::try_from(attribute.value.len()))
        else {
            continue;
        };
        let start = writer.position().next_multiple_of(ALIGNMENT);
        if start + 8 + attribute.name.len() + 1 + attribute.value.len() > limit {
            overflow = true;
            break;
        }
        writer.align(ALIGNMENT);
        if let Some(previous) = previous {
            writer.patch_u32(previous, u32::try_from(start - previous).unwrap_or_default());
        }
        previous = Some(start);
        writer.u32(0);
        writer.u8(attribute.flags);
        writer.u8(name_length);
        writer.u16(value_length);
        writer.put(&attribute.name);
        writer.u8(0);
        writer.put(&attribute.value);
    }
    if overflow && previous.is_none() {
        return Err(QueryError::BufferTooSmall);
    }
    Ok(Encoded { bytes: writer.into_bytes().freeze(), overflow })
}

/// A name, and the NUL behind it.
fn read_name(reader: &mut Reader, length: u8) -> Result<Bytes, Malformed> {
    let name = reader.take(length.into())?;
    if name.is_empty() || name.contains(&0) || reader.u8()? != 0 { Err(Malformed) } else { Ok(name) }
}

/// The element behind one of `used` bytes, if there is one. It can't overlap, so that a list always comes to an end.
fn following(rest: &Bytes, next: u32, used: usize) -> Result<Option<Bytes>, Malformed> {
    if next == 0 {
        return Ok(None);
    }
    let next = usize::try_from(next).map_err(|_| Malformed)?;
    if next < used || !next.is_multiple_of(ALIGNMENT) {
        return Err(Malformed);
    }
    let length = rest.len().checked_sub(next).ok_or(Malformed)?;
    range(rest, next as u64, length as u64).map(Some)
}

#[cfg(test)]
mod tests;

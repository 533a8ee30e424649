//! The list of create contexts as names and data, MS-SMB2 2.2.13.2.

use bytes::Bytes;

use crate::cursor::{Fields, Malformed, Writer, range};
use crate::message::{length_u16, length_u32};

/// The names of create contexts.
#[derive(Clone, Copy, Debug)]
pub struct ContextName;

impl ContextName {
    /// Extended attributes of a new file.
    pub const EXTENDED_ATTRIBUTES: &'static [u8] = b"ExtA";
    /// The security descriptor of a new file.
    pub const SECURITY_DESCRIPTOR: &'static [u8] = b"SecD";
    /// A durable open.
    pub const DURABLE_REQUEST: &'static [u8] = b"DHnQ";
    /// The reconnect to a durable open.
    pub const DURABLE_RECONNECT: &'static [u8] = b"DHnC";
    /// The allocation size of a new file.
    pub const ALLOCATION_SIZE: &'static [u8] = b"AlSi";
    /// The query for the user's rights.
    pub const QUERY_MAXIMAL_ACCESS: &'static [u8] = b"MxAc";
    /// The time of a snapshot.
    pub const TIMEWARP_TOKEN: &'static [u8] = b"TWrp";
    /// The query for the file's number on its volume.
    pub const QUERY_ON_DISK_ID: &'static [u8] = b"QFid";
    /// A lease.
    pub const LEASE: &'static [u8] = b"RqLs";
    /// A durable or persistent open of version 2.
    pub const DURABLE_REQUEST_V2: &'static [u8] = b"DH2Q";
    /// The reconnect to a durable or persistent open of version 2.
    pub const DURABLE_RECONNECT_V2: &'static [u8] = b"DH2C";
    /// The instance of a clustered application, 2.2.13.2.13.
    pub const APP_INSTANCE_ID: &'static [u8] = b"\x45\xBC\xA6\x6A\xEF\xA7\xF7\x4A\x90\x08\xFA\x46\x2E\x14\x4D\x74";
    /// Apple's extensions.
    pub const APPLE: &'static [u8] = b"AAPL";
    /// The POSIX extensions.
    pub const POSIX: &'static [u8] = &Self::POSIX_GUID;

    pub(crate) const POSIX_GUID: [u8; 16] = *b"\x93\xAD\x25\x50\x9C\xB4\x11\xE7\xB4\x23\x83\xDE\x96\x8B\xCD\x7C";
}

/// One create context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateContext {
    /// Its name, of four bytes at least.
    pub name: Bytes,
    /// Its data; some have none.
    pub data: Bytes,
}

/// The create contexts of a request or response: a well-formed list, kept in its bytes. Its parts share the message's
/// allocation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CreateContexts {
    bytes: Bytes,
}

impl CreateContexts {
    const HEADER_SIZE: usize = 16;
    const NAME_LENGTH_MIN: u16 = 4;

    /// Checks a list.
    ///
    /// # Errors
    /// An element, its name or its data lies outside, a name has less than four bytes, or an element does not begin on
    /// 8 bytes from the first.
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            first(&mut rest)?;
        }
        Ok(Self { bytes })
    }

    /// The list's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The contexts in order.
    pub fn iter(&self) -> impl Iterator<Item = CreateContext> + use<> {
        let mut rest = self.bytes.clone();
        std::iter::from_fn(move || if rest.is_empty() { None } else { first(&mut rest).ok() })
    }

    /// The data of the first context with this name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Bytes> {
        self.iter().find(|context| context.name == name).map(|context| context.data)
    }
}

impl FromIterator<CreateContext> for CreateContexts {
    /// Makes the list's bytes: each element on 8 bytes, and its data too.
    fn from_iter<I: IntoIterator<Item = CreateContext>>(contexts: I) -> Self {
        let mut writer = Writer::default();
        let mut previous = None;
        for context in contexts {
            writer.align(8);
            let start = writer.position();
            if let Some(previous) = previous.replace(start) {
                writer.patch_u32(previous, length_u32(start - previous));
            }
            let name_end = CreateContexts::HEADER_SIZE + context.name.len();
            let data_offset = if context.data.is_empty() { 0 } else { name_end.next_multiple_of(8) };
            writer.u32(0);
            writer.u16(length_u16(CreateContexts::HEADER_SIZE));
            writer.u16(length_u16(context.name.len()));
            writer.u16(0);
            writer.u16(length_u16(data_offset));
            writer.u32(length_u32(context.data.len()));
            writer.put(&context.name);
            writer.align(8);
            writer.put(&context.data);
        }
        Self { bytes: writer.into_bytes().freeze() }
    }
}

/// Takes the first context from the front of a list, and leaves those that follow.
fn first(list: &mut Bytes) -> Result<CreateContext, Malformed> {
    let mut fields = Fields::new(list);
    let next: u32 = fields.read()?;
    let name_offset: u16 = fields.read()?;
    let name_length: u16 = fields.read()?;
    fields.skip(2)?;
    let data_offset: u16 = fields.read()?;
    let data_length: u32 = fields.read()?;

    let next = usize::try_from(next).map_err(|_| Malformed)?;
    let rest = if next == 0 {
        Bytes::new()
    } else if next.is_multiple_of(8) && next >= CreateContexts::HEADER_SIZE && next < list.len() {
        list.slice(next..)
    } else {
        return Err(Malformed);
    };
    if usize::from(name_offset) < CreateContexts::HEADER_SIZE || name_length < CreateContexts::NAME_LENGTH_MIN {
        return Err(Malformed);
    }
    let name = range(list, name_offset.into(), name_length.into())?;
    // Without data its offset means nothing.
    let data = if data_length == 0 {
        Bytes::new()
    } else if u32::from(data_offset) < u32::from(name_offset) + u32::from(name_length) {
        return Err(Malformed);
    } else {
        range(list, data_offset.into(), data_length.into())?
    };
    *list = rest;
    Ok(CreateContext { name, data })
}

#[cfg(test)]
mod tests;

//! The create contexts of a request, MS-SMB2 2.2.13.2.

use bytes::Bytes;

use super::{ContextName, CreateContext, Lease};
use crate::cursor::{Fields, Malformed, Writer};
use crate::filetime::FileTime;
use crate::identifiers::{FileId, Guid};
use crate::layout::{Field, bit_set};

bit_set! {
    /// The flags of durable opens of version 2.
    pub struct DurableFlags(u32) {
        /// The open is persistent: it survives a failure of the server.
        PERSISTENT = 0x0000_0002,
    }
}

/// A create context of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestContext {
    /// ExtA: the extended attributes of a new file, in the layout of MS-FSCC 2.4.16.
    ExtendedAttributes(Bytes),
    /// SecD: the security descriptor of a new file, MS-DTYP 2.4.6.
    SecurityDescriptor(Bytes),
    /// DHnQ: the open shall be durable.
    DurableRequest,
    /// DHnC: reconnect to a durable open.
    DurableReconnect(FileId),
    /// DH2Q: the open shall be durable, in version 2.
    DurableRequestV2 {
        /// How long to keep the open without a connection, in milliseconds; zero leaves it to the server.
        timeout_ms: u32,
        /// Whether it shall be persistent.
        flags: DurableFlags,
        /// The identifier of this CREATE.
        create_guid: Guid,
    },
    /// DH2C: reconnect to a durable open of version 2.
    DurableReconnectV2 {
        /// The open.
        file_id: FileId,
        /// The identifier of the CREATE that made it.
        create_guid: Guid,
        /// Whether it is persistent.
        flags: DurableFlags,
    },
    /// AlSi: the bytes to allocate for a new file.
    AllocationSize(u64),
    /// MxAc: return the user's rights, if the file changed since the given time.
    QueryMaximalAccess(Option<FileTime>),
    /// TWrp: open the file in the snapshot of this time.
    TimewarpToken(FileTime),
    /// QFid: return the file's number on its volume.
    QueryOnDiskId,
    /// RqLs: a lease.
    Lease(Lease),
    /// The instance of a clustered application that opens the file.
    AppInstanceId(Guid),
    /// AAPL: Apple's extensions.
    Apple(Bytes),
    /// The POSIX extensions, with the mode of a new file.
    Posix {
        /// The permission bits.
        mode: u32,
    },
    /// Another context, which is to be ignored.
    Unknown(CreateContext),
}

impl RequestContext {
    /// The StructureSize of the application instance context.
    const APP_INSTANCE_SIZE: u16 = 20;

    /// Reads a context's data.
    ///
    /// # Errors
    /// The data of a known context has another length than its layout.
    pub fn decode(context: CreateContext) -> Result<Self, Malformed> {
        let data = &context.data;
        Ok(match context.name.as_ref() {
            ContextName::EXTENDED_ATTRIBUTES => Self::ExtendedAttributes(context.data),
            ContextName::SECURITY_DESCRIPTOR => Self::SecurityDescriptor(context.data),
            ContextName::DURABLE_REQUEST => fixed::<16>(data).map(|_| Self::DurableRequest)?,
            ContextName::DURABLE_RECONNECT => Self::DurableReconnect(fixed::<16>(data)?.read()?),
            ContextName::DURABLE_REQUEST_V2 => {
                let mut fields = fixed::<32>(data)?;
                let (timeout_ms, flags) = (fields.read()?, fields.read()?);
                fields.skip(8)?;
                Self::DurableRequestV2 { timeout_ms, flags, create_guid: fields.read()? }
            }
            ContextName::DURABLE_RECONNECT_V2 => {
                let mut fields = fixed::<36>(data)?;
                Self::DurableReconnectV2 { file_id: fields.read()?, create_guid: fields.read()?, flags: fields.read()? }
            }
            ContextName::ALLOCATION_SIZE => Self::AllocationSize(fixed::<8>(data)?.read()?),
            ContextName::QUERY_MAXIMAL_ACCESS if data.is_empty() => Self::QueryMaximalAccess(None),
            ContextName::QUERY_MAXIMAL_ACCESS => Self::QueryMaximalAccess(Some(fixed::<8>(data)?.read()?)),
            ContextName::TIMEWARP_TOKEN => Self::TimewarpToken(fixed::<8>(data)?.read()?),
            ContextName::QUERY_ON_DISK_ID => fixed::<0>(data).map(|_| Self::QueryOnDiskId)?,
            ContextName::LEASE => Self::Lease(Lease::decode(data)?),
            ContextName::APP_INSTANCE_ID => {
                let mut fields = fixed::<20>(data)?;
                fields.skip(4)?;
                Self::AppInstanceId(fields.read()?)
            }
            ContextName::APPLE => Self::Apple(context.data),
            ContextName::POSIX => Self::Posix { mode: fixed::<4>(data)?.read()? },
            _ => Self::Unknown(context),
        })
    }

    /// The context with its name and data.
    #[must_use]
    pub fn encode(&self) -> CreateContext {
        let mut writer = Writer::default();
        let name = match self {
            Self::ExtendedAttributes(data) => return raw(ContextName::EXTENDED_ATTRIBUTES, data),
            Self::SecurityDescriptor(data) => return raw(ContextName::SECURITY_DESCRIPTOR, data),
            Self::Apple(data) => return raw(ContextName::APPLE, data),
            Self::Lease(lease) => return raw(ContextName::LEASE, &lease.encode()),
            Self::Unknown(context) => return context.clone(),
            Self::DurableRequest => {
                writer.zeros(16);
                ContextName::DURABLE_REQUEST
            }
            Self::DurableReconnect(file_id) => put(&mut writer, *file_id, ContextName::DURABLE_RECONNECT),
            Self::DurableRequestV2 { timeout_ms, flags, create_guid } => {
                writer.u32(*timeout_ms);
                writer.field(*flags);
                writer.zeros(8);
                put(&mut writer, *create_guid, ContextName::DURABLE_REQUEST_V2)
            }
            Self::DurableReconnectV2 { file_id, create_guid, flags } => {
                writer.field(*file_id);
                writer.field(*create_guid);
                put(&mut writer, *flags, ContextName::DURABLE_RECONNECT_V2)
            }
            Self::AllocationSize(size) => put(&mut writer, *size, ContextName::ALLOCATION_SIZE),
            Self::QueryMaximalAccess(None) => ContextName::QUERY_MAXIMAL_ACCESS,
            Self::QueryMaximalAccess(Some(time)) => put(&mut writer, *time, ContextName::QUERY_MAXIMAL_ACCESS),
            Self::TimewarpToken(time) => put(&mut writer, *time, ContextName::TIMEWARP_TOKEN),
            Self::QueryOnDiskId => ContextName::QUERY_ON_DISK_ID,
            Self::AppInstanceId(id) => {
                writer.u16(Self::APP_INSTANCE_SIZE);
                writer.zeros(2);
                put(&mut writer, *id, ContextName::APP_INSTANCE_ID)
            }
            Self::Posix { mode } => put(&mut writer, *mode, ContextName::POSIX),
        };
        CreateContext { name: Bytes::from_static(name), data: writer.into_bytes().freeze() }
    }
}

/// The fields of data that must have exactly this length.
pub(super) fn fixed<const N: usize>(data: &[u8]) -> Result<Fields<'_>, Malformed> {
    if data.len() == N { Ok(Fields::new(data)) } else { Err(Malformed) }
}

pub(super) fn raw(name: &'static [u8], data: &Bytes) -> CreateContext {
    CreateContext { name: Bytes::from_static(name), data: data.clone() }
}

fn put(writer: &mut Writer, value: impl Field, name: &'static [u8]) -> &'static [u8] {
    writer.field(value);
    name
}

#[cfg(test)]
mod tests;

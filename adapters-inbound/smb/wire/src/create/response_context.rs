//! The create contexts of a response, MS-SMB2 2.2.14.2.

use bytes::Bytes;

#[cfg(feature = "client")]
use super::request_context::fixed;
use super::request_context::raw;
use super::{ContextName, CreateContext, DurableFlags, Lease};
use crate::access::AccessMask;
#[cfg(feature = "client")]
use crate::cursor::Malformed;
use crate::cursor::Writer;
use crate::status::NtStatus;

/// A create context of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResponseContext {
    /// DHnQ: the open is durable.
    DurableRequest,
    /// DH2Q: the open is durable, in version 2.
    DurableRequestV2 {
        /// How long the server keeps the open without a connection, in milliseconds.
        timeout_ms: u32,
        /// Whether it is persistent.
        flags: DurableFlags,
    },
    /// MxAc: the user's rights.
    MaximalAccess {
        /// Whether they could be found out. If not, the rights mean nothing.
        query_status: NtStatus,
        /// The rights.
        maximal_access: AccessMask,
    },
    /// QFid: the file's number on its volume.
    OnDiskId {
        /// The file's number.
        disk_file_id: u64,
        /// The volume's number.
        volume_id: u64,
    },
    /// RqLs: the lease that was granted.
    Lease(Lease),
    /// AAPL: Apple's extensions.
    Apple(Bytes),
    /// The POSIX extensions.
    Posix {
        /// Hard links of the file.
        hard_links: u32,
        /// The reparse tag, or zero.
        reparse_tag: u32,
        /// The permission bits.
        mode: u32,
        /// The SIDs of owner and group, one behind the other (MS-DTYP 2.4.2.2).
        owner_and_group: Bytes,
    },
    /// Another context.
    Unknown(CreateContext),
}

impl ResponseContext {
    /// The context with its name and data.
    #[must_use]
    pub fn encode(&self) -> CreateContext {
        let mut writer = Writer::default();
        let name = match self {
            Self::Lease(lease) => return raw(ContextName::LEASE, &lease.encode()),
            Self::Apple(data) => return raw(ContextName::APPLE, data),
            Self::Unknown(context) => return context.clone(),
            Self::DurableRequest => {
                writer.zeros(8);
                ContextName::DURABLE_REQUEST
            }
            Self::DurableRequestV2 { timeout_ms, flags } => {
                writer.u32(*timeout_ms);
                writer.field(*flags);
                ContextName::DURABLE_REQUEST_V2
            }
            Self::MaximalAccess { query_status, maximal_access } => {
                writer.field(*query_status);
                writer.field(*maximal_access);
                ContextName::QUERY_MAXIMAL_ACCESS
            }
            Self::OnDiskId { disk_file_id, volume_id } => {
                writer.u64(*disk_file_id);
                writer.u64(*volume_id);
                writer.zeros(16);
                ContextName::QUERY_ON_DISK_ID
            }
            Self::Posix { hard_links, reparse_tag, mode, owner_and_group } => {
                writer.u32(*hard_links);
                writer.u32(*reparse_tag);
                writer.u32(*mode);
                writer.put(owner_and_group);
                ContextName::POSIX
            }
        };
        CreateContext { name: Bytes::from_static(name), data: writer.into_bytes().freeze() }
    }

    /// Reads a context's data.
    ///
    /// # Errors
    /// The data of a known context has another length than its layout.
    #[cfg(feature = "client")]
    pub fn decode(context: CreateContext) -> Result<Self, Malformed> {
        let data = &context.data;
        Ok(match context.name.as_ref() {
            ContextName::DURABLE_REQUEST => fixed::<8>(data).map(|_| Self::DurableRequest)?,
            ContextName::DURABLE_REQUEST_V2 => {
                let mut fields = fixed::<8>(data)?;
                Self::DurableRequestV2 { timeout_ms: fields.read()?, flags: fields.read()? }
            }
            ContextName::QUERY_MAXIMAL_ACCESS => {
                let mut fields = fixed::<8>(data)?;
                Self::MaximalAccess { query_status: fields.read()?, maximal_access: fields.read()? }
            }
            ContextName::QUERY_ON_DISK_ID => {
                let mut fields = fixed::<32>(data)?;
                Self::OnDiskId { disk_file_id: fields.read()?, volume_id: fields.read()? }
            }
            ContextName::LEASE => Self::Lease(Lease::decode(data)?),
            ContextName::APPLE => Self::Apple(context.data),
            ContextName::POSIX => {
                let mut reader = crate::cursor::Reader::new(context.data);
                Self::Posix {
                    hard_links: reader.u32()?,
                    reparse_tag: reader.u32()?,
                    mode: reader.u32()?,
                    owner_and_group: reader.take(reader.remaining())?,
                }
            }
            _ => Self::Unknown(context),
        })
    }
}

#[cfg(test)]
mod tests;

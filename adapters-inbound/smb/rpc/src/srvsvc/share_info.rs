//! The members of the SHARE_INFO structures, level by level, and NetrShareGetInfo.

use bytes::Bytes;

use crate::ndr::{NdrReader, NdrWriter, Syntax, Value};
use crate::pdu::Fault;
use crate::server::{Server, Share};
use crate::win32::{ERROR_ACCESS_DENIED, ERROR_INVALID_LEVEL, ERROR_SUCCESS, NERR_NET_NAME_NOT_FOUND};

/// A member of the SHARE_INFO structures (MS-SRVS 2.2.4.22 to 2.2.4.29).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Member {
    NetName,
    Type,
    Remark,
    Permissions,
    MaxUses,
    CurrentUses,
    Path,
    Passwd,
    ServerName,
    Reserved,
    SecurityDescriptor,
    Flags,
}

impl Member {
    /// The members of the SHARE_INFO structure of a level, if the level is one that NetrShareGetInfo or NetrShareEnum
    /// may ask for.
    pub(super) fn of_level(level: u32) -> Option<&'static [Self]> {
        use Member::*;
        match level {
            0 => Some(&[NetName]),
            1 => Some(&[NetName, Type, Remark]),
            2 => Some(&[NetName, Type, Remark, Permissions, MaxUses, CurrentUses, Path, Passwd]),
            501 => Some(&[NetName, Type, Remark, Flags]),
            502 => Some(&[
                NetName,
                Type,
                Remark,
                Permissions,
                MaxUses,
                CurrentUses,
                Path,
                Passwd,
                Reserved,
                SecurityDescriptor,
            ]),
            503 => Some(&[
                NetName,
                Type,
                Remark,
                Permissions,
                MaxUses,
                CurrentUses,
                Path,
                Passwd,
                ServerName,
                Reserved,
                SecurityDescriptor,
            ]),
            1005 => Some(&[Flags]),
            _ => None,
        }
    }

    /// Whether the member lies behind a pointer.
    pub(super) fn is_pointer(self) -> bool {
        match self {
            Self::NetName | Self::Remark | Self::Path | Self::Passwd | Self::ServerName | Self::SecurityDescriptor => {
                true
            }
            Self::Type | Self::Permissions | Self::MaxUses | Self::CurrentUses | Self::Reserved | Self::Flags => false,
        }
    }

    /// The member's value for a share.
    pub(super) fn value(self, share: &Share) -> Value<'_> {
        match self {
            Self::NetName => Value::Text(&share.name),
            Self::Type => Value::Number(share.share_type()),
            Self::Remark => Value::Text(&share.comment),
            // Access of share-level security, which there is none of, and the length of the security descriptor.
            Self::Permissions | Self::Reserved => Value::Number(0),
            Self::MaxUses => Value::Number(share.max_users.unwrap_or(u32::MAX)),
            Self::CurrentUses => Value::Number(share.current_users),
            Self::Path => Value::Text(&share.path),
            Self::Passwd | Self::SecurityDescriptor => Value::Null,
            Self::ServerName => Value::Text("*"),
            Self::Flags => Value::Number(share.flags),
        }
    }
}

/// NetrShareGetInfo (MS-SRVS 3.1.4.10).
///
/// Levels 0, 1, 2, 501, 502 and 1005 are answered, 502 without a security descriptor. 503 is for administrators.
pub(super) fn netr_share_get_info(arguments: &mut NdrReader, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    let (name, level) = (arguments.string()?, arguments.u32()?);
    let info = match Member::of_level(level) {
        None => Err(ERROR_INVALID_LEVEL),
        Some(_) if level == 503 => Err(ERROR_ACCESS_DENIED),
        Some(members) => server.share(&name).map(|share| (members, share)).ok_or(NERR_NET_NAME_NOT_FOUND),
    };
    let mut results = NdrWriter::new(syntax);
    results.discriminant(level);
    match &info {
        Ok((members, share)) => {
            results.pointer();
            results.structures(&[members.iter().map(|member| member.value(share)).collect()]);
        }
        Err(_) if has_arm(level) => results.null(),
        Err(_) => {}
    }
    results.u32(info.err().unwrap_or(ERROR_SUCCESS));
    Ok(results.into_stub())
}

/// Whether the union SHARE_INFO (MS-SRVS 2.2.3.6) has a pointer for a level. For any other it has nothing.
fn has_arm(level: u32) -> bool {
    matches!(level, 0 | 1 | 2 | 501 | 502 | 503 | 1004 | 1005 | 1006 | 1501)
}

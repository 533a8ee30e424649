//! NetrServerGetInfo.

use bytes::Bytes;

use crate::ndr::{NdrReader, NdrWriter, Syntax, Value};
use crate::pdu::Fault;
use crate::server::Server;
use crate::win32::{ERROR_ACCESS_DENIED, ERROR_SUCCESS, PLATFORM_ID_NT};

/// NetrServerGetInfo (MS-SRVS 3.1.4.17).
///
/// Levels 100, 101 and 102 are answered. 103, 502 and 503 are the server's settings, and for administrators. Other
/// levels are for setting single values, and a fault here.
pub(super) fn netr_server_get_info(arguments: &mut NdrReader, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    let level = arguments.u32()?;
    let info = match level {
        100 => Some(server_info_100(server)),
        101 => Some(server_info_101(server)),
        102 => Some(server_info_102(server)),
        103 | 502 | 503 => None,
        _ => return Err(Fault::INVALID_TAG),
    };
    let mut results = NdrWriter::new(syntax);
    results.discriminant(level);
    let status = match info {
        Some(structure) => {
            results.pointer();
            results.structures(&[structure]);
            ERROR_SUCCESS
        }
        None => {
            results.null();
            ERROR_ACCESS_DENIED
        }
    };
    results.u32(status);
    Ok(results.into_stub())
}

/// SERVER_INFO_100 (MS-SRVS 2.2.4.40).
fn server_info_100(server: &Server) -> Vec<Value<'_>> {
    vec![Value::Number(PLATFORM_ID_NT), Value::Text(&server.name)]
}

/// SERVER_INFO_101 (MS-SRVS 2.2.4.41).
fn server_info_101(server: &Server) -> Vec<Value<'_>> {
    let mut members = server_info_100(server);
    members.extend([
        Value::Number(server.version_major),
        Value::Number(server.version_minor),
        Value::Number(server.server_type),
        Value::Text(&server.comment),
    ]);
    members
}

/// SERVER_INFO_102 (MS-SRVS 2.2.4.42). What it tells beyond 101 is that of a server with the usual settings.
fn server_info_102(server: &Server) -> Vec<Value<'_>> {
    const UNLIMITED_USERS: u32 = u32::MAX;
    const MINUTES_UNTIL_DISCONNECT: u32 = 15;
    const VISIBLE: u32 = 0;
    const ANNOUNCE_SECONDS: u32 = 240;
    const ANNOUNCE_DELTA_MS: u32 = 3_000;
    const LICENSES: u32 = 0;
    let mut members = server_info_101(server);
    members.extend(
        [UNLIMITED_USERS, MINUTES_UNTIL_DISCONNECT, VISIBLE, ANNOUNCE_SECONDS, ANNOUNCE_DELTA_MS, LICENSES]
            .map(Value::Number),
    );
    members.push(Value::Text("C:\\"));
    members
}

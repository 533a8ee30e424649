//! The Workstation Service Remote Protocol (MS-WKST): the call by which clients ask for a server's domain.

use bytes::Bytes;

use crate::ndr::{NdrReader, NdrWriter, Syntax, Value};
use crate::pdu::Fault;
use crate::server::Server;
use crate::win32::{ERROR_ACCESS_DENIED, ERROR_SUCCESS, PLATFORM_ID_NT};

/// Calls a procedure.
pub(crate) fn call(opnum: u16, stub: Bytes, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    const NETR_WKSTA_GET_INFO: u16 = 0;
    match opnum {
        NETR_WKSTA_GET_INFO => netr_wksta_get_info(&mut NdrReader::new(stub, syntax), syntax, server),
        _ => Err(Fault::OP_RNG_ERROR),
    }
}

/// NetrWkstaGetInfo (MS-WKST 3.2.4.1).
///
/// Levels 100 and 101 are answered. 102 and 502 tell of users and settings, and are for administrators. Other
/// levels are for setting single values, and a fault here.
fn netr_wksta_get_info(arguments: &mut NdrReader, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    arguments.skip_string_pointer()?;
    let level = arguments.u32()?;
    let mut results = NdrWriter::new(syntax);
    results.discriminant(level);
    let status = match level {
        100 | 101 => {
            results.pointer();
            results.structures(&[wksta_info(level, server)]);
            ERROR_SUCCESS
        }
        102 | 502 => {
            results.null();
            ERROR_ACCESS_DENIED
        }
        _ => return Err(Fault::INVALID_TAG),
    };
    results.u32(status);
    Ok(results.into_stub())
}

/// WKSTA_INFO_100 or WKSTA_INFO_101 (MS-WKST 2.2.5.1, 2.2.5.2). The latter adds a folder of LAN Manager, which no
/// system has any more.
fn wksta_info(level: u32, server: &Server) -> Vec<Value<'_>> {
    let mut members = vec![
        Value::Number(PLATFORM_ID_NT),
        Value::Text(&server.name),
        Value::Text(&server.domain),
        Value::Number(server.version_major),
        Value::Number(server.version_minor),
    ];
    if level == 101 {
        members.push(Value::Text(""));
    }
    members
}

#[cfg(test)]
mod tests;

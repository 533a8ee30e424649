//! The Server Service Remote Protocol (MS-SRVS), as far as clients list shares with it.

mod server_info;
mod share_enum;
mod share_info;

use bytes::Bytes;

use crate::ndr::{NdrReader, Syntax};
use crate::pdu::Fault;
use crate::server::Server;

pub use share_enum::MAX_RESPONSE_BYTES;

/// Numbers of procedures (MS-SRVS 3.1.4).
mod opnum {
    pub(super) const NETR_SHARE_ENUM: u16 = 15;
    pub(super) const NETR_SHARE_GET_INFO: u16 = 16;
    pub(super) const NETR_SERVER_GET_INFO: u16 = 21;
    pub(super) const NETR_SHARE_ENUM_STICKY: u16 = 36;
}

/// Calls a procedure. All of them begin with the server's name, which an address has made needless.
pub(crate) fn call(opnum: u16, stub: Bytes, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    let mut arguments = NdrReader::new(stub, syntax);
    let arguments = &mut arguments;
    match opnum {
        opnum::NETR_SHARE_ENUM => {
            arguments.skip_string_pointer()?;
            share_enum::netr_share_enum(arguments, syntax, server)
        }
        opnum::NETR_SHARE_ENUM_STICKY => {
            arguments.skip_string_pointer()?;
            share_enum::netr_share_enum_sticky(arguments, syntax, server)
        }
        opnum::NETR_SHARE_GET_INFO => {
            arguments.skip_string_pointer()?;
            share_info::netr_share_get_info(arguments, syntax, server)
        }
        opnum::NETR_SERVER_GET_INFO => {
            arguments.skip_string_pointer()?;
            server_info::netr_server_get_info(arguments, syntax, server)
        }
        _ => Err(Fault::OP_RNG_ERROR),
    }
}

#[cfg(test)]
mod tests;

//! The interfaces that pipes lead to.

use bytes::Bytes;

use crate::ndr::Syntax;
use crate::pdu::{Fault, SyntaxId};
use crate::server::Server;
use crate::{srvsvc, wkssvc};

/// An interface. Each is behind a pipe of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Interface {
    /// srvsvc, the Server Service Remote Protocol (MS-SRVS).
    ServerService,
    /// wkssvc, the Workstation Service Remote Protocol (MS-WKST).
    WorkstationService,
}

impl Interface {
    /// The interface behind a pipe. Clients of old protocols put a backslash or `\PIPE\` in front of the name.
    pub(crate) fn of_pipe(name: &str) -> Option<Self> {
        let name = name.trim_start_matches('\\').to_ascii_lowercase();
        match name.strip_prefix("pipe\\").unwrap_or(&name) {
            "srvsvc" => Some(Self::ServerService),
            "wkssvc" => Some(Self::WorkstationService),
            _ => None,
        }
    }

    /// The pipe as a bind_ack names it.
    pub(crate) fn secondary_address(self) -> &'static str {
        match self {
            Self::ServerService => "\\PIPE\\srvsvc",
            Self::WorkstationService => "\\PIPE\\wkssvc",
        }
    }

    /// By which a bind names the interface.
    pub(crate) fn id(self) -> SyntaxId {
        match self {
            Self::ServerService => {
                SyntaxId::new(0x4b32_4fc8, 0x1670, 0x01d3, [0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88], 3)
            }
            Self::WorkstationService => {
                SyntaxId::new(0x6bff_d098, 0xa112, 0x3610, [0x98, 0x33, 0x46, 0xc3, 0xf8, 0x7e, 0x34, 0x5a], 1)
            }
        }
    }

    /// Calls a procedure: its results for these arguments, both in the same syntax.
    pub(crate) fn call(self, opnum: u16, stub: Bytes, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
        match self {
            Self::ServerService => srvsvc::call(opnum, stub, syntax, server),
            Self::WorkstationService => wkssvc::call(opnum, stub, syntax, server),
        }
    }
}

//! Asks the portmapper of a client.

use std::net::{IpAddr, SocketAddr};

use super::{
    PROGRAM, VERSION,
    wire::{IPPROTO_TCP, Procedure, mapping},
};
use crate::rpc::outgoing::{CallError, Target, call};

/// Where the programs of a client are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientPortmap {
    /// The port of the clients' portmappers: 111, but for tests.
    pub(crate) port: u16,
}

impl ClientPortmap {
    /// The procedure of a client at an address, which knows the server by `from`.
    pub(crate) async fn find(
        self,
        (to, from): (IpAddr, IpAddr),
        (program, version): (u32, u32),
        procedure: u32,
    ) -> Result<Target, CallError> {
        let portmapper = Target {
            to: SocketAddr::new(to, self.port),
            from,
            program: PROGRAM,
            version: VERSION,
            procedure: Procedure::GETPORT as u32,
        };
        let wanted = mapping { prog: program, vers: version, prot: IPPROTO_TCP, port: 0 };
        let port: u32 = call(portmapper, &wanted).await?;
        let port = u16::try_from(port).ok().filter(|port| *port != 0).ok_or(CallError::Refused)?;
        Ok(Target { to: SocketAddr::new(to, port), from, program, version, procedure })
    }
}

//! The portmapper, version 2 (RFC 1833 section 3), for the programs of this server only.
//!
//! It answers from a fixed list. Nobody can register anything, and no call is passed on, since both would serve attackers first.

pub(crate) mod lookup;
pub mod wire;

use async_trait::async_trait;
use dittofs_xdr::{LinkedList, XdrError};

use crate::rpc::{self, Call, Operations, Program, Reply};
use wire::{Procedure, mapping};

/// The program's number.
pub const PROGRAM: u32 = 100_000;
/// The program's version.
pub const VERSION: u32 = 2;
/// The port where clients look for it.
pub const PORT: u16 = 111;

const OPERATIONS: Operations = Operations {
    protocol: "portmap2",
    procedures: &[
        rpc::Procedure::sure("NULL"),
        rpc::Procedure::sure("SET"),
        rpc::Procedure::sure("UNSET"),
        rpc::Procedure::sure("GETPORT"),
        rpc::Procedure::sure("DUMP"),
        rpc::Procedure::sure("CALLIT"),
    ],
    statuses: &[(0, "OK")],
};

/// The portmapper as an RPC program.
#[derive(Debug)]
pub struct Portmap {
    mappings: LinkedList<mapping>,
}

impl Portmap {
    /// A portmapper that knows these mappings.
    pub fn new(mappings: Vec<mapping>) -> Self {
        Self { mappings: LinkedList(mappings) }
    }

    fn answer(&self, mut call: Call) -> Result<Reply, XdrError> {
        let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
        Ok(match procedure {
            Procedure::NULL => Reply::success(&call.decode::<()>()?),
            Procedure::SET | Procedure::UNSET => {
                call.decode::<mapping>()?;
                Reply::success(&false)
            }
            Procedure::GETPORT => Reply::success(&self.port_of(&call.decode()?)),
            Procedure::DUMP => {
                call.decode::<()>()?;
                Reply::success(&self.mappings)
            }
            Procedure::CALLIT => Reply::proc_unavail(),
        })
    }

    /// The port of a program, or 0. The version need not match: the program itself tells a client which versions it serves.
    fn port_of(&self, wanted: &mapping) -> u32 {
        let candidates =
            || self.mappings.0.iter().filter(|known| (known.prog, known.prot) == (wanted.prog, wanted.prot));
        let exact = candidates().find(|known| known.vers == wanted.vers);
        exact.or_else(|| candidates().next()).map_or(0, |known| known.port)
    }
}

#[async_trait]
impl Program for Portmap {
    fn number(&self) -> u32 {
        PROGRAM
    }

    fn versions(&self) -> &'static [u32] {
        &[VERSION]
    }

    fn operations(&self) -> Operations {
        OPERATIONS
    }

    async fn call(&self, call: Call) -> Reply {
        self.answer(call).unwrap_or_else(Reply::from)
    }
}

#[cfg(test)]
mod tests;

//! The log's line of a call, at `debug`: of each program that does not write its own, and of each call that RPC
//! refuses.

use std::net::SocketAddr;
use std::time::Instant;

use tracing::Level;

use super::{Call, Credential, Operations, Program, Reply};

/// The target of the log's lines about calls.
pub(crate) const CALLS: &str = "dittofs_nfs::calls";

/// The contents of a call's line in the log.
pub(super) struct CallLine<'a> {
    client: SocketAddr,
    xid: u32,
    /// The user, where the call names one.
    uid: Option<u32>,
    /// None where nobody serves it.
    served: Option<&'a dyn Program>,
    program: u32,
    version: u32,
    procedure: u32,
    path: Option<String>,
    began: Instant,
}

impl<'a> CallLine<'a> {
    /// A call begins; none where nobody asks for its line.
    pub(super) fn begin(call: &Call, served: Option<&'a dyn Program>) -> Option<Self> {
        if !tracing::enabled!(target: CALLS, Level::DEBUG) {
            return None;
        }
        let uid = if let Credential::Sys(sys) = &call.credential { Some(sys.uid) } else { None };
        Some(Self {
            client: call.peer,
            xid: call.xid,
            uid,
            served,
            program: call.program,
            version: call.version,
            procedure: call.procedure,
            path: served.and_then(|served| served.path(call)),
            began: Instant::now(),
        })
    }

    /// The call has been answered.
    pub(super) fn end(self, reply: &Reply) {
        let Self { client, xid, uid, program, version, path, .. } = self;
        let operations = self.served.map_or(Operations::OF_NOBODY, Program::operations);
        let name = operations.procedure(self.procedure).map(|procedure| procedure.name.to_owned());
        let procedure = name.unwrap_or_else(|| self.procedure.to_string());
        let outcome = reply.outcome();
        let result = match self.served {
            Some(served) => served.result(self.procedure, outcome),
            None => operations.result(self.procedure, outcome),
        };
        let (protocol, us) = (operations.protocol, self.began.elapsed().as_micros() as u64);
        tracing::debug!(
            target: CALLS,
            %client,
            xid,
            uid,
            protocol,
            program,
            version,
            procedure,
            path,
            result,
            us,
            "call"
        );
    }
}

/// Writes the line of a call of which nothing is known but where it comes from, as its header is of no version that is
/// served.
pub(super) fn refused(client: SocketAddr, xid: u32, result: &str) {
    tracing::debug!(target: CALLS, %client, xid, protocol = Operations::OF_NOBODY.protocol, result, "call");
}

#[cfg(test)]
mod tests;

//! The Network Lock Manager, version 4 (Open Group C702, "XNFS", chapter 14): a stub that grants no locks.
//!
//! A client that was mounted without `nolock` asks for each lock here. Nobody answering would make its programs hang; this answer
//! makes them fail with ENOLCK at once.

pub mod wire;

use async_trait::async_trait;
use dittofs_xdr::XdrError;

use crate::rpc::{self, Call, Operations, Outcome, Program, Reply};
use wire::{Procedure, nlm4_res, nlm4_shareres, nlm4_stats};

/// The program's number.
pub const PROGRAM: u32 = 100_021;
/// The version that goes with NFSv3.
pub const VERSION: u32 = 4;
/// Versions 1 to 3, which go with NFSv2, have the same results for what is answered here; some clients look for version 1 first to
/// see whether anybody serves locks at all.
pub const VERSIONS: [u32; 3] = [1, 3, VERSION];

const OPERATIONS: Operations = Operations {
    protocol: "nlm4",
    procedures: &[
        rpc::Procedure::sure("NULL"),
        rpc::Procedure::sure("TEST"),
        rpc::Procedure::sure("LOCK"),
        rpc::Procedure::sure("CANCEL"),
        rpc::Procedure::sure("UNLOCK"),
        rpc::Procedure::sure("GRANTED"),
    ],
    statuses: &[(0, "OK")],
};

/// The lock manager as an RPC program.
#[derive(Debug, Default)]
pub struct Nlm4;

/// Returns the status with which a procedure is always answered; none where its result has no status.
fn stat_of(procedure: Procedure) -> Option<nlm4_stats> {
    Some(match procedure {
        // A client that has started again gives up what it held, which is nothing.
        Procedure::NULL | Procedure::FREE_ALL => return None,
        Procedure::TEST | Procedure::LOCK | Procedure::NM_LOCK | Procedure::SHARE => nlm4_stats::NLM4_DENIED_NOLOCKS,
        // Nothing is held and nothing waits, which is what the client wants.
        Procedure::UNLOCK | Procedure::CANCEL | Procedure::UNSHARE => nlm4_stats::NLM4_GRANTED,
        // Nobody here waits for a lock.
        Procedure::GRANTED => nlm4_stats::NLM4_DENIED,
    })
}

fn answer(mut call: Call) -> Result<Reply, XdrError> {
    // Calls that are answered by a call in return are not served: there would be nobody to wait for that.
    let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
    let Some(stat) = stat_of(procedure) else { return Ok(Reply::success(&())) };
    // The arguments begin with what makes the client know its answer again.
    let result = nlm4_res { cookie: call.decode()?, stat };
    Ok(match procedure {
        Procedure::SHARE | Procedure::UNSHARE => Reply::success(&nlm4_shareres { result, sequence: 0 }),
        _ => Reply::success(&result),
    })
}

#[async_trait]
impl Program for Nlm4 {
    fn number(&self) -> u32 {
        PROGRAM
    }

    fn versions(&self) -> &'static [u32] {
        &VERSIONS
    }

    fn operations(&self) -> Operations {
        OPERATIONS
    }

    /// The status stands behind a cookie of the client's.
    fn result(&self, procedure: u32, outcome: Outcome) -> &'static str {
        let stat = Procedure::of(procedure).and_then(stat_of);
        match (outcome, stat) {
            (Outcome::Accepted { stat: 0, .. }, Some(nlm4_stats::NLM4_GRANTED)) => "GRANTED",
            (Outcome::Accepted { stat: 0, .. }, Some(nlm4_stats::NLM4_DENIED)) => "DENIED",
            (Outcome::Accepted { stat: 0, .. }, Some(nlm4_stats::NLM4_DENIED_NOLOCKS)) => "DENIED_NOLOCKS",
            _ => OPERATIONS.result(procedure, outcome),
        }
    }

    async fn call(&self, call: Call) -> Reply {
        answer(call).unwrap_or_else(Reply::from)
    }
}

#[cfg(test)]
mod tests;

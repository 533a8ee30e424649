//! The Network Status Monitor, version 1 (Open Group C702, "XNFS", chapter 11): clients say that they have started again, and
//! learn that the server has.
//!
//! Its procedures for a lock manager of the same machine (MON, UNMON) are not served: ours needs none, and nobody else's is
//! here.

mod notify;
pub mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_xdr::XdrError;
use parking_lot::Mutex;

use crate::{
    nlm4::{
        LockManager,
        origin::{Host, Sender},
    },
    rpc::{self, Call, Operations, Program, Reply},
};
pub(crate) use notify::tell_earlier_clients;
use wire::{Procedure, sm_name, sm_stat_res, stat_chge};

/// The program's number.
pub const PROGRAM: u32 = 100_024;
/// The program's version.
pub const VERSION: u32 = 1;

/// STAT_SUCC: the host can be monitored.
const STAT_SUCC: u32 = 0;
/// Announcements that are known again when they are sent again. Clients send one until it is answered.
const ANNOUNCED_MAX: usize = 1_024;

const OPERATIONS: Operations = Operations {
    protocol: "nsm1",
    procedures: &[
        rpc::Procedure::sure("NULL"),
        rpc::Procedure::sure("STAT"),
        rpc::Procedure::sure("MON"),
        rpc::Procedure::sure("UNMON"),
        rpc::Procedure::sure("UNMON_ALL"),
        rpc::Procedure::sure("SIMU_CRASH"),
        rpc::Procedure::sure("NOTIFY"),
    ],
    statuses: &[(0, "OK")],
};

/// The status monitor as an RPC program.
pub struct Nsm1 {
    manager: Arc<LockManager>,
    /// The last states that clients have announced, the newest last.
    announced: Mutex<Vec<(Host, i32)>>,
}

impl Nsm1 {
    /// The program, for this lock manager.
    pub(crate) fn new(manager: Arc<LockManager>) -> Nsm1 {
        Nsm1 { manager, announced: Mutex::default() }
    }

    async fn answer(&self, mut call: Call) -> Result<Reply, XdrError> {
        let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
        Ok(match procedure {
            Procedure::NULL => Reply::success(&()),
            Procedure::STAT => {
                call.decode::<sm_name>()?;
                Reply::success(&sm_stat_res { res_stat: STAT_SUCC, state: self.manager.recovery.state() })
            }
            Procedure::NOTIFY => {
                let stat_chge { mon_name, state } = call.decode()?;
                let origin = Sender::of(&call).named(mon_name);
                if self.is_news(origin.host(), state) {
                    self.manager.client_ended(&origin).await;
                }
                Reply::success(&())
            }
        })
    }

    /// Whether an announcement is not one that came before: a client may have locks again since.
    fn is_news(&self, host: Host, state: i32) -> bool {
        let mut announced = self.announced.lock();
        let before = announced.iter().position(|(other, _)| *other == host).map(|at| announced.remove(at));
        if announced.len() >= ANNOUNCED_MAX {
            announced.remove(0);
        }
        announced.push((host, state));
        before.is_none_or(|(_, before)| before != state)
    }
}

#[async_trait]
impl Program for Nsm1 {
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
        self.answer(call).await.unwrap_or_else(Reply::from)
    }
}

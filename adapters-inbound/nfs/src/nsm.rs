//! The Network Status Monitor, version 1 (Open Group C702, "XNFS", chapter 11): clients say that they have started
//! again, and learn that the server has.
//!
//! Its procedures for a lock manager of the same machine (MON, UNMON) are not served: ours needs none, and nobody
//! else's is here.

mod notify;
pub mod wire;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use dittofs_xdr::XdrError;
use parking_lot::Mutex;

use crate::{
    nlm4::{
        LockManager,
        ends::is_same_name,
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
/// Announcements that are known again when they are sent again, in all and of one network. Clients send one until it is
/// answered, Linux a second time under a name without a domain; within so long.
const ANNOUNCED_MAX: usize = 1_024;
const ANNOUNCED_OF_NETWORK_MAX: usize = 16;
const ANNOUNCED_FOR: Duration = Duration::from_secs(15 * 60);

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
    /// States that clients have announced and were believed, the newest last.
    announced: Mutex<Vec<Announced>>,
}

#[derive(Debug)]
struct Announced {
    host: Host,
    state: i32,
    at: Instant,
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
                let host = origin.host();
                if self.is_news(&host, state, Instant::now()) && self.manager.client_ended(&origin).await {
                    self.note(host, state, Instant::now());
                }
                Reply::success(&())
            }
        })
    }

    /// Whether an announcement is not one that came before: a client may have locks again since.
    fn is_news(&self, host: &Host, state: i32, now: Instant) -> bool {
        let mut announced = self.announced.lock();
        announced.retain(|before| now.saturating_duration_since(before.at) < ANNOUNCED_FOR);
        let is_same = |before: &Announced| {
            let host_before = &before.host;
            host_before.address == host.address && is_same_name(&host_before.name, &host.name) && before.state == state
        };
        !announced.iter().any(is_same)
    }

    /// Notes an announcement that was believed.
    fn note(&self, host: Host, state: i32, at: Instant) {
        let mut announced = self.announced.lock();
        let is_near = |before: &Announced| before.host.network() == host.network();
        let near = announced.iter().filter(|before| is_near(before)).count();
        if near >= ANNOUNCED_OF_NETWORK_MAX {
            announced.iter().position(is_near).map(|oldest| announced.remove(oldest));
        } else if announced.len() >= ANNOUNCED_MAX {
            announced.remove(0);
        }
        announced.push(Announced { host, state, at });
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

#[cfg(test)]
mod tests;

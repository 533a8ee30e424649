//! The program: decodes, asks the manager, and encodes the answer or calls the client with it.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_transport::ClientNetwork;
use dittofs_xdr::{Decode, Encode, XdrError};

use super::{
    PROGRAM, VERSION, VERSIONS,
    locking::LockManager,
    origin::Sender,
    places::Places,
    wire::{
        Procedure, netobj, nlm4_cancargs, nlm4_lockargs, nlm4_notify, nlm4_res, nlm4_shareargs, nlm4_shareres,
        nlm4_stats, nlm4_testargs, nlm4_testres, nlm4_unlockargs,
    },
};
use crate::rpc::{self, Call, Operations, Program, Reply, outgoing};

const OPERATIONS: Operations = Operations {
    protocol: "nlm4",
    procedures: &[
        rpc::Procedure::sure("NULL"),
        rpc::Procedure::behind_cookie("TEST"),
        rpc::Procedure::behind_cookie("LOCK"),
        rpc::Procedure::behind_cookie("CANCEL"),
        rpc::Procedure::behind_cookie("UNLOCK"),
        rpc::Procedure::behind_cookie("GRANTED"),
        rpc::Procedure::sure("TEST_MSG"),
        rpc::Procedure::sure("LOCK_MSG"),
        rpc::Procedure::sure("CANCEL_MSG"),
        rpc::Procedure::sure("UNLOCK_MSG"),
        rpc::Procedure::sure("GRANTED_MSG"),
        rpc::Procedure::sure("TEST_RES"),
        rpc::Procedure::sure("LOCK_RES"),
        rpc::Procedure::sure("CANCEL_RES"),
        rpc::Procedure::sure("UNLOCK_RES"),
        rpc::Procedure::sure("GRANTED_RES"),
        rpc::Procedure::sure("16"),
        rpc::Procedure::sure("17"),
        rpc::Procedure::sure("18"),
        rpc::Procedure::sure("19"),
        rpc::Procedure::behind_cookie("SHARE"),
        rpc::Procedure::behind_cookie("UNSHARE"),
        rpc::Procedure::behind_cookie("NM_LOCK"),
        rpc::Procedure::sure("FREE_ALL"),
    ],
    statuses: &[
        (0, "GRANTED"),
        (1, "DENIED"),
        (2, "DENIED_NOLOCKS"),
        (3, "BLOCKED"),
        (4, "DENIED_GRACE_PERIOD"),
        (5, "DEADLCK"),
        (6, "ROFS"),
        (7, "STALE_FH"),
        (8, "FBIG"),
        (9, "FAILED"),
    ],
};

/// Requests at once that are answered by a call in return, in all and of one network. More are not answered: their
/// clients send them again.
const LATER_MAX: (usize, usize) = (256, 32);

/// The lock manager as an RPC program.
pub struct Nlm4 {
    manager: Arc<LockManager>,
    later: Places,
}

impl Nlm4 {
    /// The program over this manager.
    pub(crate) fn new(manager: Arc<LockManager>) -> Nlm4 {
        Nlm4 { manager, later: Places::new(LATER_MAX.0, LATER_MAX.1) }
    }

    async fn answer(&self, mut call: Call) -> Result<Reply, XdrError> {
        let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
        if call.version != VERSION {
            return of_earlier_version(procedure, call);
        }
        let (manager, sender) = (Arc::clone(&self.manager), Sender::of(&call));
        Ok(match procedure {
            Procedure::NULL => Reply::success(&()),
            Procedure::TEST => Reply::success(&test(manager, sender, call.decode()?).await),
            Procedure::LOCK => Reply::success(&lock(manager, sender, call.decode()?).await),
            Procedure::CANCEL => Reply::success(&cancel(manager, sender, call.decode()?).await),
            Procedure::UNLOCK => Reply::success(&unlock(manager, sender, call.decode()?).await),
            Procedure::TEST_MSG => self.later(call, Procedure::TEST_RES, test)?,
            Procedure::LOCK_MSG => self.later(call, Procedure::LOCK_RES, lock)?,
            Procedure::CANCEL_MSG => self.later(call, Procedure::CANCEL_RES, cancel)?,
            Procedure::UNLOCK_MSG => self.later(call, Procedure::UNLOCK_RES, unlock)?,
            // Nobody here waits for a lock of another server.
            Procedure::GRANTED => {
                let cookie: netobj = call.decode()?;
                Reply::success(&nlm4_res { cookie, stat: nlm4_stats::NLM4_DENIED })
            }
            Procedure::GRANTED_MSG => Reply::success(&()),
            // Calls in return are made so that they have answers of their own: these belong to nothing.
            Procedure::TEST_RES
            | Procedure::LOCK_RES
            | Procedure::CANCEL_RES
            | Procedure::UNLOCK_RES
            | Procedure::GRANTED_RES => Reply::success(&()),
            Procedure::SHARE => {
                let nlm4_shareargs { cookie, share, .. } = call.decode()?;
                let stat = manager.share(&sender.named(share.caller_name.clone()), &share).await;
                Reply::success(&nlm4_shareres { cookie, stat, sequence: 0 })
            }
            Procedure::UNSHARE => {
                let nlm4_shareargs { cookie, share, .. } = call.decode()?;
                let stat = manager.unshare(&sender.named(share.caller_name.clone()), &share).await;
                Reply::success(&nlm4_shareres { cookie, stat, sequence: 0 })
            }
            Procedure::NM_LOCK => {
                let arguments: nlm4_lockargs = call.decode()?;
                let origin = sender.named(arguments.alock.caller_name.clone());
                let stat = manager.lock(&origin, &arguments, false).await;
                Reply::success(&nlm4_res { cookie: arguments.cookie, stat })
            }
            Procedure::FREE_ALL => {
                let arguments: nlm4_notify = call.decode()?;
                // It has no answer that says no.
                let _ = manager.client_ended(&sender.named(arguments.name)).await;
                Reply::success(&())
            }
        })
    }

    /// Answers at once that a request has come, and calls the client with the result.
    fn later<A, R, F>(
        &self,
        mut call: Call,
        procedure: Procedure,
        work: fn(Arc<LockManager>, Sender, A) -> F,
    ) -> Result<Reply, XdrError>
    where
        A: Decode,
        R: Encode + Send + Sync,
        F: Future<Output = R> + Send + 'static,
    {
        let arguments: A = call.decode()?;
        let (manager, sender) = (Arc::clone(&self.manager), Sender::of(&call));
        let network = ClientNetwork::of(sender.presented.address);
        let Some(place) = self.later.try_take(network) else { return Ok(Reply::silence()) };
        let between = (sender.presented.address, sender.local);
        let result = work(Arc::clone(&manager), sender, arguments);
        self.manager.runtime.spawn(async move {
            let _place = place;
            let result = result.await;
            let told = async {
                let target = manager.clients.find(between, (PROGRAM, VERSION), procedure as u32).await?;
                outgoing::call::<()>(target, &result).await
            };
            if let Err(error) = told.await {
                tracing::debug!(address = %between.0, %error, "a client does not take the answer to its request");
            }
        });
        Ok(Reply::success(&()))
    }
}

async fn test(manager: Arc<LockManager>, sender: Sender, arguments: nlm4_testargs) -> nlm4_testres {
    let origin = sender.named(arguments.alock.caller_name.clone());
    let stat = manager.test(&origin, &arguments).await;
    nlm4_testres { cookie: arguments.cookie, stat }
}

async fn lock(manager: Arc<LockManager>, sender: Sender, arguments: nlm4_lockargs) -> nlm4_res {
    let origin = sender.named(arguments.alock.caller_name.clone());
    let stat = manager.lock(&origin, &arguments, true).await;
    nlm4_res { cookie: arguments.cookie, stat }
}

async fn cancel(manager: Arc<LockManager>, sender: Sender, arguments: nlm4_cancargs) -> nlm4_res {
    let origin = sender.named(arguments.alock.caller_name.clone());
    let stat = manager.cancel(&origin, &arguments).await;
    nlm4_res { cookie: arguments.cookie, stat }
}

async fn unlock(manager: Arc<LockManager>, sender: Sender, arguments: nlm4_unlockargs) -> nlm4_res {
    let origin = sender.named(arguments.alock.caller_name.clone());
    let stat = manager.unlock(&origin, &arguments.alock).await;
    nlm4_res { cookie: arguments.cookie, stat }
}

/// Versions for NFSv2: nobody has a lock by them, and all that concerns one is refused at once.
fn of_earlier_version(procedure: Procedure, mut call: Call) -> Result<Reply, XdrError> {
    let stat = match procedure {
        Procedure::NULL | Procedure::FREE_ALL => return Ok(Reply::success(&())),
        Procedure::TEST
        | Procedure::LOCK
        | Procedure::NM_LOCK
        | Procedure::SHARE
        | Procedure::UNLOCK
        | Procedure::CANCEL
        | Procedure::UNSHARE => nlm4_stats::NLM4_DENIED_NOLOCKS,
        Procedure::GRANTED => nlm4_stats::NLM4_DENIED,
        _ => return Ok(Reply::proc_unavail()),
    };
    // The arguments begin with what makes the client know its answer again.
    let cookie: netobj = call.decode()?;
    Ok(match procedure {
        Procedure::SHARE | Procedure::UNSHARE => Reply::success(&nlm4_shareres { cookie, stat, sequence: 0 }),
        _ => Reply::success(&nlm4_res { cookie, stat }),
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

    async fn call(&self, call: Call) -> Reply {
        self.answer(call).await.unwrap_or_else(Reply::from)
    }
}

#[cfg(test)]
pub(crate) mod tests;

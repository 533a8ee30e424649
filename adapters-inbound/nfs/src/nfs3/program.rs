//! The program: finds the procedure, decodes, calls the service, encodes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{Attributes, OpId, crc32c::crc32c, error::FsResult};
use dittofs_ports::{Caller, NodeRef, Presented};
use dittofs_transport::Services;
use dittofs_xdr::{Encode, XdrError};

use super::{
    PROGRAM, VERSION,
    call_log::CallLog,
    fair_semaphore::FairSemaphore,
    translate::{self, Unanswered},
    wire::{Nfs3Result, Procedure, WRITE3args, nfs_fh3, post_op_attr, wcc_data},
};
use crate::{
    duplicate::{DuplicateKey, DuplicateRequests},
    presented::presented,
    rpc::{Call, Operations, Program, Reply},
};

/// NFS version 3.
pub struct Nfs3 {
    pub(super) services: Services,
    duplicates: Arc<DuplicateRequests>,
    /// At pages of listings.
    pub(super) listings: FairSemaphore,
    call_log: CallLog,
}

/// Pages of listings that are read at once. All may be on one front, whose other connections they delay by their sum.
/// With four of half a millisecond that is 2 ms.
const LISTINGS_AT_ONCE: usize = 4;

/// The data that a call needs beside its arguments.
pub(super) struct Context {
    /// The connection that it came over.
    pub(super) peer: SocketAddr,
    pub(super) presented: Presented,
    /// The operation's name for the store, of procedures that change something.
    pub(super) op: Option<OpId>,
}

impl Nfs3 {
    /// The program over these services. The duplicate-request cache may be shared by several listeners. A call that takes
    /// longer than `slow` is logged at `warn`.
    pub fn new(services: Services, duplicates: Arc<DuplicateRequests>, slow: Option<Duration>) -> Nfs3 {
        let call_log = CallLog::new(Arc::clone(&services.admin), slow);
        Nfs3 { services, duplicates, listings: FairSemaphore::new(LISTINGS_AT_ONCE), call_log }
    }

    async fn answer(&self, procedure: Procedure, mut call: Call) -> Result<Reply, XdrError> {
        let mut context = Context { peer: call.peer, presented: presented(&call), op: None };
        if !procedure.changes_something() {
            return self.carry_out(procedure, context, call).await;
        }
        // The cache is for clients that a share admits: unknown clients must not push out what it keeps.
        if !self.admits(&context, &call)? {
            return self.carry_out(procedure, context, call).await;
        }
        if procedure == Procedure::WRITE {
            let key = DuplicateKey::of_write(&call);
            let arguments: WRITE3args = call.decode()?;
            let key = key.with_payload_checksum(crc32c(&arguments.data));
            return Ok(self.duplicates.answer(key, self.write(&context, arguments)).await);
        }
        let key = DuplicateKey::of(&call);
        context.op = Some(key.operation());
        let work = async { self.carry_out(procedure, context, call).await.unwrap_or_else(Reply::from) };
        Ok(self.duplicates.answer(key, work).await)
    }

    /// Whether the share of the handle that the arguments begin with admits the client. The arguments of every procedure that changes
    /// something begin with one.
    fn admits(&self, context: &Context, call: &Call) -> Result<bool, XdrError> {
        let handle: nfs_fh3 = call.arguments.clone().get()?;
        Ok(self.enter(context, &handle).is_ok())
    }

    async fn carry_out(&self, procedure: Procedure, context: Context, mut call: Call) -> Result<Reply, XdrError> {
        let context = &context;
        Ok(match procedure {
            Procedure::NULL => Reply::success(&()),
            Procedure::GETATTR => answer(self.getattr(context, call.decode()?).await),
            Procedure::SETATTR => answer(self.setattr(context, call.decode()?).await),
            Procedure::LOOKUP => answer(self.lookup(context, call.decode()?).await),
            Procedure::ACCESS => answer(self.access(context, call.decode()?).await),
            Procedure::READLINK => answer(self.readlink(context, call.decode()?).await),
            Procedure::READ => answer(self.read(context, call.decode()?).await),
            Procedure::WRITE => self.write(context, call.decode()?).await,
            Procedure::CREATE => answer(self.create(context, call.decode()?).await),
            Procedure::MKDIR => answer(self.mkdir(context, call.decode()?).await),
            Procedure::SYMLINK => answer(self.symlink(context, call.decode()?).await),
            Procedure::MKNOD => answer(self.mknod(context, call.decode()?).await),
            Procedure::REMOVE => answer(self.remove(context, call.decode()?).await),
            Procedure::RMDIR => answer(self.rmdir(context, call.decode()?).await),
            Procedure::RENAME => answer(self.rename(context, call.decode()?).await),
            Procedure::LINK => answer(self.link(context, call.decode()?).await),
            Procedure::READDIR => self.readdir(context, call.decode()?).await,
            Procedure::READDIRPLUS => self.readdirplus(context, call.decode()?).await,
            Procedure::FSSTAT => answer(self.fsstat(context, call.decode()?).await),
            Procedure::FSINFO => answer(self.fsinfo(context, call.decode()?).await),
            Procedure::PATHCONF => answer(self.pathconf(context, call.decode()?).await),
            Procedure::COMMIT => answer(self.commit(context, call.decode()?).await),
        })
    }

    /// The node of a handle, and who calls as its share sees it.
    pub(super) fn enter(&self, context: &Context, handle: &nfs_fh3) -> FsResult<(NodeRef, Caller)> {
        self.services.metadata.enter(handle.as_bytes(), &context.presented)
    }

    /// Attributes for a reply that would be good without them, too.
    pub(super) async fn post_op(&self, context: &Context, handle: &nfs_fh3) -> post_op_attr {
        let (node, caller) = self.enter(context, handle).ok()?;
        let attributes = self.services.metadata.attributes(&caller, node).await.ok()?;
        Some(translate::fattr(node.share, &attributes))
    }

    /// The same after a change that did not happen: what was before is not known.
    pub(super) async fn no_change(&self, context: &Context, handle: &nfs_fh3) -> wcc_data {
        wcc_data { before: None, after: self.post_op(context, handle).await }
    }

    pub(super) fn present(node: NodeRef, attributes: &Attributes) -> post_op_attr {
        Some(translate::fattr(node.share, attributes))
    }
}

/// The result of a procedure, or that there is none.
pub(super) type Answered<R> = Result<R, Unanswered>;

/// The result of a procedure: its failure is made only where it is needed.
pub(super) async fn result<T, F, Fut: Future<Output = F>>(
    outcome: FsResult<T>,
    failure: impl FnOnce() -> Fut,
) -> Answered<Nfs3Result<T, F>>
where
    T: Encode,
    F: Encode,
{
    match outcome {
        Ok(ok) => Ok(Nfs3Result::Ok(ok)),
        Err(error) => Ok(Nfs3Result::Err(translate::status(error)?, failure().await)),
    }
}

fn answer(result: Answered<impl Encode>) -> Reply {
    match result {
        Ok(result) => Reply::success(&result),
        Err(Unanswered) => Reply::disconnect(),
    }
}

#[async_trait]
impl Program for Nfs3 {
    fn number(&self) -> u32 {
        PROGRAM
    }

    fn versions(&self) -> &'static [u32] {
        &[VERSION]
    }

    fn operations(&self) -> Operations {
        super::operations::OPERATIONS
    }

    fn logs_calls(&self) -> bool {
        true
    }

    fn reply_bytes_max(&self, call: &Call) -> usize {
        super::content::reply_bytes_max(call)
    }

    async fn call(&self, call: Call) -> Reply {
        let Some(procedure) = Procedure::of(call.procedure) else { return Reply::proc_unavail() };
        let carry_out = |call| async move { self.answer(procedure, call).await.unwrap_or_else(Reply::from) };
        self.call_log.follow(procedure, call, carry_out).await
    }
}

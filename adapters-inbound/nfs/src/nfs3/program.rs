//! The program: finds the procedure, decodes, calls the service, encodes.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use dittofs_domain::{Attributes, OpId, crc32c::crc32c, error::FsResult};
use dittofs_ports::{Entered, NodeRef, Presented};
use dittofs_transport::Services;
use dittofs_xdr::{Decode, Encode, XdrError};

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
    rpc::{Call, CallFuture, Operations, Program, Reply},
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

impl Context {
    fn of(call: &Call, op: Option<OpId>) -> Context {
        Context { peer: call.peer, presented: presented(call), op }
    }
}

impl Nfs3 {
    /// The program over these services. The duplicate-request cache may be shared by several listeners. A call that takes
    /// longer than `slow` is logged at `warn`.
    pub fn new(services: Services, duplicates: Arc<DuplicateRequests>, slow: Option<Duration>) -> Nfs3 {
        let call_log = CallLog::new(Arc::clone(&services.admin), slow);
        Nfs3 { services, duplicates, listings: FairSemaphore::new(LISTINGS_AT_ONCE), call_log }
    }

    /// Carries out a call that changes nothing.
    fn read_with<'a, A, F>(
        &'a self,
        procedure: Procedure,
        call: Call,
        work: impl FnOnce(&'a Nfs3, Context, A) -> F + Send + 'a,
    ) -> CallFuture<'a>
    where
        A: Decode + Send + 'a,
        F: Future<Output: Answer> + Send + 'a,
    {
        let carry_out = move |mut call: Call| async move {
            let context = Context::of(&call, None);
            match call.decode() {
                Ok(arguments) => work(self, context, arguments).await.into_reply(),
                Err(error) => Reply::from(error),
            }
        };
        Box::pin(self.call_log.follow(procedure, call, carry_out))
    }

    /// Carries out a call that changes something: once, however often the client sends it.
    fn change_with<'a, A, F>(
        &'a self,
        procedure: Procedure,
        call: Call,
        work: impl FnOnce(&'a Nfs3, Context, A) -> F + Send + 'a,
    ) -> CallFuture<'a>
    where
        A: Decode + Send + 'a,
        F: Future<Output: Answer> + Send + 'a,
    {
        let carry_out = move |mut call: Call| async move {
            let key = match self.duplicate_key(&call) {
                Ok(key) => key,
                Err(error) => return Reply::from(error),
            };
            let context = Context::of(&call, key.as_ref().map(DuplicateKey::operation));
            // Not moved again: it is the largest part of it all.
            let work = pin!(async {
                match call.decode() {
                    Ok(arguments) => work(self, context, arguments).await.into_reply(),
                    Err(error) => Reply::from(error),
                }
            });
            match key {
                Some(key) => self.duplicates.answer(key, work).await,
                None => work.await,
            }
        };
        Box::pin(self.call_log.follow(procedure, call, carry_out))
    }

    fn write_call(&self, call: Call) -> CallFuture<'_> {
        let carry_out = move |mut call: Call| async move {
            let context = Context::of(&call, None);
            let key = self.admits(&context, &call).map(|admits| admits.then(|| DuplicateKey::of_write(&call)));
            let (key, arguments) = match key.and_then(|key| Ok((key, call.decode::<WRITE3args>()?))) {
                Ok(found) => found,
                Err(error) => return Reply::from(error),
            };
            match key {
                Some(key) => {
                    let key = key.with_payload_checksum(crc32c(&arguments.data));
                    self.duplicates.answer(key, pin!(self.write(&context, arguments))).await
                }
                None => self.write(&context, arguments).await,
            }
        };
        Box::pin(self.call_log.follow(Procedure::WRITE, call, carry_out))
    }

    /// The key of a call for the duplicate-request cache; none where the share doesn't admit the client: unknown clients
    /// must not push out what the cache keeps.
    fn duplicate_key(&self, call: &Call) -> Result<Option<DuplicateKey>, XdrError> {
        Ok(self.admits(&Context::of(call, None), call)?.then(|| DuplicateKey::of(call)))
    }

    /// Whether the share of the handle that the arguments begin with admits the client. The arguments of every procedure that changes
    /// something begin with one.
    fn admits(&self, context: &Context, call: &Call) -> Result<bool, XdrError> {
        let handle: nfs_fh3 = call.arguments.clone().get()?;
        Ok(self.enter(context, &handle).is_ok())
    }

    /// The node of a handle, who calls as its share sees it, and the share's services.
    pub(super) fn enter(&self, context: &Context, handle: &nfs_fh3) -> FsResult<Entered> {
        self.services.entry.enter(handle.as_bytes(), &context.presented)
    }

    /// Attributes for a reply that would be good without them, too.
    pub(super) async fn post_op(&self, context: &Context, handle: &nfs_fh3) -> post_op_attr {
        let Entered { node, caller, share } = self.enter(context, handle).ok()?;
        let attributes = share.attributes(&caller, node.node).await.ok()?;
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

/// The outcome of a procedure, as a reply to its call.
trait Answer {
    fn into_reply(self) -> Reply;
}

impl Answer for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl<R: Encode> Answer for Answered<R> {
    fn into_reply(self) -> Reply {
        match self {
            Ok(result) => Reply::success(&result),
            Err(Unanswered) => Reply::disconnect(),
        }
    }
}

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

    /// Each procedure has a future of its own: one for all would be as large as the largest of them, and a call moves it
    /// several times.
    fn call<'s, 'a>(&'s self, call: Call) -> CallFuture<'a>
    where
        's: 'a,
        Self: 'a,
    {
        let Some(procedure) = Procedure::of(call.procedure) else {
            return Box::pin(std::future::ready(Reply::proc_unavail()));
        };
        match procedure {
            Procedure::NULL => Box::pin(std::future::ready(Reply::success(&()))),
            Procedure::GETATTR => self.read_with(procedure, call, |nfs, c, a| async move { nfs.getattr(&c, a).await }),
            Procedure::SETATTR => {
                self.change_with(procedure, call, |nfs, c, a| async move { nfs.setattr(&c, a).await })
            }
            Procedure::LOOKUP => self.read_with(procedure, call, |nfs, c, a| async move { nfs.lookup(&c, a).await }),
            Procedure::ACCESS => self.read_with(procedure, call, |nfs, c, a| async move { nfs.access(&c, a).await }),
            Procedure::READLINK => {
                self.read_with(procedure, call, |nfs, c, a| async move { nfs.readlink(&c, a).await })
            }
            Procedure::READ => self.read_with(procedure, call, |nfs, c, a| async move { nfs.read(&c, a).await }),
            Procedure::WRITE => self.write_call(call),
            Procedure::CREATE => self.change_with(procedure, call, |nfs, c, a| async move { nfs.create(&c, a).await }),
            Procedure::MKDIR => self.change_with(procedure, call, |nfs, c, a| async move { nfs.mkdir(&c, a).await }),
            Procedure::SYMLINK => {
                self.change_with(procedure, call, |nfs, c, a| async move { nfs.symlink(&c, a).await })
            }
            Procedure::MKNOD => self.change_with(procedure, call, |nfs, c, a| async move { nfs.mknod(&c, a).await }),
            Procedure::REMOVE => self.change_with(procedure, call, |nfs, c, a| async move { nfs.remove(&c, a).await }),
            Procedure::RMDIR => self.change_with(procedure, call, |nfs, c, a| async move { nfs.rmdir(&c, a).await }),
            Procedure::RENAME => self.change_with(procedure, call, |nfs, c, a| async move { nfs.rename(&c, a).await }),
            Procedure::LINK => self.change_with(procedure, call, |nfs, c, a| async move { nfs.link(&c, a).await }),
            Procedure::READDIR => self.read_with(procedure, call, |nfs, c, a| async move { nfs.readdir(&c, a).await }),
            Procedure::READDIRPLUS => {
                self.read_with(procedure, call, |nfs, c, a| async move { nfs.readdirplus(&c, a).await })
            }
            Procedure::FSSTAT => self.read_with(procedure, call, |nfs, c, a| async move { nfs.fsstat(&c, a).await }),
            Procedure::FSINFO => self.read_with(procedure, call, |nfs, c, a| async move { nfs.fsinfo(&c, a).await }),
            Procedure::PATHCONF => {
                self.read_with(procedure, call, |nfs, c, a| async move { nfs.pathconf(&c, a).await })
            }
            Procedure::COMMIT => self.read_with(procedure, call, |nfs, c, a| async move { nfs.commit(&c, a).await }),
        }
    }
}

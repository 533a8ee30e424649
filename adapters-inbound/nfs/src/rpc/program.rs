use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{AuthStat, Call, Credential, Operations, Reply};

/// An RPC program: NFS, MOUNT, the portmapper.
#[async_trait]
pub trait Program: Send + Sync {
    /// The program's number.
    fn number(&self) -> u32;

    /// The lowest and the highest version that are served.
    fn versions(&self) -> RangeInclusive<u32>;

    /// What its calls are counted as.
    fn operations(&self) -> Operations {
        Operations::OF_NOBODY
    }

    /// About how many bytes of payload the reply to `call` may have. The transport counts them, with the call's own, against the
    /// connection's bytes in flight.
    fn reply_bytes_max(&self, _call: &Call) -> usize {
        0
    }

    /// Carries out a call of a served version and a procedure other than NULL. The credential is [`Credential::None`] or
    /// [`Credential::Sys`].
    async fn call(&self, call: Call) -> Reply;
}

/// A call that is being carried out.
pub type CallFuture<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// The programs that are served together on one address.
#[derive(Clone)]
pub struct Programs {
    list: Arc<[Arc<dyn Program>]>,
}

/// What became of a call.
pub enum Dispatch<'a> {
    /// It is answered.
    Ready(Reply),
    /// Its program works on it.
    Running {
        /// The work.
        future: CallFuture<'a>,
        /// About how many bytes of payload the reply may have.
        reply_bytes_max: usize,
    },
}

const PROCEDURE_NULL: u32 = 0;
/// The target of the log's lines about calls.
pub(crate) const CALLS: &str = "dittofs_nfs::calls";

impl Programs {
    /// The programs in `list`; of two with one number, the first is served.
    pub fn new(list: Vec<Arc<dyn Program>>) -> Self {
        Self { list: list.into() }
    }

    /// Finds the program of a call and starts it. NULL is answered here, under any flavour.
    pub fn dispatch(&self, call: Call) -> Dispatch<'_> {
        let Some(program) = self.list.iter().find(|program| program.number() == call.program) else {
            return Dispatch::Ready(Reply::prog_unavail());
        };
        let versions = program.versions();
        if !versions.contains(&call.version) {
            return Dispatch::Ready(Reply::prog_mismatch(*versions.start(), *versions.end()));
        }
        if call.procedure == PROCEDURE_NULL {
            tracing::debug!(target: CALLS, client = %call.peer, xid = call.xid, program = call.program, procedure = "NULL", "call");
            return Dispatch::Ready(Reply::success(&()));
        }
        match call.credential {
            Credential::None | Credential::Sys(_) => {}
            Credential::Unknown(_) | Credential::Malformed => {
                return Dispatch::Ready(Reply::auth_error(AuthStat::BadCred));
            }
        }
        let reply_bytes_max = program.reply_bytes_max(&call);
        Dispatch::Running { future: program.call(call), reply_bytes_max }
    }

    /// The programs by their numbers, with what their calls are counted as.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (u32, Operations)> {
        self.list.iter().map(|program| (program.number(), program.operations()))
    }

    /// Carries out a call to its end.
    pub async fn call(&self, call: Call) -> Reply {
        match self.dispatch(call) {
            Dispatch::Ready(reply) => reply,
            Dispatch::Running { future, .. } => future.await,
        }
    }
}

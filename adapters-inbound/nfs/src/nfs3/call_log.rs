//! Logs calls: each of them at `debug`; those that took long; and, for the record of who changed what, those that
//! change something.
//!
//! Where nobody asks for any of it, a call costs a check of two flags, and a reading of the clock if it has to wait.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{Handle, ShareId};
use dittofs_ports::AdminService;
use dittofs_transport::{AUDIT, RecordedWrites};
use dittofs_xdr::{Decoder, XdrError};
use parking_lot::Mutex;
use tracing::Level;

use super::{operations::OPERATIONS, wire::Procedure};
use crate::rpc::{CALLS, Call, Credential, Reply};

/// The longest handle and name of a call (RFC 1813 sections 2.4 and 3.3).
const HANDLE_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 1024;
/// The refusals of a call that are worth a record.
const REFUSALS: [&str; 3] = ["ACCES", "PERM", "ROFS"];

/// Writes the log of calls.
pub(super) struct CallLog {
    /// A call that takes longer is logged at `warn`; none if absent.
    slow: Option<Duration>,
    admin: Arc<dyn AdminService>,
    names: Mutex<HashMap<ShareId, Arc<str>>>,
    writes: RecordedWrites<Writer>,
}

/// Who writes to which file.
#[derive(PartialEq, Eq, Hash)]
struct Writer {
    client: IpAddr,
    uid: Option<u32>,
    file: Handle,
}

/// Who calls for what.
struct Subject {
    procedure: Procedure,
    peer: SocketAddr,
    xid: u32,
    uid: Option<u32>,
    gid: Option<u32>,
    file: Option<Handle>,
    /// Details that cost something to find out.
    details: Option<Box<Details>>,
}

/// The other contents of the arguments.
#[derive(Default)]
struct Details {
    name: Option<String>,
    to: Option<Handle>,
    to_name: Option<String>,
    offset: Option<u64>,
    count: Option<u32>,
}

impl CallLog {
    pub(super) fn new(admin: Arc<dyn AdminService>, slow: Option<Duration>) -> Self {
        Self { slow, admin, names: Mutex::default(), writes: RecordedWrites::default() }
    }

    /// Has a call carried out, and logs what is to be logged of it.
    pub(super) async fn follow<F: Future<Output = Reply>>(
        &self,
        procedure: Procedure,
        call: Call,
        carry_out: impl FnOnce(Call) -> F,
    ) -> Reply {
        let is_logged = tracing::enabled!(target: CALLS, Level::DEBUG);
        let is_recorded = procedure.changes_something() && tracing::enabled!(target: AUDIT, Level::INFO);
        let subject = Subject::of(procedure, &call, is_logged || is_recorded);
        let mut began = subject.details.is_some().then(Instant::now);
        let mut work = std::pin::pin!(carry_out(call));
        let reply = std::future::poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            // A call that is answered at once was not slow.
            if polled.is_pending() && began.is_none() && self.slow.is_some() {
                began = Some(Instant::now());
            }
            polled
        })
        .await;
        if let Some(began) = began {
            self.log(&subject, &reply, began.elapsed(), is_recorded);
        }
        reply
    }

    fn log(&self, subject: &Subject, reply: &Reply, took: Duration, is_recorded: bool) {
        let result = OPERATIONS.result(subject.procedure as u32, reply.outcome());
        if self.slow.is_some_and(|slow| took > slow) {
            let (procedure, peer) = (subject.procedure, subject.peer);
            let (share, file) = (self.share_of(subject.file), number(subject.file));
            let ms = took.as_millis() as u64;
            tracing::warn!(target: CALLS, %share, client = %peer, uid = subject.uid, ?procedure, file, result, ms, "slow");
        }
        let Some(details) = &subject.details else { return };
        self.log_call(subject, details, result, took);
        if is_recorded && (result == "OK" || REFUSALS.contains(&result)) && self.is_news(subject, result) {
            self.record(subject, details, result);
        }
    }

    fn log_call(&self, subject: &Subject, details: &Details, result: &str, took: Duration) {
        tracing::debug!(
            target: CALLS,
            client = %subject.peer,
            xid = subject.xid,
            uid = subject.uid,
            procedure = ?subject.procedure,
            share = %self.share_of(subject.file),
            file = number(subject.file),
            name = details.name,
            to = number(details.to),
            to_name = details.to_name,
            offset = details.offset,
            count = details.count,
            result,
            us = took.as_micros() as u64,
            "call"
        );
    }

    fn record(&self, subject: &Subject, details: &Details, result: &str) {
        tracing::info!(
            target: AUDIT,
            client = %subject.peer.ip().to_canonical(),
            uid = subject.uid,
            gid = subject.gid,
            procedure = ?subject.procedure,
            share = %self.share_of(subject.file),
            file = number(subject.file),
            name = details.name,
            to = number(details.to),
            to_name = details.to_name,
            result,
            xid = subject.xid,
        );
    }

    /// Whether it is to be recorded: of the writes to a file only some are.
    fn is_news(&self, subject: &Subject, result: &str) -> bool {
        let (Procedure::WRITE, "OK", Some(file)) = (subject.procedure, result, subject.file) else { return true };
        let writer = Writer { client: subject.peer.ip(), uid: subject.uid, file };
        self.writes.is_news(writer, Instant::now())
    }

    /// The name of a handle's share; its id where there is none of that id.
    fn share_of(&self, file: Option<Handle>) -> Arc<str> {
        let Some(Handle { share, .. }) = file else { return "".into() };
        let mut names = self.names.lock();
        if let Some(name) = names.get(&share) {
            return Arc::clone(name);
        }
        // A share that is not there is not remembered: anybody can invent one.
        let known = self.admin.shares().into_iter().find(|known| known.id == share);
        let Some(known) = known else { return format!("{:016x}", share.0).into() };
        Arc::clone(names.entry(share).or_insert_with(|| known.name.into()))
    }
}

impl Subject {
    fn of(procedure: Procedure, call: &Call, with_details: bool) -> Self {
        let mut arguments = call.arguments.clone();
        let file = handle(&mut arguments).unwrap_or_default();
        let (uid, gid) = match &call.credential {
            Credential::Sys(sys) => (Some(sys.uid), Some(sys.gid)),
            Credential::None | Credential::Unknown(_) | Credential::Malformed => (None, None),
        };
        let details = with_details.then(|| {
            let mut details = Box::<Details>::default();
            // Arguments that can't be decoded are not logged; the reply says so.
            let _ = details.read(procedure, &mut arguments);
            details
        });
        Self { procedure, peer: call.peer, xid: call.xid, uid, gid, file, details }
    }
}

impl Details {
    /// Reads what follows the first handle.
    fn read(&mut self, procedure: Procedure, arguments: &mut Decoder) -> Result<(), XdrError> {
        match procedure {
            Procedure::LOOKUP
            | Procedure::CREATE
            | Procedure::MKDIR
            | Procedure::SYMLINK
            | Procedure::MKNOD
            | Procedure::REMOVE
            | Procedure::RMDIR => self.name = Some(name(arguments)?),
            Procedure::RENAME => {
                self.name = Some(name(arguments)?);
                self.to = handle(arguments)?;
                self.to_name = Some(name(arguments)?);
            }
            Procedure::LINK => {
                self.to = handle(arguments)?;
                self.to_name = Some(name(arguments)?);
            }
            Procedure::READ | Procedure::WRITE | Procedure::COMMIT => {
                self.offset = Some(arguments.u64()?);
                self.count = Some(arguments.u32()?);
            }
            Procedure::NULL
            | Procedure::GETATTR
            | Procedure::SETATTR
            | Procedure::ACCESS
            | Procedure::READLINK
            | Procedure::READDIR
            | Procedure::READDIRPLUS
            | Procedure::FSSTAT
            | Procedure::FSINFO
            | Procedure::PATHCONF => {}
        }
        Ok(())
    }
}

/// The next handle; none where it is not one of ours.
fn handle(arguments: &mut Decoder) -> Result<Option<Handle>, XdrError> {
    Ok(Handle::from_bytes(arguments.opaque_slice(HANDLE_BYTES_MAX)?).ok())
}

fn name(arguments: &mut Decoder) -> Result<String, XdrError> {
    Ok(String::from_utf8_lossy(arguments.opaque_slice(NAME_BYTES_MAX)?).into_owned())
}

fn number(file: Option<Handle>) -> Option<u64> {
    file.map(|file| file.node.0)
}

//! One connection as an NFS client has it: what the server puts off is asked for again, and what a broken connection
//! left unanswered is sent again from the same port.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use dittofs_tests::rpc::{Credential, NFS, RpcConnection, record};
use nfs3_types::{
    nfs3::{Nfs3Result, nfs_fh3, nfsstat3},
    xdr_codec::{Pack, Unpack},
};

/// Clients come again after JUKEBOX.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a client tries to come back to a server.
const RECONNECT: Duration = Duration::from_secs(300);
/// A call that takes longer is shown.
const SLOW: Duration = Duration::from_secs(20);
/// Longest waits that are kept, in steps of a millisecond: the last one counts all that took longer.
const STEPS: usize = 20_000;

/// What all clients have seen.
pub(crate) struct Counts {
    pub(crate) calls: AtomicU64,
    pub(crate) put_off: AtomicU64,
    pub(crate) reconnected: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) wrong: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
    /// The milliseconds that the slowest call took.
    pub(crate) slowest: AtomicU64,
    /// The same of each share and procedure.
    slowest_of: Mutex<BTreeMap<(String, u32), u64>>,
    /// Calls by the milliseconds that they took.
    took: Vec<AtomicU64>,
    /// The time is over: clients come to their end.
    pub(crate) is_over: AtomicBool,
    /// There is no server any more.
    pub(crate) is_gone: AtomicBool,
}

impl Counts {
    pub(crate) fn new() -> Counts {
        let zero = || AtomicU64::new(0);
        Counts {
            calls: zero(),
            put_off: zero(),
            reconnected: zero(),
            errors: zero(),
            wrong: zero(),
            bytes_written: zero(),
            bytes_read: zero(),
            slowest: zero(),
            slowest_of: Mutex::default(),
            took: (0..STEPS).map(|_| zero()).collect(),
            is_over: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
        }
    }

    /// The milliseconds that this part of the calls did not exceed.
    pub(crate) fn quantile(&self, part: f64) -> usize {
        let all: u64 = self.took.iter().map(|step| step.load(Ordering::Relaxed)).sum();
        let (wanted, mut passed) = ((all as f64 * part) as u64, 0);
        let is_passed = |step: &AtomicU64| {
            passed += step.load(Ordering::Relaxed);
            passed >= wanted
        };
        self.took.iter().position(is_passed).unwrap_or(STEPS)
    }

    /// The milliseconds that the slowest call of a procedure in a share took.
    pub(crate) fn slowest_of(&self, share: &str, procedure: u32) -> u64 {
        self.slowest_of.lock().unwrap().get(&(share.to_owned(), procedure)).copied().unwrap_or(0)
    }

    fn note(&self, share: &str, procedure: u32, took: Duration) {
        let mut slowest_of = self.slowest_of.lock().unwrap();
        let slowest = slowest_of.entry((share.to_owned(), procedure)).or_default();
        *slowest = (*slowest).max(took.as_millis() as u64);
        drop(slowest_of);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let step = (took.as_millis() as usize).min(STEPS - 1);
        self.took[step].fetch_add(1, Ordering::Relaxed);
        self.slowest.fetch_max(took.as_millis() as u64, Ordering::Relaxed);
    }
}

/// A client's connection.
pub(crate) struct Caller<'c> {
    connection: Option<RpcConnection>,
    server: SocketAddr,
    local: SocketAddr,
    share: String,
    xid: u32,
    counts: &'c Counts,
}

impl<'c> Caller<'c> {
    /// One with xids of its own; and the root of a share.
    pub(crate) fn open(server: SocketAddr, share: &str, number: u32, counts: &'c Counts) -> (Caller<'c>, nfs_fh3) {
        let mut connection = RpcConnection::open(server, Credential::user(0, 0), 1);
        let root = connection.mount(share);
        let local = connection.local();
        let (xid, share) = (number << 24 | 1 << 20, share.to_owned());
        (Caller { connection: Some(connection), server, local, share, xid, counts }, root)
    }

    /// A call until it is carried out or refused.
    pub(crate) fn call<T, E>(&mut self, procedure: u32, arguments: &impl Pack) -> Result<T, nfsstat3>
    where
        Nfs3Result<T, E>: Unpack,
    {
        loop {
            let begun = Instant::now();
            let Some(result) = self.once::<Nfs3Result<T, E>>(procedure, arguments) else {
                return Err(nfsstat3::NFS3ERR_SERVERFAULT);
            };
            self.counts.note(&self.share, procedure, begun.elapsed());
            if begun.elapsed() > SLOW {
                println!("SLOW {} procedure {procedure}: {:.0} s", self.share, begun.elapsed().as_secs_f64());
            }
            match result {
                Nfs3Result::Ok(done) => return Ok(done),
                Nfs3Result::Err((nfsstat3::NFS3ERR_JUKEBOX, _)) => {
                    self.counts.put_off.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(AGAIN);
                }
                Nfs3Result::Err((status, _)) => return Err(status),
            }
        }
    }

    /// The answer to a call; none if the server does not come back.
    fn once<R: Unpack>(&mut self, procedure: u32, arguments: &impl Pack) -> Option<R> {
        self.xid = self.xid.wrapping_add(1);
        let call = record(self.xid, NFS, procedure, &Credential::user(0, 0), arguments);
        let until = Instant::now() + RECONNECT;
        loop {
            if let Some(connection) = &mut self.connection {
                connection.queue_bytes(&call);
                if connection.send().is_ok()
                    && let Ok(reply) = connection.try_receive()
                {
                    assert_eq!(reply.xid, self.xid, "the reply of another call");
                    return Some(reply.results());
                }
            }
            // A late answer must not be taken for that of a later call.
            self.reconnect();
            if self.counts.is_gone.load(Ordering::Relaxed) || Instant::now() > until {
                return None;
            }
        }
    }

    fn reconnect(&mut self) {
        self.counts.reconnected.fetch_add(1, Ordering::Relaxed);
        if let Some(connection) = self.connection.take() {
            connection.reset();
        }
        thread::sleep(AGAIN);
        self.connection = RpcConnection::try_open_from(self.local, self.server, Credential::user(0, 0), 1).ok();
    }
}

//! The worst clients that we know, and a neighbour that measures what they do to it.

mod holders;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nfs3_types::{nfs3::*, xdr_codec::Opaque};

use crate::rpc::{Credential, NFS, RpcConnection};
pub use holders::{half_records, replies_not_taken, write_at_full_depth};

const GETATTR: u32 = NFS_PROGRAM::NFSPROC3_GETATTR as u32;
const READ: u32 = NFS_PROGRAM::NFSPROC3_READ as u32;
const WRITE: u32 = NFS_PROGRAM::NFSPROC3_WRITE as u32;
const CREATE: u32 = NFS_PROGRAM::NFSPROC3_CREATE as u32;
const COMMIT: u32 = NFS_PROGRAM::NFSPROC3_COMMIT as u32;
const READDIRPLUS: u32 = NFS_PROGRAM::NFSPROC3_READDIRPLUS as u32;
/// Calls that are sent together where many are made.
const BATCH: usize = 64;
/// Between two calls of the neighbour.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the calls of a neighbour took.
#[derive(Debug)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Returns the latency that this part of them did not exceed; `share` is from 0 to 1.
    pub fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * share) as usize).copied().unwrap_or_default()
    }

    /// Returns how many there were.
    pub fn calls(&self) -> usize {
        self.0.len()
    }
}

/// A connection of root.
pub fn connect(address: SocketAddr) -> RpcConnection {
    RpcConnection::open(address, Credential::user(0, 0), 1)
}

/// Has a neighbour ask for attributes, one call after the other, while `worst` goes on.
pub fn beside<R>(address: SocketAddr, of: &nfs_fh3, worst: impl FnOnce() -> R) -> (Latencies, R) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            let mut connection = connect(address);
            let mut latencies = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                connection.call::<GETATTR3res>(NFS, GETATTR, &GETATTR3args { object: of.clone() }).unwrap();
                latencies.push(begun.elapsed());
                thread::sleep(PAUSE);
            }
            latencies.sort_unstable();
            Latencies(latencies)
        });
        let done = worst();
        is_over.store(true, Ordering::Relaxed);
        (neighbour.join().unwrap(), done)
    })
}

/// Makes a file, and answers its handle.
pub fn make_file(connection: &mut RpcConnection, directory: &nfs_fh3, name: &str) -> nfs_fh3 {
    let made: CREATE3res = connection.call(NFS, CREATE, &create(directory, name.as_bytes()));
    match made.unwrap().obj {
        Nfs3Option::Some(handle) => handle,
        Nfs3Option::None => panic!("no handle of {name}"),
    }
}

fn create<'n>(directory: &nfs_fh3, name: &'n [u8]) -> CREATE3args<'n> {
    let place = diropargs3 { dir: directory.clone(), name: filename3(Opaque::borrowed(name)) };
    CREATE3args { where_: place, how: createhow3::GUARDED(sattr3::default()) }
}

/// Makes so many files in a directory.
pub fn fill(connection: &mut RpcConnection, directory: &nfs_fh3, files: usize) {
    let all: Vec<usize> = (0..files).collect();
    for batch in all.chunks(BATCH) {
        for number in batch {
            connection.queue(NFS, CREATE, &create(directory, format!("file {number}").as_bytes()));
        }
        connection.send().unwrap();
        for _ in batch {
            connection.receive().unwrap().results::<CREATE3res>().unwrap();
        }
    }
}

/// Lists a directory from its beginning, again and again, over many connections with so many calls under way on each.
/// Answers how many replies came.
pub fn list_again_and_again(
    address: SocketAddr,
    directory: &nfs_fh3,
    (connections, depth): (usize, usize),
    (dircount, maxcount): (u32, u32),
    until: Instant,
) -> usize {
    let arguments =
        READDIRPLUS3args { dir: directory.clone(), cookie: 0, cookieverf: cookieverf3::default(), dircount, maxcount };
    let open = || {
        let mut connection = connect(address);
        for _ in 0..depth {
            connection.queue(NFS, READDIRPLUS, &arguments);
        }
        connection.send().map(|()| connection)
    };
    let list = || {
        let (mut connection, mut replies) = (open().unwrap(), 0);
        while Instant::now() < until {
            let answered = connection.receive().is_some();
            replies += usize::from(answered);
            connection.queue(NFS, READDIRPLUS, &arguments);
            if !answered || connection.send().is_err() {
                // The server sheds connections that don't take their replies where its memory is short.
                let Ok(again) = open() else { continue };
                connection = again;
            }
        }
        replies
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(list)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Writes so many single bytes, every other one of a file, so that each is a slice of its own.
pub fn write_slices(connection: &mut RpcConnection, file: &nfs_fh3, slices: usize) {
    let all: Vec<u64> = (0..slices as u64).collect();
    for batch in all.chunks(BATCH) {
        for number in batch {
            let (stable, data) = (stable_how::UNSTABLE, Opaque::borrowed(b"x"));
            let arguments = WRITE3args { file: file.clone(), offset: number * 2, count: 1, stable, data };
            connection.queue(NFS, WRITE, &arguments);
        }
        connection.send().unwrap();
        for _ in batch {
            connection.receive().unwrap().results::<WRITE3res>().unwrap();
        }
    }
}

/// Reads the first MiB of a file, so many times, with `depth` calls under way.
pub fn read_again_and_again(address: SocketAddr, file: &nfs_fh3, times: usize, depth: usize) {
    let mut connection = connect(address);
    let arguments = READ3args { file: file.clone(), offset: 0, count: 1 << 20 };
    let mut queued = 0;
    for done in 0..times {
        while queued < (done + depth).min(times) {
            connection.queue(NFS, READ, &arguments);
            queued += 1;
        }
        connection.send().unwrap();
        connection.receive().unwrap().results::<READ3res<'_>>().unwrap();
    }
}

/// Has all that was written to a file made durable.
pub fn commit(connection: &mut RpcConnection, file: &nfs_fh3) {
    let arguments = COMMIT3args { file: file.clone(), offset: 0, count: 0 };
    connection.call::<COMMIT3res>(NFS, COMMIT, &arguments).unwrap();
}

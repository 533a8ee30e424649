//! A client with some calls in flight.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use dittofs_tests::rpc::{Credential, NFS, RpcConnection};
use nfs3_types::{
    nfs3::{
        COMMIT3args, COMMIT3res, CREATE3args, CREATE3res, LOOKUP3args, LOOKUP3res, Nfs3Option, Nfs3Result, READ3args,
        READ3res, WRITE3args, WRITE3res, createhow3, diropargs3, filename3, nfs_fh3, nfsstat3, sattr3, stable_how,
    },
    xdr_codec::Opaque,
};

const BLOCK: usize = 4_096;

pub(crate) struct Client {
    connection: RpcConnection,
    root: nfs_fh3,
}

/// The duration and the latencies of reads.
pub(crate) struct Reads {
    pub(crate) elapsed: Duration,
    pub(crate) latencies: Vec<Duration>,
}

/// Bytes of a file at an offset: each block has its own.
pub(crate) fn pattern(at: u64, length: usize) -> Vec<u8> {
    let mut state = at | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        if bytes.len() % BLOCK == 0 {
            bytes.extend_from_slice(&(at + bytes.len() as u64).to_le_bytes());
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        let mut connection = RpcConnection::open(address, Credential::user(0, 0), 1);
        let root = connection.mount("/export");
        Client { connection, root }
    }

    pub(crate) fn create(&mut self, name: &str) -> nfs_fh3 {
        let arguments = create_arguments(&self.root, name);
        match self.connection.call::<CREATE3res>(NFS, 8, &arguments) {
            Nfs3Result::Ok(created) => handle(created.obj),
            Nfs3Result::Err((status, _)) => panic!("{name}: {status}"),
        }
    }

    pub(crate) fn look_up(&mut self, name: &str) -> nfs_fh3 {
        let what = diropargs3 { dir: self.root.clone(), name: filename3(Opaque::borrowed(name.as_bytes())) };
        match self.connection.call::<LOOKUP3res>(NFS, 3, &LOOKUP3args { what }) {
            Nfs3Result::Ok(found) => found.object,
            Nfs3Result::Err((status, _)) => panic!("{name}: {status}"),
        }
    }

    /// Writes a file in pieces, unstable, and says when each was answered. Whoever must come again does.
    pub(crate) fn write(&mut self, file: &nfs_fh3, bytes: u64, piece: usize, depth: usize) -> Vec<Duration> {
        let began = Instant::now();
        let (mut next, mut waiting, mut times) = (0, HashMap::new(), Vec::new());
        let data = pattern(0, piece);
        loop {
            while waiting.len() < depth && next < bytes {
                self.queue_write(file, next, &data, &mut waiting);
                next += piece as u64;
            }
            self.connection.send().unwrap();
            if waiting.is_empty() {
                return times;
            }
            let reply = self.connection.receive().unwrap();
            let at = waiting.remove(&reply.xid).unwrap();
            match reply.results::<WRITE3res>() {
                Nfs3Result::Ok(written) => {
                    assert_eq!(written.count as usize, piece);
                    times.push(began.elapsed());
                }
                Nfs3Result::Err((nfsstat3::NFS3ERR_JUKEBOX, _)) => {
                    std::thread::sleep(Duration::from_millis(5));
                    self.queue_write(file, at, &data, &mut waiting);
                }
                Nfs3Result::Err((status, _)) => panic!("{at}: {status}"),
            }
        }
    }

    fn queue_write(&mut self, file: &nfs_fh3, at: u64, data: &[u8], waiting: &mut HashMap<u32, u64>) {
        let mut data = data.to_vec();
        for (number, block) in data.chunks_mut(BLOCK).enumerate() {
            block[..8].copy_from_slice(&(at + (number * BLOCK) as u64).to_le_bytes());
        }
        let arguments = WRITE3args {
            file: file.clone(),
            offset: at,
            count: data.len() as u32,
            stable: stable_how::UNSTABLE,
            data: Opaque::borrowed(&data),
        };
        waiting.insert(self.connection.queue(NFS, 7, &arguments), at);
    }

    pub(crate) fn commit(&mut self, file: &nfs_fh3) {
        let arguments = COMMIT3args { file: file.clone(), offset: 0, count: 0 };
        assert!(matches!(self.connection.call::<COMMIT3res>(NFS, 21, &arguments), Nfs3Result::Ok(_)));
    }

    /// Reads from these offsets, and checks what comes.
    pub(crate) fn read(&mut self, file: &nfs_fh3, offsets: &[u64], length: usize, depth: usize) -> Reads {
        let began = Instant::now();
        let (mut offsets, mut waiting, mut latencies) = (offsets.iter(), HashMap::new(), Vec::new());
        loop {
            while waiting.len() < depth
                && let Some(offset) = offsets.next()
            {
                let arguments = READ3args { file: file.clone(), offset: *offset, count: length as u32 };
                waiting.insert(self.connection.queue(NFS, 6, &arguments), (*offset, Instant::now()));
            }
            self.connection.send().unwrap();
            if waiting.is_empty() {
                return Reads { elapsed: began.elapsed(), latencies };
            }
            let reply = self.connection.receive().unwrap();
            let (at, asked) = waiting.remove(&reply.xid).unwrap();
            latencies.push(asked.elapsed());
            match reply.results::<READ3res<'_>>() {
                Nfs3Result::Ok(read) => {
                    assert_eq!(read.data.len(), length);
                    for (number, block) in read.data.chunks(BLOCK).enumerate() {
                        assert_eq!(block[..8], (at + (number * BLOCK) as u64).to_le_bytes(), "at {at}");
                    }
                }
                Nfs3Result::Err((status, _)) => panic!("{at}: {status}"),
            }
        }
    }

    /// Makes files with these bytes each.
    pub(crate) fn make_files(&mut self, files: usize, bytes: usize) {
        const AT_ONCE: usize = 64;
        let data = pattern(0, bytes);
        for first in (0..files).step_by(AT_ONCE) {
            let names: Vec<String> = (first..files.min(first + AT_ONCE)).map(|file| format!("small{file}")).collect();
            for name in &names {
                let arguments = create_arguments(&self.root, name);
                self.connection.queue(NFS, 8, &arguments);
            }
            self.connection.send().unwrap();
            let made: Vec<nfs_fh3> = names
                .iter()
                .map(|_| match self.connection.receive().unwrap().results::<CREATE3res>() {
                    Nfs3Result::Ok(created) => handle(created.obj),
                    Nfs3Result::Err((status, _)) => panic!("{status}"),
                })
                .collect();
            for file in made {
                self.write(&file, data.len() as u64, data.len(), 1);
            }
        }
    }
}

fn handle(object: Nfs3Option<nfs_fh3>) -> nfs_fh3 {
    match object {
        Nfs3Option::Some(handle) => handle,
        Nfs3Option::None => panic!("no handle"),
    }
}

fn create_arguments<'a>(root: &nfs_fh3, name: &'a str) -> CREATE3args<'a> {
    CREATE3args {
        where_: diropargs3 { dir: root.clone(), name: filename3(Opaque::borrowed(name.as_bytes())) },
        how: createhow3::UNCHECKED(sattr3::default()),
    }
}

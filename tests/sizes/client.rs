//! A file of the server and the same one in the file system below.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use dittofs_tests::{
    model::Random,
    rpc::{NFS, RpcConnection},
    worst,
};
use nfs3_types::{nfs3::*, xdr_codec::Opaque};

const READ: u32 = NFS_PROGRAM::NFSPROC3_READ as u32;
const WRITE: u32 = NFS_PROGRAM::NFSPROC3_WRITE as u32;
const COMMIT: u32 = NFS_PROGRAM::NFSPROC3_COMMIT as u32;
const SETATTR: u32 = NFS_PROGRAM::NFSPROC3_SETATTR as u32;
const GETATTR: u32 = NFS_PROGRAM::NFSPROC3_GETATTR as u32;
const REMOVE: u32 = NFS_PROGRAM::NFSPROC3_REMOVE as u32;

/// Bytes of a call at most.
const CALL: u64 = 1 << 20;
/// Calls under way at once, as a kernel has them.
const DEPTH: usize = 64;
/// Clients come again after JUKEBOX.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// The file.
pub(crate) struct Mirrored {
    connection: RpcConnection,
    root: nfs_fh3,
    name: String,
    handle: nfs_fh3,
    mirror: File,
    path: PathBuf,
    size: u64,
    limit: u64,
    written: u64,
    under_way: Vec<(u32, u64, Vec<u8>, stable_how)>,
}

impl Mirrored {
    /// An empty one that is to get so many MiB.
    pub(crate) fn new(address: SocketAddr, folder: &Path, number: u64, mib: u64) -> Mirrored {
        let mut connection = worst::connect(address);
        let root = connection.mount("/export");
        let name = format!("file {number}");
        let handle = worst::make_file(&mut connection, &root, &name);
        let path = folder.join("mirror");
        let mirror = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        let (limit, under_way) = (mib << 20, Vec::new());
        Mirrored { connection, root, name, handle, mirror, path, size: 0, limit, written: 0, under_way }
    }

    /// Bytes that it is to get.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Its size.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that were written, those over others included.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Writes random bytes, in calls as a kernel makes them; their answers are waited for when there are many, or at
    /// the next commit.
    pub(crate) fn write(&mut self, random: &mut Random, offset: u64, length: u64, stable: stable_how) {
        let end = offset + length;
        let mut at = offset;
        while at < end {
            let length = CALL.min(end - at);
            let data = random.bytes(length as usize);
            self.mirror.write_all_at(&data, at).unwrap();
            self.send(at, data, stable);
            at += length;
        }
        self.size = self.size.max(end);
        self.written += length;
    }

    fn send(&mut self, offset: u64, data: Vec<u8>, stable: stable_how) {
        if self.under_way.len() >= DEPTH {
            self.receive();
        }
        // Overlapping writes must not overtake each other.
        let end = offset + data.len() as u64;
        while self.under_way.iter().any(|(_, at, other, _)| *at < end && offset < at + other.len() as u64) {
            self.receive();
        }
        let (file, count) = (self.handle.clone(), data.len() as u32);
        let arguments = WRITE3args { file, offset, count, stable, data: Opaque::borrowed(&data) };
        let xid = self.connection.queue(NFS, WRITE, &arguments);
        self.connection.send().unwrap();
        self.under_way.push((xid, offset, data, stable));
    }

    fn receive(&mut self) {
        let reply = self.connection.receive().expect("the server closed the connection");
        let index = self.under_way.iter().position(|(xid, ..)| *xid == reply.xid).unwrap();
        let (_, offset, data, stable) = self.under_way.swap_remove(index);
        match reply.results() {
            WRITE3res::Ok(wrote) => assert_eq!(wrote.count as usize, data.len(), "a write at {offset}"),
            WRITE3res::Err((nfsstat3::NFS3ERR_JUKEBOX, _)) => {
                std::thread::sleep(AGAIN);
                self.send(offset, data, stable);
            }
            WRITE3res::Err((status, _)) => panic!("a write at {offset}: {status}"),
        }
    }

    /// Until all writes are answered.
    pub(crate) fn finish_writes(&mut self) {
        while !self.under_way.is_empty() {
            self.receive();
        }
    }

    /// Commits all that was written.
    pub(crate) fn commit(&mut self) {
        self.finish_writes();
        let arguments = COMMIT3args { file: self.handle.clone(), offset: 0, count: 0 };
        self.until_taken(COMMIT, &arguments, |reply: COMMIT3res| match reply {
            COMMIT3res::Ok(_) => Ok(()),
            COMMIT3res::Err((status, _)) => Err(status),
        });
    }

    /// Sets its size.
    pub(crate) fn set_size(&mut self, size: u64) {
        self.finish_writes();
        self.mirror.set_len(size).unwrap();
        self.size = size;
        let new_attributes = sattr3 { size: Nfs3Option::Some(size), ..sattr3::default() };
        let arguments = SETATTR3args { object: self.handle.clone(), new_attributes, guard: Nfs3Option::None };
        self.until_taken(SETATTR, &arguments, |reply: SETATTR3res| match reply {
            SETATTR3res::Ok(_) => Ok(()),
            SETATTR3res::Err((status, _)) => Err(status),
        });
    }

    fn until_taken<R: nfs3_types::xdr_codec::Unpack>(
        &mut self,
        procedure: u32,
        arguments: &impl nfs3_types::xdr_codec::Pack,
        outcome: impl Fn(R) -> Result<(), nfsstat3>,
    ) {
        loop {
            match outcome(self.connection.call(NFS, procedure, arguments)) {
                Ok(()) => return,
                Err(nfsstat3::NFS3ERR_JUKEBOX) => std::thread::sleep(AGAIN),
                Err(status) => panic!("procedure {procedure}: {status}"),
            }
        }
    }

    /// Reads a range, and compares it with the other file.
    pub(crate) fn compare_range(&mut self, offset: u64, length: u64) {
        let mut at = offset;
        let end = (offset + length).min(self.size);
        while at < end {
            let count = CALL.min(end - at) as u32;
            let arguments = READ3args { file: self.handle.clone(), offset: at, count };
            let data = match self.connection.call(NFS, READ, &arguments) {
                READ3res::Ok(read) => read.data,
                READ3res::Err((nfsstat3::NFS3ERR_JUKEBOX, _)) => {
                    std::thread::sleep(AGAIN);
                    continue;
                }
                READ3res::Err((status, _)) => panic!("a read at {at}: {status}"),
            };
            let mut expected = vec![0; count as usize];
            self.mirror.read_exact_at(&mut expected, at).unwrap();
            let differs = data.iter().zip(&expected).position(|(read, expected)| read != expected);
            assert_eq!((data.len(), differs.map(|byte| at + byte as u64)), (expected.len(), None), "{}", self.name);
            at += u64::from(count);
        }
    }

    /// Compares all of it, as another server has it.
    pub(crate) fn compare(&mut self, address: SocketAddr) {
        self.connection = worst::connect(address);
        let of: GETATTR3res = self.connection.call(NFS, GETATTR, &GETATTR3args { object: self.handle.clone() });
        assert_eq!(of.unwrap().obj_attributes.size, self.size, "{}", self.name);
        self.compare_range(0, self.size);
    }

    /// Removes both.
    pub(crate) fn remove(mut self) {
        let object = diropargs3 { dir: self.root.clone(), name: filename3(Opaque::borrowed(self.name.as_bytes())) };
        let removed: REMOVE3res = self.connection.call(NFS, REMOVE, &REMOVE3args { object });
        assert!(matches!(removed, REMOVE3res::Ok(_)), "{}", self.name);
        fs::remove_file(&self.path).unwrap();
    }
}

//! Storage in memory that fails on demand.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use dittofs_redb::{Part, RedbMetadataStore, RedbOptions};
use redb::StorageBackend;

/// The storage of database and log, and the switches of its failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    files: [Arc<Mutex<Vec<u8>>>; 2],
    pub(crate) switches: Arc<Switches>,
}

#[derive(Debug, Default)]
pub(crate) struct Switches {
    /// Syncs fail.
    pub(crate) sync: AtomicBool,
    /// Syncs take as long as this is set.
    pub(crate) slow: AtomicBool,
    /// Reads fail.
    pub(crate) read: AtomicBool,
    /// Reads of the log fail.
    pub(crate) log_read: AtomicBool,
    /// There is no room for what is written, until the next opening.
    pub(crate) full: AtomicBool,
    /// There is no room for what is written to the log, which takes half of it.
    pub(crate) log_full: AtomicBool,
    /// The log takes what is written, and finds no room when it is synced.
    pub(crate) log_sync_full: AtomicBool,
    /// There is no room for what is written to the database, also when it is opened again.
    pub(crate) stays_full: AtomicBool,
    /// It can't even be opened.
    pub(crate) open: AtomicBool,
    pub(crate) openings: AtomicU64,
}

impl Disk {
    /// A store on it, with hardly a cache.
    pub(crate) fn store(&self) -> RedbMetadataStore {
        self.store_that(false)
    }

    /// The same, where its operator accepts losses.
    pub(crate) fn store_that(&self, accept_loss: bool) -> RedbMetadataStore {
        let disk = self.clone();
        let open = move |part: Part| {
            disk.switches.openings.fetch_add(1, Ordering::SeqCst);
            check(&disk.switches.open, io::ErrorKind::NotConnected)?;
            disk.switches.full.store(false, Ordering::SeqCst);
            Ok(DiskFile { part, bytes: Arc::clone(&disk.files[part as usize]), switches: Arc::clone(&disk.switches) })
        };
        let options =
            RedbOptions { accept_loss, cache_bytes: 16 << 10, row_cache_bytes: 64 << 10, ..RedbOptions::new("") };
        RedbMetadataStore::open_on(&options, open).unwrap()
    }
}

#[derive(Debug)]
struct DiskFile {
    part: Part,
    bytes: Arc<Mutex<Vec<u8>>>,
    switches: Arc<Switches>,
}

fn check(switch: &AtomicBool, kind: io::ErrorKind) -> io::Result<()> {
    if switch.load(Ordering::SeqCst) { Err(io::Error::new(kind, "fails on demand")) } else { Ok(()) }
}

impl StorageBackend for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        check(&self.switches.read, io::ErrorKind::TimedOut)?;
        if self.part == Part::Log {
            check(&self.switches.log_read, io::ErrorKind::TimedOut)?;
        }
        out.copy_from_slice(&self.bytes.lock().unwrap()[offset as usize..][..out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        while self.switches.slow.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.part == Part::Log {
            check(&self.switches.log_sync_full, io::ErrorKind::StorageFull)?;
        }
        check(&self.switches.sync, io::ErrorKind::TimedOut)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        check(&self.switches.full, io::ErrorKind::StorageFull)?;
        if self.part == Part::Database {
            check(&self.switches.stays_full, io::ErrorKind::StorageFull)?;
        }
        if self.part == Part::Log && self.switches.log_full.load(Ordering::SeqCst) {
            let half = &data[..data.len() / 2];
            self.bytes.lock().unwrap()[offset as usize..][..half.len()].copy_from_slice(half);
            return check(&self.switches.log_full, io::ErrorKind::StorageFull);
        }
        self.bytes.lock().unwrap()[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }
}

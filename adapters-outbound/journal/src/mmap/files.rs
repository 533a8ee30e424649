//! The files under a journal: what it asks of a folder, so that tests can stand in for the disk.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::io::Errno;

use super::map::Map;

/// How long a folder that another journal is just leaving is waited for. Five seconds in all: longer than a sync takes
/// on a disk that works.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
const LOCK_NAME: &str = "lock";

/// A folder that one journal has for itself.
pub(crate) trait Folder: Send + Sync {
    /// The names of its files.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file that exists.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Makes an empty file; one that exists is emptied.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Gives a file another name, in place of the file that has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable.
    fn sync(&self) -> io::Result<()>;

    /// Bytes that can still be written to its disk.
    fn room(&self) -> u64;
}

/// An open file.
pub(crate) trait File: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Makes it so long, with zeros, and takes the room on the disk for it.
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Writes all of the bytes. A file system that copies on write may need room for that, though the file has its own:
    /// then some of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Fills the buffer.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;

    /// Makes durable what was written before the call (`fdatasync`). After a failure, be it for want of room, what the
    /// file shows may never get to the disk.
    fn sync_data(&self) -> io::Result<()>;

    /// The file in memory, read-only; none where that is not possible. The file never gets shorter afterwards.
    fn map(&self) -> io::Result<Option<Map>>;
}

/// A folder on a disk, locked for as long as it is open.
pub(crate) struct DiskFolder {
    path: PathBuf,
    _lock: fs::File,
}

impl DiskFolder {
    /// Makes the folder where it is missing, and locks it. Waits for a journal that is just being closed; then
    /// `WouldBlock`.
    pub(crate) fn open(path: &Path) -> io::Result<DiskFolder> {
        fs::create_dir_all(path)?;
        let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK_NAME))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(DiskFolder { path: path.to_owned(), _lock: lock }),
                Err(fs::TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::WouldBlock, "another process has the journal open"))
    }
}

impl Folder for DiskFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string()
                && name != LOCK_NAME
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).open(self.path.join(name))?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(self.path.join(name))?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }

    fn room(&self) -> u64 {
        let room = rustix::fs::statvfs(&self.path);
        room.map_or(u64::MAX, |room| room.f_bavail.saturating_mul(room.f_frsize))
    }
}

struct DiskFile(fs::File);

impl File for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), 0, length) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.0.set_len(length),
            allocated => Ok(allocated?),
        }
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, at)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn map(&self) -> io::Result<Option<Map>> {
        Map::of(&self.0).map(Some)
    }
}

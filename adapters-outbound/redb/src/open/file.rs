//! A database in a file, in a folder that is locked for as long as the store lives.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::{Builder, Database, DatabaseError, StorageBackend, backends::FileBackend};

use super::{
    OpenError, Opener,
    ballast::Ballast,
    format::{identify, initialize},
};
use crate::options::RedbOptions;

const FILE: &str = "metadata.redb";
/// A database that is being made: it gets its name once it is whole.
const FILE_UNFINISHED: &str = "metadata.redb.new";
const FILE_LOG: &str = "metadata.log";
const FILE_LOCK: &str = "metadata.lock";
/// Logs that were set aside; nobody accepts losses so often.
const ASIDE_MAX: u32 = 1_000;
/// How a redb file begins.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
/// The steps in which the progress of a check is counted. A tenth of a percent shows that it moves.
const PROGRESS_WHOLE: u64 = 1_000;
/// Pages that are kept while a file is only looked at. A few pages are read of it.
const CACHE_BYTES_INSPECT: usize = 1 << 20;

/// Opens the database of a folder.
pub(crate) struct FileOpener {
    options: RedbOptions,
    ballast: Ballast,
    /// Held, not read. Over reopening too, when the database itself is not locked.
    _lock: File,
}

impl FileOpener {
    /// Makes the folder if it is not there, and locks it.
    pub(crate) fn new(options: &RedbOptions) -> Result<FileOpener, OpenError> {
        let folder = &options.path;
        let file = folder.join(FILE_LOCK);
        let io_error = |source| OpenError::Io { file: file.display().to_string(), source };
        fs::create_dir_all(folder).map_err(io_error)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&file).map_err(io_error)?;
        match lock.try_lock() {
            Ok(()) => {
                let ballast = Ballast::of(folder, options.ballast_bytes);
                Ok(FileOpener { options: options.clone(), ballast, _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { file: folder.join(FILE).display().to_string() }),
            Err(TryLockError::Error(source)) => Err(io_error(source)),
        }
    }

    /// Makes a database beside its place and moves it there, so that a file in place is always whole, and one that is
    /// empty has lost something.
    fn make(&self, place: &Path) -> Result<(), OpenError> {
        let file = self.options.path.join(FILE_UNFINISHED);
        let name = file.display().to_string();
        let io_error = |source| OpenError::Io { file: name.clone(), source };
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
            _ => {}
        }
        let database = Builder::new().create(&file).map_err(|error| OpenError::of(&name, error))?;
        initialize(&database).map_err(|fault| io_error(io::Error::other(fault.to_string())))?;
        database.close().map_err(|error| OpenError::of(&name, error))?;
        File::open(&file).and_then(|file| file.sync_all()).map_err(io_error)?;
        fs::rename(&file, place).map_err(io_error)?;
        File::open(&self.options.path).and_then(|folder| folder.sync_all()).map_err(io_error)
    }

    /// Looks at the file without changing a byte of it.
    fn inspect(&self, place: &Path, name: &str) -> Result<(), OpenError> {
        let damaged = |found: &str| OpenError::Damaged { file: name.to_owned(), found: found.to_owned() };
        let mut start = Vec::new();
        let read = File::open(place).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start));
        read.map_err(|source| OpenError::Io { file: name.to_owned(), source })?;
        if start.is_empty() {
            return Err(damaged("it is empty"));
        }
        if start != MAGIC {
            return Err(damaged("it does not begin as a redb database does"));
        }
        match Builder::new().set_cache_size(CACHE_BYTES_INSPECT).open_read_only(place) {
            Ok(database) => identify(&database, name),
            // It was not closed: only opening it for writing repairs that.
            Err(DatabaseError::RepairAborted) => Ok(()),
            Err(error) => Err(OpenError::of(name, error)),
        }
    }

    fn open_in_place(&self, place: &Path, name: &str, again: bool) -> Result<Database, OpenError> {
        if again {
            forget_cached_pages(place);
        }
        self.inspect(place, name)?;
        // Where a loss is accepted, the file may be a copy that was made while it was written: some of its pages are newer
        // than others, and only a check of all of them tells.
        let checks = again || self.options.accept_loss;
        let mut builder = Builder::new();
        builder.set_cache_size(self.options.cache_bytes).set_check_integrity_on_open(checks);
        let (shown, progress) = (name.to_owned(), self.options.progress.clone());
        builder.set_repair_callback(move |session| {
            let percent = (session.progress() * 100.0) as u32;
            progress.report((session.progress() * PROGRESS_WHOLE as f64) as u64, PROGRESS_WHOLE);
            tracing::info!(file = %shown, percent, "the metadata database was not closed, and is checked");
        });
        let database = builder.open(place).map_err(|error| OpenError::of(name, error))?;
        identify(&database, name)?;
        Ok(database)
    }
}

impl FileOpener {
    fn has_log(&self) -> bool {
        fs::metadata(self.options.path.join(FILE_LOG)).is_ok_and(|log| log.len() > 0)
    }

    fn log_storage(&self, file: File) -> Result<Box<dyn StorageBackend>, OpenError> {
        let storage = FileBackend::new(file).map_err(|error| OpenError::of(&self.log_name(), error))?;
        Ok(Box::new(storage))
    }
}

impl Opener for FileOpener {
    fn name(&self) -> String {
        self.options.path.join(FILE).display().to_string()
    }

    fn log_name(&self) -> String {
        self.options.path.join(FILE_LOG).display().to_string()
    }

    fn log(&self, again: bool) -> Result<Option<Box<dyn StorageBackend>>, OpenError> {
        let place = self.options.path.join(FILE_LOG);
        if again {
            forget_cached_pages(&place);
        }
        match OpenOptions::new().read(true).write(true).open(&place) {
            Ok(file) => self.log_storage(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpenError::Io { file: self.log_name(), source }),
        }
    }

    fn make_log(&self) -> Result<Box<dyn StorageBackend>, OpenError> {
        let error = |source| OpenError::Io { file: self.log_name(), source };
        let place = self.options.path.join(FILE_LOG);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(place).map_err(error)?;
        File::open(&self.options.path).and_then(|folder| folder.sync_all()).map_err(error)?;
        self.log_storage(file)
    }

    fn set_log_aside(&self) -> Result<(), OpenError> {
        let error = |source| OpenError::Io { file: self.log_name(), source };
        let place = self.options.path.join(FILE_LOG);
        let mut names = (1..=ASIDE_MAX).map(|number| place.with_extension(format!("log.aside-{number}")));
        let name = names.find(|name| !name.exists());
        let name = name.ok_or_else(|| error(io::Error::from(io::ErrorKind::AlreadyExists)))?;
        fs::rename(&place, &name).map_err(error)?;
        tracing::warn!(file = %name.display(), "what was there is kept under this name");
        Ok(())
    }

    fn options(&self) -> &RedbOptions {
        &self.options
    }

    fn room(&self) -> u64 {
        let room = rustix::fs::statvfs(&self.options.path);
        room.map_or(u64::MAX, |room| room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn ballast_bytes(&self) -> u64 {
        self.ballast.bytes()
    }

    fn has_ballast(&self) -> bool {
        self.ballast.is_held()
    }

    fn give_ballast_up(&self) {
        self.ballast.give_up();
    }

    fn restore_ballast(&self) {
        self.ballast.restore();
    }

    fn open(&self, again: bool) -> Result<Database, OpenError> {
        let (place, name) = (self.options.path.join(FILE), self.name());
        match fs::symlink_metadata(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && again => {
                return Err(OpenError::Damaged { file: name, found: "it has been removed".into() });
            }
            // A database is made before its log is.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.has_log() && !self.options.accept_loss => {
                return Err(OpenError::Missing { file: name });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(&place)?,
            Err(source) => return Err(OpenError::Io { file: name, source }),
            Ok(_) => {}
        }
        let opened = catch_unwind(AssertUnwindSafe(|| self.open_in_place(&place, &name, again)));
        opened.unwrap_or_else(|_| Err(OpenError::Damaged { file: name, found: "its pages make no sense".into() }))
    }
}

/// After a sync that failed, pages that never reached the disk may stand in the system's cache as if they had: what is
/// checked and built upon must come from the disk.
fn forget_cached_pages(place: &Path) {
    #[cfg(target_os = "linux")]
    if let Err(error) = forget(place) {
        tracing::warn!(%error, "the system's cache of the metadata database can't be given up");
    }
}

#[cfg(target_os = "linux")]
fn forget(place: &Path) -> io::Result<()> {
    Ok(rustix::fs::fadvise(File::open(place)?, 0, None, rustix::fs::Advice::DontNeed)?)
}

//! Opening a store: by itself, and never over something else.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64},
};

use parking_lot::Mutex;

use super::{FsStore, INCOMING, folders::Folders, handles::Handles, read_line, sync_folder};
use crate::{
    FsOptions, OpenError,
    error::Fault,
    layout::{MARK, object_of},
    mark::{self, Mark},
};

/// The mark while it is written.
const NEW_MARK: &str = "dittofs-objects.new";

impl FsStore {
    pub(crate) async fn open(options: FsOptions) -> Result<FsStore, OpenError> {
        let opened = tokio::task::spawn_blocking(move || FsStore::open_now(options)).await;
        opened.unwrap_or_else(|stopped| Err(OpenError::Unavailable(Box::new(stopped))))
    }

    fn open_now(options: FsOptions) -> Result<FsStore, OpenError> {
        let root = options.path;
        make_durable(&root)?;
        check_or_make_mark(&root)?;
        let incoming = root.join(INCOMING);
        make_durable(&incoming)?;
        let mark = lock_and_sweep(&root, &incoming)?;
        let store = FsStore {
            root,
            _mark: mark,
            folders: Folders::default(),
            handles: Handles::new(options.open_files),
            locks: Mutex::default(),
            incoming: AtomicU64::new(0),
            coming: Mutex::default(),
            nowait: AtomicBool::new(true),
        };
        store.check_writable()?;
        Ok(store)
    }

    /// Says at the start what the first object would find out.
    fn check_writable(&self) -> Result<(), Fault> {
        for folder in [&self.root, &self.root.join(INCOMING)] {
            rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
                .map_err(|error| Fault::of("written to", folder)(error.into()))?;
        }
        Ok(())
    }
}

/// Makes a folder and those above it that are missing, each durable.
fn make_durable(folder: &Path) -> Result<(), Fault> {
    let made = match std::fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match above(folder) {
            Some(above) => {
                make_durable(above)?;
                std::fs::create_dir(folder)
            }
            None => Err(error),
        },
        made => made,
    };
    match made {
        Ok(()) => above(folder).map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(Fault::of("made", folder)(error)),
    }
}

fn above(folder: &Path) -> Option<&Path> {
    let above = folder.parent()?;
    Some(if above.as_os_str().is_empty() { Path::new(".") } else { above })
}

fn check_or_make_mark(root: &Path) -> Result<(), OpenError> {
    let path = root.join(MARK);
    let bytes = match read_line(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return make_mark(root, &path),
        read => read.map_err(Fault::of("read", &path))?,
    };
    match mark::read_mark(&bytes) {
        Mark::Known => Ok(()),
        Mark::Newer(found) => Err(OpenError::Newer { path: path.display().to_string(), found, known: mark::FORMAT }),
        Mark::Unreadable => Err(OpenError::Damaged { path: path.display().to_string() }),
    }
}

fn make_mark(root: &Path, path: &Path) -> Result<(), OpenError> {
    for entry in std::fs::read_dir(root).map_err(Fault::of("listed", root))? {
        let name = entry.map_err(Fault::of("listed", root))?.file_name();
        // Another opening may have come as far as this, a moment ago or before a crash.
        if name != NEW_MARK && name != MARK && name != INCOMING && name != "lost+found" {
            let (path, found) = (root.display().to_string(), name.display().to_string());
            return Err(OpenError::Foreign { path, found });
        }
    }
    let new = root.join(NEW_MARK);
    let mut file = File::create(&new).map_err(Fault::of("made", &new))?;
    file.write_all(mark::mark().as_bytes()).map_err(Fault::of("written", &new))?;
    file.sync_all().map_err(Fault::of("synced", &new))?;
    std::fs::rename(&new, path).map_err(Fault::of("given its name", path))?;
    Ok(sync_folder(root)?)
}

/// Removes what a crash has left of objects that were being written, if nobody else has the store open.
fn lock_and_sweep(root: &Path, incoming: &Path) -> Result<File, Fault> {
    let path = root.join(MARK);
    let open = || OpenOptions::new().read(true).open(&path).map_err(Fault::of("opened", &path));
    let mark = open()?;
    match mark.try_lock() {
        Ok(()) => sweep(incoming)?,
        Err(TryLockError::WouldBlock) => {}
        // A file system without locks: somebody else may be writing there.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(path = %path.display(), %error, "can't be locked: files left by a crash are not removed");
            return Ok(mark);
        }
    }
    mark.lock_shared().map_err(Fault::of("locked", &path))?;
    Ok(mark)
}

fn sweep(incoming: &Path) -> Result<(), Fault> {
    let mut swept = 0;
    for entry in std::fs::read_dir(incoming).map_err(Fault::of("listed", incoming))? {
        let name = entry.map_err(Fault::of("listed", incoming))?.file_name();
        if name.to_str().is_some_and(is_incoming) {
            let path = incoming.join(name);
            std::fs::remove_file(&path).map_err(Fault::of("removed", &path))?;
            swept += 1;
        }
    }
    if swept > 0 {
        tracing::info!(folder = %incoming.display(), swept, "removed what a crash has left");
    }
    Ok(())
}

/// Whether it is the name of a file that [`FsStore::publish`] writes: `NAME.PROCESS.N`.
fn is_incoming(name: &str) -> bool {
    let mut parts = name.split('.');
    let of_object = |name: &str| object_of(name).is_some() || name.ends_with("-owner");
    let is_number = |part: &str| part.parse::<u64>().is_ok();
    parts.next().is_some_and(of_object)
        && parts.next().is_some_and(is_number)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none()
}

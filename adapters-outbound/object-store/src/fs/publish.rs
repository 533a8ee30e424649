//! Files that appear whole or not at all, and never instead of another.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use bytes::Bytes;
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::{FsStore, INCOMING, sync_folder};
use crate::error::Fault;

/// Whether a file came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    New,
    /// There was one with this name; it is as it was.
    Known,
}

/// So many parts go into one call of the system. IOV_MAX of Linux.
const PARTS_MAX: usize = 1_024;
/// Read at a time where an object is there already: seldom, so memory counts more than calls.
const COMPARED_BYTES: usize = 256 << 10;
/// So many bytes are on their way to the disk at most. The disk works while the rest is written, and the last sync has
/// little left to wait for.
const SYNCED_BYTES: usize = 4 << 20;

impl FsStore {
    /// Writes a file under a name that must be free. When it returns `New`, the file survives a power cut.
    pub(super) fn publish(&self, name: &str, to: &Path, parts: &[Bytes]) -> Result<Published, Fault> {
        let mut incoming = self.incoming(name)?;
        write_parts(&mut incoming.file, parts).map_err(Fault::of("written", &incoming.path))?;
        // All of a file that was never synced is written; its length goes with it.
        incoming.file.sync_data().map_err(Fault::of("synced", &incoming.path))?;
        match rename_new(&incoming.path, to) {
            Ok(()) => incoming.gone = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Published::Known),
            Err(error) => return Err(Fault::of("given its name", to)(error)),
        }
        if let Some(folder) = to.parent() {
            sync_folder(folder)?;
        }
        Ok(Published::New)
    }

    /// Writes a file in the place of the one with its name. When it returns, the new one survives a power cut.
    pub(super) fn replace(&self, name: &str, to: &Path, parts: &[Bytes]) -> Result<(), Fault> {
        let mut incoming = self.incoming(name)?;
        write_parts(&mut incoming.file, parts).map_err(Fault::of("written", &incoming.path))?;
        incoming.file.sync_data().map_err(Fault::of("synced", &incoming.path))?;
        std::fs::rename(&incoming.path, to).map_err(Fault::of("given its name", to))?;
        incoming.gone = true;
        to.parent().map_or(Ok(()), sync_folder)
    }

    fn incoming(&self, name: &str) -> Result<Incoming, Fault> {
        let folder = self.root.join(INCOMING);
        let process = std::process::id();
        loop {
            let number = self.incoming.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{name}.{process}.{number}"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Incoming { path, file, gone: false }),
                // Another machine's process with the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Fault::of("made", &path)(error)),
            }
        }
    }

    /// Whether a file has these bytes and no more.
    pub(super) fn holds(&self, path: &Path, parts: &[Bytes]) -> Result<bool, Fault> {
        let mut file = File::open(path).map_err(Fault::of("opened", path))?;
        let length = file.metadata().map_err(Fault::of("looked up", path))?.len();
        if length != parts.iter().map(|part| part.len() as u64).sum::<u64>() {
            return Ok(false);
        }
        let mut buffer = vec![0; COMPARED_BYTES];
        for wanted in parts.iter().flat_map(|part| part.chunks(COMPARED_BYTES)) {
            let (found, _) = buffer.split_at_mut(wanted.len());
            match file.read_exact(found) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                read => read.map_err(Fault::of("read", path))?,
            }
            if found != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A file without its name yet; what does not get it is removed.
struct Incoming {
    path: PathBuf,
    file: File,
    gone: bool,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.gone
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "left behind until the store is opened again");
        }
    }
}

/// Writes bytes, a piece at a time on the disk: a journal beside it, which is synced for each stable write, would wait for
/// as much as is on its way there.
fn write_parts(file: &mut File, parts: &[Bytes]) -> io::Result<()> {
    let mut unsynced = 0;
    let mut slices: Vec<IoSlice<'_>> =
        parts.iter().filter(|part| !part.is_empty()).map(|part| IoSlice::new(part)).collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        let (now, _) = rest.split_at(rest.len().min(PARTS_MAX));
        match file.write_vectored(now) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                IoSlice::advance_slices(&mut rest, written);
                unsynced += written;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if unsynced >= SYNCED_BYTES && !rest.is_empty() {
            file.sync_data()?;
            unsynced = 0;
        }
    }
    Ok(())
}

/// Renames where nothing has the new name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that can't: a second name never replaces anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

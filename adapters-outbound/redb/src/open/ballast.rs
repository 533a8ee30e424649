//! Room that is kept on the disk for what frees space and for what ends a flush, whoever else fills the disk: a file
//! that takes it, and is removed when there is no other room.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{fs::FallocateFlags, io::Errno};

const FILE: &str = "metadata.ballast";
/// Bytes that are written at once where a file system can't promise room. A large sequential write, without keeping all
/// of it in memory.
const WRITTEN_AT_ONCE: usize = 1 << 20;

/// The ballast of one folder.
pub(super) struct Ballast {
    folder: PathBuf,
    bytes: u64,
    held: AtomicBool,
}

impl Ballast {
    /// That of a folder, as it is found.
    pub(super) fn of(folder: &Path, bytes: u64) -> Ballast {
        let found = fs::metadata(folder.join(FILE));
        let held = found.is_ok_and(|file| file.len() == bytes);
        Ballast { folder: folder.to_owned(), bytes, held: AtomicBool::new(held) }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_held(&self) -> bool {
        self.bytes == 0 || self.held.load(Ordering::Relaxed)
    }

    /// Gives its room away.
    pub(super) fn give_up(&self) {
        if !self.held.swap(false, Ordering::Relaxed) {
            return;
        }
        // Some file systems hand room out again only once its removal is durable.
        match self.remove().and_then(|()| File::open(&self.folder)?.sync_all()) {
            Ok(()) => tracing::warn!(
                bytes = self.bytes,
                "the disk of the metadata database is full: room that was kept for this is used; nothing new is made until \
                 there is space again"
            ),
            Err(error) => tracing::error!(%error, "the room that was kept for a full disk can't be used"),
        }
    }

    /// Takes its room again.
    pub(super) fn restore(&self) {
        if self.is_held() {
            return;
        }
        match self.take() {
            Ok(()) => self.held.store(true, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(%error, "no room can be kept for when the disk of the metadata database is full");
                if let Err(error) = self.remove() {
                    tracing::warn!(%error, "a part of it is left behind");
                }
            }
        }
    }

    fn take(&self) -> io::Result<()> {
        let path = self.folder.join(FILE);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_noise(&mut file, self.bytes)?,
            promised => promised?,
        }
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(self.folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes bytes that no file system stores in less.
fn write_noise(file: &mut File, bytes: u64) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(WRITTEN_AT_ONCE);
    let mut left = bytes;
    while left > 0 {
        noise.clear();
        while noise.len() < WRITTEN_AT_ONCE {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            noise.extend_from_slice(&state.to_le_bytes());
        }
        let now = left.min(WRITTEN_AT_ONCE as u64);
        file.write_all(noise.get(..now as usize).unwrap_or_default())?;
        left -= now;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

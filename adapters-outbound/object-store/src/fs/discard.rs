//! The room of a disk, and giving back what of it lies dead in objects.

use std::{fs::OpenOptions, io, ops::Range, os::unix::fs::MetadataExt, sync::Arc};

use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{Capacity, ContentError};
use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};

use super::FsStore;
use crate::error::Fault;

/// Only whole blocks can be given back, of at least and at most so many bytes; of a part of one the file system would
/// have to write zeros instead.
const BLOCK_MIN: u64 = 4 << 10;
const BLOCK_MAX: u64 = 1 << 20;
/// The unit of `st_blocks` (POSIX).
const UNIT: u64 = 512;

impl FsStore {
    /// The disk's own numbers, as users other than root see them, less what is kept.
    pub(crate) async fn capacity(self: &Arc<Self>, kept: u64) -> Result<Capacity, ContentError> {
        self.blocking(move |store| {
            let room = rustix::fs::statvfs(&store.root);
            let room = room.map_err(|error| Fault::of("looked at", &store.root)(error.into()))?;
            let for_root = room.f_bfree.saturating_sub(room.f_bavail);
            let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize).saturating_sub(kept);
            Ok(Capacity { total: bytes(room.f_blocks.saturating_sub(for_root)), free: bytes(room.f_bavail) })
        })
        .await
    }

    /// Punches holes into an object's file, which needs no room.
    pub(crate) async fn discard(
        self: &Arc<Self>,
        share: ShareId,
        object: ObjectId,
        dead: Vec<Range<u64>>,
    ) -> Result<u64, ContentError> {
        self.blocking(move |store| store.discard_now(share, object, &dead)).await
    }

    fn discard_now(&self, share: ShareId, object: ObjectId, dead: &[Range<u64>]) -> Result<u64, ContentError> {
        let path = self.object_path(share, object);
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_mark()?;
                return Err(ContentError::NotFound);
            }
            Err(error) => return Err(Fault::of("opened", &path)(error).into()),
        };
        let before = file.metadata().map_err(Fault::of("looked up", &path))?;
        let block = before.blksize().next_power_of_two().clamp(BLOCK_MIN, BLOCK_MAX);
        let holes = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        for range in dead {
            let (start, end) = (range.start.next_multiple_of(block), range.end.min(before.len()) / block * block);
            if start >= end {
                continue;
            }
            match fallocate(&file, holes, start, end - start) {
                // A file system that has no holes.
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(0),
                punched => punched.map_err(|error| Fault::of("given back in part", &path)(error.into()))?,
            }
        }
        // Some file systems hand room out again only once it is durable that it was given back.
        file.sync_data().map_err(Fault::of("synced", &path))?;
        let after = file.metadata().map_err(Fault::of("looked up", &path))?;
        Ok(before.blocks().saturating_sub(after.blocks()) * UNIT)
    }
}

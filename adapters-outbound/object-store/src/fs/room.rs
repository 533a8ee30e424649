//! Room on the disk, claimed before an object is written.

use std::io;

use parking_lot::Mutex;

use super::FsStore;
use crate::error::Fault;

/// Room for an object while it is written.
#[derive(Debug)]
pub(super) struct Room<'s> {
    bytes: u64,
    coming: &'s Mutex<u64>,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        *self.coming.lock() -= self.bytes;
    }
}

impl FsStore {
    /// An object is not to take the last of a disk: whatever else is on it, as the metadata, needs some to free space.
    /// Nor are several that are written at once: what is on its way counts, though part of it is on the disk already.
    pub(super) fn claim_room(&self, bytes: u64, room_kept: u64) -> Result<Room<'_>, Fault> {
        let mut coming = self.coming.lock();
        let needed = bytes.saturating_add(*coming).saturating_add(room_kept);
        match rustix::fs::statvfs(&self.root) {
            Ok(room) if room.f_bavail.saturating_mul(room.f_frsize) < needed => {
                Err(Fault::of("written", &self.root)(io::ErrorKind::StorageFull.into()))
            }
            _ => {
                *coming += bytes;
                Ok(Room { bytes, coming: &self.coming })
            }
        }
    }
}

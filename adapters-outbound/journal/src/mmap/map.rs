//! Segments in memory: the only unsafe code.
#![allow(unsafe_code)]

use std::{fs::File, io, slice, sync::Arc};

use bytes::Bytes;
use memmap2::{MmapOptions, MmapRaw};

use super::slot::Slot;

/// A file mapped read-only and shared, so that it shows what `pwrite` writes.
///
/// The mapping is raw: no reference to the whole of it ever exists, because parts of it change while others are read.
pub(crate) struct Map(MmapRaw);

impl Map {
    /// Maps a file as long as it is now.
    pub(super) fn of(file: &File) -> io::Result<Map> {
        MmapOptions::new().map_raw_read_only(file).map(Map)
    }

    /// Whether a range can be read without waiting for the disk.
    ///
    /// Pages may leave memory between this and the read, which then waits, and in the worst case (the disk can't
    /// read them either) ends the process. Nothing short of `mlock` rules that out; a range that was never in memory
    /// is what must not be touched.
    pub(super) fn is_resident(&self, at: u64, len: usize) -> bool {
        let Some(end) = usize::try_from(at).ok().and_then(|at| at.checked_add(len)) else {
            return false;
        };
        if end > self.0.len() || len == 0 {
            return false;
        }
        let page = page_bytes();
        let first = at as usize / page * page;
        let pages = (end - first).div_ceil(page);
        let mut states = [0_u8; 512];
        (0..pages).step_by(states.len()).all(|skipped| {
            let count = (pages - skipped).min(states.len());
            let from = first + skipped * page;
            let bytes = (count * page).min(self.0.len() - from);
            // SAFETY: `from` is a multiple of the page size below the mapping's length, `from + bytes` is not above
            // it, and `states` has a byte for each of the at most 512 pages of the range, which is all that
            // `mincore` writes.
            let answer = unsafe { libc::mincore(self.0.as_mut_ptr().add(from).cast(), bytes, states.as_mut_ptr()) };
            answer == 0 && states.iter().take(count).all(|state| state & 1 == 1)
        })
    }
}

fn page_bytes() -> usize {
    // SAFETY: `sysconf` reads no memory of ours, and has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(4_096)
}

/// Part of a mapped segment that a reply holds.
struct Borrowed {
    slot: Arc<Slot>,
    at: usize,
    len: usize,
}

/// The bytes of a whole record in a slot that is mapped. The slot is not written there again before the last clone is
/// gone. None where it isn't mapped, or not that far.
pub(super) fn borrow(slot: &Arc<Slot>, at: u64, len: usize) -> Option<Bytes> {
    let at = usize::try_from(at).ok()?;
    slot.map.as_ref().filter(|map| at.checked_add(len).is_some_and(|end| end <= map.0.len()))?;
    Some(Bytes::from_owner(Borrowed { slot: Arc::clone(slot), at, len }))
}

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        let Some(map) = &self.slot.map else {
            return &[];
        };
        // SAFETY: `borrow` has checked that the range is inside the mapping, which lives as long as the slot, of
        // which `self` has a share. The bytes don't change while `self` lives: they are those of a record that was
        // written completely before its place became known; appends go behind it; and a slot is written anew only
        // when nobody else has a share of it (`Arc::get_mut`), by this process, which has the folder locked. The
        // file is never shortened, so the pages exist.
        unsafe { slice::from_raw_parts(map.0.as_ptr().add(self.at), self.len) }
    }
}

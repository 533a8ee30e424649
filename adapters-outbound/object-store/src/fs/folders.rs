//! Folders of shares, whose names are durable before anything in them is acknowledged.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    path::{Path, PathBuf},
};

use dittofs_domain::ShareId;
use parking_lot::Mutex;

use super::sync_folder;
use crate::{
    error::Fault,
    layout::{folder_name, share_name},
};

/// Folders that are known to be durable. One that was found may be the work of a process that came to its end before
/// it had synced it.
#[derive(Default)]
pub(super) struct Folders {
    known: Mutex<HashMap<ShareId, Known>>,
}

/// By first byte, a bit each.
#[derive(Default)]
struct Known([u128; 2]);

impl Known {
    fn place(first: u8) -> (usize, u128) {
        (usize::from(first >> 7), 1 << (first & 0x7F))
    }

    fn has(&self, first: u8) -> bool {
        let (word, bit) = Known::place(first);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn add(&mut self, first: u8) {
        let (word, bit) = Known::place(first);
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= bit;
        }
    }
}

impl Folders {
    /// The folder of objects that start with a byte, made if it is not there.
    pub(super) fn durable(&self, root: &Path, share: ShareId, first: u8) -> Result<PathBuf, Fault> {
        let of_share = root.join(share_name(share));
        let folder = of_share.join(folder_name(first));
        // Held while the disk syncs: at most 256 times a share.
        let mut known = self.known.lock();
        if known.get(&share).is_some_and(|known| known.has(first)) {
            return Ok(folder);
        }
        let known = known_or_made(&mut known, share, root, &of_share)?;
        make(&folder)?;
        sync_folder(&of_share)?;
        known.add(first);
        Ok(folder)
    }

    /// The folder of a share, made if it is not there.
    pub(super) fn durable_share(&self, root: &Path, share: ShareId) -> Result<PathBuf, Fault> {
        let folder = root.join(share_name(share));
        known_or_made(&mut self.known.lock(), share, root, &folder)?;
        Ok(folder)
    }
}

fn known_or_made<'a>(
    known: &'a mut HashMap<ShareId, Known>,
    share: ShareId,
    root: &Path,
    folder: &Path,
) -> Result<&'a mut Known, Fault> {
    match known.entry(share) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            make(folder)?;
            sync_folder(root)?;
            Ok(entry.insert(Known::default()))
        }
    }
}

fn make(folder: &Path) -> Result<(), Fault> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(Fault::of("made", folder)),
    }
}

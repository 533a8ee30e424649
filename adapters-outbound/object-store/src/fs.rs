//! Objects as files.
//!
//! ```text
//! ROOT/dittofs-objects               what the store is, with the number of its format
//! ROOT/incoming/OBJECT.PROCESS.N     objects that are being written
//! ROOT/SHARE/owner                   whom the share's objects belong to, and who holds them
//! ROOT/SHARE/owner.lock              locked by that process
//! ROOT/SHARE/FIRST/OBJECT            an object; FIRST is the first byte of its id
//! ```
//!
//! An object is written beside its place, synced, renamed without ever replacing anything, and then its folder is synced.
//! A folder's own name is synced before the first object in it is acknowledged.

mod claim;
mod discard;
mod folders;
mod handles;
mod listing;
mod open;
mod publish;
mod read;
mod room;

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::ContentError;
use parking_lot::Mutex;

use crate::{
    error::Fault,
    layout::{MARK, first_byte, folder_name, object_name, share_name},
    mark::MARK_BYTES_MAX,
};
use claim::OwnerLock;
use folders::Folders;
use handles::Handles;
use publish::Published;

/// Where objects are written before they have their names.
const INCOMING: &str = "incoming";

pub(crate) struct FsStore {
    root: PathBuf,
    /// Open and locked as long as the store is used: who can lock it alone is the only one.
    _mark: File,
    folders: Folders,
    handles: Handles,
    /// Of the shares whose owner this process is.
    locks: Mutex<HashMap<ShareId, OwnerLock>>,
    /// Makes names of incoming files different.
    incoming: AtomicU64,
    /// Bytes of objects that are being written.
    coming: Mutex<u64>,
    /// Whether the file system can say that a read would have to wait.
    nowait: AtomicBool,
}

impl FsStore {
    pub(crate) async fn put(
        self: &Arc<Self>,
        share: ShareId,
        object: ObjectId,
        parts: Vec<Bytes>,
        room_kept: u64,
    ) -> Result<(), ContentError> {
        self.blocking(move |store| store.put_now(share, object, &parts, room_kept)).await
    }

    fn put_now(&self, share: ShareId, object: ObjectId, parts: &[Bytes], room_kept: u64) -> Result<(), ContentError> {
        let folder = self.folders.durable(&self.root, share, first_byte(object))?;
        let path = folder.join(object_name(object));
        let known = path.try_exists().map_err(Fault::of("looked up", &path))?;
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        let _room = if known { None } else { Some(self.claim_room(bytes, room_kept)?) };
        if !known && self.publish(&object_name(object), &path, parts)? == Published::New {
            return Ok(());
        }
        // Whoever put it may not have come to the end: what is answered here must be durable all the same.
        if !self.holds(&path, parts)? {
            return Err(ContentError::Exists);
        }
        Ok(sync_folder(&folder)?)
    }

    pub(crate) async fn delete(self: &Arc<Self>, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.blocking(move |store| store.delete_now(share, object)).await
    }

    /// Durable when it returns: a row may be forgotten then, and nobody else knows of the object.
    fn delete_now(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        let folder = self.folder(share, first_byte(object));
        let path = folder.join(object_name(object));
        let removed = std::fs::remove_file(&path);
        self.handles.forget(share, object);
        match removed {
            Ok(()) => Ok(sync_folder(&folder)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_mark()?;
                match sync_folder(&folder) {
                    Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
                    synced => Ok(synced?),
                }
            }
            Err(error) => Err(Fault::of("removed", &path)(error).into()),
        }
    }

    fn folder(&self, share: ShareId, first: u8) -> PathBuf {
        self.root.join(share_name(share)).join(folder_name(first))
    }

    fn object_path(&self, share: ShareId, object: ObjectId) -> PathBuf {
        self.folder(share, first_byte(object)).join(object_name(object))
    }

    /// Checks that the mark is there. Data that are missing may only be out of sight, because their disk is not
    /// mounted.
    fn check_mark(&self) -> Result<(), Fault> {
        let path = self.root.join(MARK);
        std::fs::metadata(&path).map_err(Fault::of("found", &path)).map(drop)
    }

    /// Runs something that waits for the disk where that holds nobody up.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<FsStore>) -> Result<T, ContentError> + Send + 'static,
    ) -> Result<T, ContentError> {
        let store = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|stopped| Err(ContentError::Unavailable(Box::new(stopped))))
    }
}

/// A small file; of one that is none the start, which says nothing.
fn read_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MARK_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn sync_folder(folder: &Path) -> Result<(), Fault> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(Fault::of("synced", folder))
}

#[cfg(test)]
mod tests;

//! The mark of the owner of a share's objects. Whoever wrote it last keeps a file beside it locked.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use dittofs_domain::{ShareId, ownership::Mark};
use dittofs_ports::{Claim, ContentError, Marked};

use super::{FsStore, read_line};
use crate::{
    error::Fault,
    layout::{LOCK, OWNER, share_name, share_of},
    owner,
};

/// A lock that is held, where the file system has some.
pub(super) struct OwnerLock(Option<File>);

impl FsStore {
    pub(crate) async fn owner(self: &Arc<Self>, share: ShareId) -> Result<Option<Marked>, ContentError> {
        self.blocking(move |store| {
            store.check_mark()?;
            owner_in(&store.root.join(share_name(share)).join(OWNER))
        })
        .await
    }

    pub(crate) async fn claim(
        self: &Arc<Self>,
        share: ShareId,
        mark: &Mark,
        over: Option<Marked>,
    ) -> Result<Claim, ContentError> {
        let (mark, over) = (mark.clone(), over.map(|over| over.mark));
        self.blocking(move |store| store.claim_now(share, mark, over.as_ref())).await
    }

    fn claim_now(&self, share: ShareId, mark: Mark, over: Option<&Mark>) -> Result<Claim, ContentError> {
        self.check_mark()?;
        let folder = self.folders.durable_share(&self.root, share)?;
        let path = folder.join(OWNER);
        let mut locks = self.locks.lock();
        let taken = match locks.contains_key(&share) {
            true => None,
            false => match lock(&folder.join(LOCK))? {
                Some(lock) => Some(lock),
                None => return Ok(Claim::Refused(owner_in(&path)?)),
            },
        };
        let found = owner_in(&path)?;
        if found.as_ref().map(|found| &found.mark) != over {
            return Ok(Claim::Refused(found));
        }
        let is_atomic = taken.as_ref().or_else(|| locks.get(&share)).is_some_and(|lock| lock.0.is_some());
        let name = format!("{}-{OWNER}", share_name(share));
        let bytes = owner::encode(&mark);
        let written = match self.replace(&name, &path, &[Bytes::copy_from_slice(&bytes)]) {
            Err(fault) if is_full(&fault) => write_over(&path, bytes),
            written => written,
        };
        let holds = taken.is_none() && is_atomic;
        let marked = match (written, found) {
            (Ok(()), _) => Marked { mark, version: None },
            // A disk that copies on write has not even room for that. Whoever kept the folder locked since it wrote a mark
            // still has the objects, or nothing could be removed from a full disk any more.
            (Err(fault), Some(found)) if is_full(&fault) && is_renewal(&found.mark, &mark, holds) => found,
            (Err(fault), _) => return Err(fault.into()),
        };
        if marked.mark.is_released() {
            locks.remove(&share);
        } else if let Some(lock) = taken {
            locks.insert(share, lock);
        }
        Ok(Claim::Written { marked, is_atomic })
    }

    pub(crate) async fn shares(self: &Arc<Self>) -> Result<Vec<ShareId>, ContentError> {
        self.blocking(|store| {
            store.check_mark()?;
            let listed = |error| Fault::of("listed", &store.root)(error);
            let mut shares = Vec::new();
            for entry in std::fs::read_dir(&store.root).map_err(listed)? {
                let name = entry.map_err(listed)?.file_name();
                shares.extend(name.to_str().and_then(share_of));
            }
            shares.sort_unstable();
            Ok(shares)
        })
        .await
    }
}

fn is_full(fault: &Fault) -> bool {
    matches!(fault.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether a mark only says once more who has the objects, of a folder that this process has kept locked since it was
/// said. It may be of a later start: a start is renewed each minute, and nobody else can have come between.
pub(super) fn is_renewal(there: &Mark, mark: &Mark, holds: bool) -> bool {
    holds && !mark.is_released() && !there.is_released() && there.owner == mark.owner
}

/// Writes a mark where a full disk has no room for a new file: over the old one, which has its place. A mark is a few
/// hundred bytes, which disks write whole. Lines that are empty say nothing.
fn write_over(path: &Path, mut bytes: Vec<u8>) -> Result<(), Fault> {
    let file = OpenOptions::new().write(true).open(path).map_err(Fault::of("opened", path))?;
    let length = file.metadata().map_err(Fault::of("looked up", path))?.len();
    bytes.resize(bytes.len().max(length as usize), b'\n');
    file.write_all_at(&bytes, 0).map_err(Fault::of("written", path))?;
    file.sync_data().map_err(Fault::of("synced", path))
}

/// Takes the lock; none if somebody else has it.
fn lock(path: &Path) -> Result<Option<OwnerLock>, Fault> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = open.map_err(Fault::of("opened", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(OwnerLock(Some(file)))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            tracing::warn!(path = %path.display(), %error, "can't be locked: two servers are told apart by their marks only");
            Ok(Some(OwnerLock(None)))
        }
    }
}

fn owner_in(path: &Path) -> Result<Option<Marked>, ContentError> {
    let bytes = match read_line(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::of("read", path)(error).into()),
    };
    let shown = path.display();
    let unreadable = || format!("{shown} does not say who the owner is: put it back from a backup").into();
    let mark = owner::decode(&bytes).ok_or_else(|| ContentError::Corrupt(unreadable()))?;
    Ok(Some(Marked { mark, version: None }))
}

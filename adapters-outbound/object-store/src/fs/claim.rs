//! The mark of the owner of a share's objects. Whoever wrote it last keeps a file beside it locked.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
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
        self.replace(&name, &path, &[Bytes::from(owner::encode(&mark))])?;
        if mark.is_released() {
            locks.remove(&share);
        } else if let Some(lock) = taken {
            locks.insert(share, lock);
        }
        Ok(Claim::Written { marked: Marked { mark, version: None }, is_atomic })
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

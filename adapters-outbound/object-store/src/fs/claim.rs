//! Whom the objects of a share belong to.

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use dittofs_domain::ShareId;
use dittofs_ports::{Claim, ContentError};

use super::{FsStore, publish::Published, read_line, sync_folder};
use crate::{
    error::Fault,
    layout::{OWNER, share_name},
    mark,
};

impl FsStore {
    pub(crate) async fn owner(self: &Arc<Self>, share: ShareId) -> Result<Option<u128>, ContentError> {
        self.blocking(move |store| {
            store.check_mark()?;
            owner_in(&store.root.join(share_name(share)).join(OWNER))
        })
        .await
    }

    pub(crate) async fn claim(self: &Arc<Self>, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        self.blocking(move |store| store.claim_now(share, owner)).await
    }

    fn claim_now(&self, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        self.check_mark()?;
        let folder = self.folders.durable_share(&self.root, share)?;
        let path = folder.join(OWNER);
        let found = match owner_in(&path)? {
            Some(found) => found,
            None => {
                let line = Bytes::from(mark::owner(owner));
                let name = format!("{}-{OWNER}", share_name(share));
                if self.publish(&name, &path, &[line])? == Published::New {
                    return Ok(Claim::New);
                }
                // Somebody else was faster.
                owner_in(&path)?.ok_or_else(|| unreadable(&path))?
            }
        };
        if found != owner {
            return Ok(Claim::Foreign(found));
        }
        // Who wrote it may not have come to the end.
        sync_folder(&folder)?;
        Ok(Claim::Ours)
    }
}

fn owner_in(path: &Path) -> Result<Option<u128>, ContentError> {
    match read_line(path) {
        Ok(bytes) => mark::read_owner(&bytes).map(Some).ok_or_else(|| unreadable(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::of("read", path)(error).into()),
    }
}

fn unreadable(path: &Path) -> ContentError {
    let path = path.display();
    ContentError::Corrupt(format!("{path} does not say who the owner is: put it back from a backup").into())
}

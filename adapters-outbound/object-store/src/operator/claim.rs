//! The mark of the owner of a share's objects.

use dittofs_domain::{ShareId, ownership::Mark};
use dittofs_ports::{Claim, ContentError, Marked};
use futures_util::TryStreamExt;
use opendal::{ErrorKind, options::ListOptions};

use super::{OperatorStore, error::is_known_already, found::Found};
use crate::{
    layout::{OWNER, share_name, share_of},
    mark::MARK_BYTES_MAX,
    owner,
};

/// How often a mark is read that is replaced between its head and its body. Others claim seldom: twice in a row is
/// unlikely already.
const READS_MAX: u32 = 4;

impl OperatorStore {
    pub(crate) async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        let found = *self.found().await?;
        self.owner_in(&marker(share), found).await
    }

    pub(crate) async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        let found = *self.found().await?;
        let path = marker(share);
        // In this process one comes after the other, whatever the store can do.
        let _only_one = self.claiming.lock().await;
        let is_atomic = found.puts_only_new && found.replaces_only_seen;
        let version = over.as_ref().and_then(|over| over.version.clone());
        let options = match &over {
            None => found.only_new(),
            Some(_) => found.over(version.filter(|_| is_atomic)),
        };
        let compares = options.if_match.is_some() || options.if_version_match.is_some() || options.if_not_exists;
        if !compares {
            let there = self.owner_in(&path, found).await?;
            if there.as_ref().map(|there| &there.mark) != over.as_ref().map(|over| &over.mark) {
                return Ok(Claim::Refused(there));
            }
        }
        match self.bounded(self.operator.write_options(&path, owner::encode(mark), options)).await {
            Ok(written) => {
                let version = found.versions.of_object(&written);
                let is_atomic = is_atomic || self.remote.is_none();
                Ok(Claim::Written { marked: Marked { mark: mark.clone(), version }, is_atomic })
            }
            Err(error) if is_known_already(&error) => Ok(Claim::Refused(self.owner_in(&path, found).await?)),
            // The mark that was to be replaced has gone.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Claim::Refused(None)),
            Err(error) => Err(self.failed("written", &path, error)),
        }
    }

    pub(crate) async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        self.found().await?;
        let failed = |error| self.failed("listed", "/", error);
        let mut lister = self.operator.lister_options("/", ListOptions::default()).await.map_err(failed)?;
        let mut shares = Vec::new();
        while let Some(entry) = lister.try_next().await.map_err(failed)? {
            shares.extend(entry.path().strip_suffix('/').and_then(share_of));
        }
        shares.sort_unstable();
        shares.dedup();
        Ok(shares)
    }

    async fn owner_in(&self, path: &str, found: Found) -> Result<Option<Marked>, ContentError> {
        for _ in 0..READS_MAX {
            match self.bounded(self.read_mark(path, found)).await {
                Ok((bytes, version)) => {
                    let unreadable = || format!("{path} does not say who the owner is: put it back from a backup");
                    let mark = owner::decode(&bytes).ok_or_else(|| ContentError::Corrupt(unreadable().into()))?;
                    return Ok(Some(Marked { mark, version }));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) if is_known_already(&error) => {}
                Err(error) => return Err(self.failed("read", path, error)),
            }
        }
        Err(ContentError::Unavailable(format!("{path} changes whenever it is read").into()))
    }

    /// A mark, and the version that its bytes have.
    async fn read_mark(&self, path: &str, found: Found) -> opendal::Result<(bytes::Bytes, Option<String>)> {
        let head = self.operator.stat(path).await?;
        if head.content_length() > MARK_BYTES_MAX {
            return Ok((bytes::Bytes::new(), None));
        }
        let version = found.versions.of_object(&head);
        let options = found.only(version.clone(), self.operator.info().capability());
        Ok((self.operator.read_options(path, options).await?.to_bytes(), version))
    }
}

fn marker(share: ShareId) -> String {
    format!("{}/{OWNER}", share_name(share))
}

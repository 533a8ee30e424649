//! Whom the objects of a share belong to.

use dittofs_domain::ShareId;
use dittofs_ports::{Claim, ContentError};
use opendal::ErrorKind;

use super::{OperatorStore, error::is_known_already};
use crate::{
    layout::{OWNER, share_name},
    mark,
};

impl OperatorStore {
    pub(crate) async fn owner(&self, share: ShareId) -> Result<Option<u128>, ContentError> {
        self.found().await?;
        self.owner_in(&marker(share)).await
    }

    pub(crate) async fn claim(&self, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        let found = *self.found().await?;
        let path = marker(share);
        // Of two claims at the same instant the later one wins: both then read whose it is.
        if !found.puts_only_new
            && let Some(found) = self.owner_in(&path).await?
        {
            return Ok(claim_of(found, owner));
        }
        match self.operator.write_options(&path, mark::owner(owner).into_bytes(), found.only_new()).await {
            Ok(_) if found.puts_only_new => Ok(Claim::New),
            Ok(_) => Ok(match claim_of(self.written_owner(&path).await?, owner) {
                Claim::Ours => Claim::New,
                other => other,
            }),
            Err(error) if is_known_already(&error) => Ok(claim_of(self.written_owner(&path).await?, owner)),
            Err(error) => Err(self.failed("written", &path, error)),
        }
    }

    /// The owner that a marker names which is there for sure.
    async fn written_owner(&self, path: &str) -> Result<u128, ContentError> {
        let gone = || ContentError::Unavailable(format!("{path} is there and can't be read").into());
        self.owner_in(path).await?.ok_or_else(gone)
    }

    async fn owner_in(&self, path: &str) -> Result<Option<u128>, ContentError> {
        let line = match self.read_line(path).await {
            Ok(line) => line,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", path, error)),
        };
        let unreadable = || format!("{path} does not say who the owner is: put it back from a backup").into();
        mark::read_owner(&line).map(Some).ok_or_else(|| ContentError::Corrupt(unreadable()))
    }
}

fn marker(share: ShareId) -> String {
    format!("{}/{OWNER}", share_name(share))
}

fn claim_of(found: u128, owner: u128) -> Claim {
    if found == owner { Claim::Ours } else { Claim::Foreign(found) }
}

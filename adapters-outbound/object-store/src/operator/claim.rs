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
    pub(crate) async fn claim(&self, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        let found = *self.found().await?;
        let path = format!("{}/{OWNER}", share_name(share));
        if !found.puts_only_new {
            // Of two claims at the same instant the later one wins: both then read whose it is.
            match self.operator.stat(&path).await {
                Ok(_) => return self.owner(&path, owner).await,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed("looked up", &path, error)),
            }
        }
        match self.operator.write_options(&path, mark::owner(owner).into_bytes(), found.only_new()).await {
            Ok(_) if found.puts_only_new => Ok(Claim::New),
            Ok(_) => Ok(match self.owner(&path, owner).await? {
                Claim::Ours => Claim::New,
                other => other,
            }),
            Err(error) if is_known_already(&error) => self.owner(&path, owner).await,
            Err(error) => Err(self.failed("written", &path, error)),
        }
    }

    async fn owner(&self, path: &str, owner: u128) -> Result<Claim, ContentError> {
        let line = self.read_line(path).await.map_err(|error| self.failed("read", path, error))?;
        match mark::read_owner(&line) {
            Some(found) if found == owner => Ok(Claim::Ours),
            Some(found) => Ok(Claim::Foreign(found)),
            None => Err(ContentError::Corrupt(
                format!("{path} does not say who the owner is: put it back from a backup").into(),
            )),
        }
    }
}

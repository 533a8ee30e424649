//! Listing the objects of a share.

use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::ContentError;
use futures_util::TryStreamExt;
use opendal::{Entry, ErrorKind, options::ListOptions};

use super::{OperatorStore, path_of};
use crate::layout::{object_of, share_name};

impl OperatorStore {
    pub(crate) async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.found().await?;
        let prefix = format!("{}/", share_name(share));
        let failed = |error| self.failed("listed", &prefix, error);
        // Only a service that can start behind a name is known to list by name.
        let ordered = self.operator.info().capability().list_with_start_after;
        let start_after = after.filter(|_| ordered).map(|after| path_of(share, after));
        let options = ListOptions { recursive: true, start_after, ..ListOptions::default() };
        let mut lister = self.operator.lister_options(&prefix, options).await.map_err(failed)?;
        let mut found: Vec<(ObjectId, Entry)> = Vec::new();
        while let Some(entry) = lister.try_next().await.map_err(failed)? {
            // A file of such a name elsewhere is nobody's object.
            let object = object_of(entry.name()).filter(|object| entry.path() == path_of(share, *object));
            let Some(object) = object.filter(|object| after.is_none_or(|after| *object > after)) else { continue };
            if ordered && found.last().is_some_and(|(last, _)| *last >= object) {
                return Err(ContentError::Corrupt(format!("{prefix} is not listed by name").into()));
            }
            found.push((object, entry));
            if ordered && found.len() >= max {
                break;
            }
        }
        found.sort_unstable_by_key(|(object, _)| *object);
        let mut listed = Vec::new();
        for (object, entry) in found {
            if listed.len() == max {
                break;
            }
            listed.extend(self.length(entry).await?.map(|length| (object, length)));
        }
        Ok(listed)
    }

    /// The length of what was listed; `None` if it has gone meanwhile.
    async fn length(&self, entry: Entry) -> Result<Option<u64>, ContentError> {
        if entry.metadata().is_file() {
            return Ok(Some(entry.metadata().content_length()));
        }
        match self.operator.stat(entry.path()).await {
            Ok(found) => Ok(Some(found.content_length())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("looked up", entry.path(), error)),
        }
    }
}

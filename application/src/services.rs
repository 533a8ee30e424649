//! The inbound ports that concern all shares.

mod admin;
mod entry;
mod statistics;

use std::{fmt, sync::Arc};

use dittofs_domain::{FsError, ShareId, error::FsResult};
use dittofs_ports::BackupFolders;

use crate::{registry::Registry, served::ServedShare, volume::Volume};

/// The way in to the shares of a registry, and their administration.
#[derive(Clone)]
pub struct Services {
    registry: Arc<Registry>,
    backups: Option<Arc<dyn BackupFolders>>,
    /// Held by the backup that is being written.
    backing_up: Arc<tokio::sync::Mutex<()>>,
}

/// Why a share is still served, or was not closed cleanly.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// There is none with this id.
    #[error("there is no such share")]
    Unknown,
    /// It may be in the backup, which would be without it.
    #[error("a backup is being written")]
    BackingUp,
    /// It is served no more, but what is unflushed is only in its journal, if it has one.
    #[error("it could not be closed cleanly: {0}")]
    Close(FsError),
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Services {
    /// Services over these volumes.
    pub fn new(registry: Arc<Registry>) -> Services {
        Services { registry, backups: None, backing_up: Arc::default() }
    }

    /// The same, which write backups to folders.
    #[must_use]
    pub fn writing_backups_to(mut self, folders: Arc<dyn BackupFolders>) -> Services {
        self.backups = Some(folders);
        self
    }

    /// The volumes that are served, by name.
    pub fn volumes(&self) -> Vec<Arc<Volume>> {
        self.registry.volumes()
    }

    /// Returns the services of a share, for those who need no handle and no admission.
    ///
    /// # Errors
    /// `Stale` if there is none with this id.
    pub fn share(&self, share: ShareId) -> FsResult<Arc<ServedShare>> {
        self.registry.share(share)
    }

    /// Serves one more share, whose name and id must differ from those of the others.
    pub fn add(&self, volume: Arc<Volume>) {
        self.registry.add(volume);
    }

    /// Serves a share no more: its handles are stale at once, changes on their way are ended, and what is unflushed is
    /// flushed. The volume and its stores go with the last call that reads from it.
    ///
    /// # Errors
    /// That it is still served, or could not be closed cleanly.
    pub async fn retire(&self, share: ShareId) -> Result<(), RetireError> {
        let _running = self.backing_up.try_lock().map_err(|_| RetireError::BackingUp)?;
        let volume = self.registry.remove(share).map_err(|_| RetireError::Unknown)?;
        volume.retire().await.map_err(RetireError::Close)
    }
}

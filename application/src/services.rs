//! The inbound ports: facades that find the volume and pass the call on.

mod admin;
mod block;
mod metadata;
mod open;
mod statistics;

use std::{fmt, sync::Arc};

use dittofs_ports::BackupFolders;

use crate::registry::Registry;

/// All services over the volumes of a registry.
#[derive(Clone)]
pub struct Services {
    registry: Arc<Registry>,
    backups: Option<Arc<dyn BackupFolders>>,
    /// Held by the backup that is being written.
    backing_up: Arc<tokio::sync::Mutex<()>>,
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
}

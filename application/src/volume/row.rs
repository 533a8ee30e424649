//! The share's own row: its name, start, journal, keys and backups.

use std::sync::Arc;

use dittofs_ports::{MetadataError, ShareMetadata, ShareRecord};

/// The share's own row.
pub(super) struct ShareRow {
    metadata: Arc<dyn ShareMetadata>,
    /// Held by who changes it.
    changing: tokio::sync::Mutex<()>,
}

impl ShareRow {
    pub(super) fn new(metadata: Arc<dyn ShareMetadata>) -> ShareRow {
        ShareRow { metadata, changing: tokio::sync::Mutex::new(()) }
    }

    /// Changes the share's row. While the share is open nothing else does, or one change would undo another.
    pub(super) async fn change(&self, change: impl FnOnce(&mut ShareRecord)) -> Result<(), MetadataError> {
        let _row = self.changing.lock().await;
        let found = self.metadata.record().await?;
        let mut changed = found.clone();
        change(&mut changed);
        if changed == found { Ok(()) } else { self.metadata.put_record(&changed).await }
    }
}

//! The key files of shares, which are followed while the server runs.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use dittofs_application::Machine;
use dittofs_frame_sealer::{FileError, KeyFile, Refreshed, Sealer};
use tokio::sync::Notify;

use crate::config::{EncryptionConfig, ShareConfig};

/// How often key files are read again.
const PERIOD: Duration = Duration::from_secs(2);

/// The sealers of shares: those with the same file have the same one.
#[derive(Default)]
pub(crate) struct Keys(BTreeMap<(PathBuf, bool), Arc<Sealer>>);

impl Keys {
    /// The sealer that a share is to have.
    pub(crate) fn sealer(&mut self, share: &ShareConfig) -> Result<Arc<Sealer>, FileError> {
        let Some(EncryptionConfig { key_file, seal }) = &share.encryption else { return Ok(Arc::new(Sealer::none())) };
        let named = (key_file.clone(), *seal);
        if let Some(sealer) = self.0.get(&named) {
            return Ok(Arc::clone(sealer));
        }
        let sealer = Arc::new(Sealer::open(KeyFile::new(key_file.clone()), *seal)?);
        self.0.insert(named, Arc::clone(&sealer));
        Ok(sealer)
    }

    /// Reads the files again and again, and whenever it is told to, until the server's runtime ends.
    pub(super) fn follow(self, machine: &Machine, again: &Arc<Notify>) {
        let clock = Arc::clone(&machine.clock);
        for ((file, _), sealer) in self.0 {
            let (clock, again) = (Arc::clone(&clock), Arc::clone(again));
            let follow = async move {
                let mut told = None;
                loop {
                    tokio::select! { () = clock.sleep(PERIOD) => {}, () = again.notified() => {} }
                    let sealer = Arc::clone(&sealer);
                    // The file may be on a disk that hangs.
                    let Ok(refreshed) = tokio::task::spawn_blocking(move || sealer.refresh()).await else { return };
                    told = tell(&file.display().to_string(), refreshed, told);
                }
            };
            machine.spawner.spawn("keys", Box::pin(follow));
        }
    }
}

/// Says what changed; what is wrong once for as long as it stays the same. Answers what is wrong.
fn tell(file: &str, refreshed: Result<Refreshed, FileError>, told: Option<String>) -> Option<String> {
    match refreshed {
        Ok(Refreshed { added, removed, seals_with }) => {
            if told.is_some() {
                tracing::info!(%file, "the key file can be read again");
            }
            if !added.is_empty() {
                tracing::info!(%file, keys = ?added, "keys were added");
            }
            if !removed.is_empty() {
                tracing::warn!(
                    %file, keys = ?removed,
                    "keys are not in the key file any more: what they seal can be read until this server stops, and then \
                     only if they are put back; `dittofs check` says what that is"
                );
            }
            if let Some(key) = seals_with {
                tracing::info!(%file, key, "what is written from now on is sealed with this key");
            }
            None
        }
        Err(error) => {
            let error = error.to_string();
            if told.as_ref() != Some(&error) {
                tracing::error!(%file, %error, "the key file can't be read again: the keys stay as they are");
            }
            Some(error)
        }
    }
}

//! The key files of shares, which are followed while the server runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use dittofs_application::Machine;
use dittofs_domain::KeyId;
use dittofs_frame_sealer::{FileError, KeyFile, KeyringError, Refreshed, Sealer};
use dittofs_ports::{Clock, KeysInUse, ShareRecord};
use tokio::sync::Notify;

use crate::config::{EncryptionConfig, ShareConfig};

/// Keys that a message names. Enough to see which; the rest is counted.
const KEYS_NAMED_MAX: usize = 10;

/// Why a share has no keys, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{source}. {}", fix(.in_use, .source))]
pub(super) struct KeysRefused {
    source: FileError,
    /// The keys that seal content of the share; none of a share that is not there yet.
    in_use: KeysInUse,
}

impl KeysRefused {
    /// For the share with this row, if there is one.
    pub(super) fn of(source: FileError, record: Option<&ShareRecord>) -> KeysRefused {
        KeysRefused { source, in_use: record.map(|record| record.keys.clone()).unwrap_or_default() }
    }
}

/// Another key must not be made where one was lost: what is sealed does not open with it.
fn fix(in_use: &KeysInUse, source: &FileError) -> String {
    let is_without = matches!(source, FileError::Missing(_) | FileError::Content { source: KeyringError::Empty, .. });
    match (in_use.in_use.is_empty(), in_use.are_all) {
        (true, true) if is_without => {
            "Nothing of this share is sealed yet, so if there was no key, `dittofs key add` with the \
                                       file's name makes the first one"
                .to_owned()
        }
        (true, true) => "Nothing of this share is sealed yet".to_owned(),
        (true, false) => "Content of this share may be sealed with keys of this file: no other key opens it".to_owned(),
        (false, _) => {
            format!("Content of this share is sealed with {}: no other key opens it", named(&in_use.in_use))
        }
    }
}

/// Keys as a message names them.
fn named(keys: &BTreeSet<KeyId>) -> String {
    let shown: Vec<String> = keys.iter().take(KEYS_NAMED_MAX).map(ToString::to_string).collect();
    let more = if keys.len() > KEYS_NAMED_MAX { ", and more" } else { "" };
    format!("{} {}{more}", if keys.len() == 1 { "key" } else { "the keys" }, shown.join(", "))
}

/// How often key files are read again: a key that is put back opens within two seconds, the time to read it included.
const PERIOD: Duration = Duration::from_secs(1);

/// The sealers of shares: those with the same file have the same one, as long as one of them is open.
#[derive(Default)]
pub(crate) struct Keys(BTreeMap<(PathBuf, bool), OfFile>);

struct OfFile {
    sealer: Weak<Sealer>,
    is_followed: bool,
}

impl Keys {
    /// The sealer that a share is to have.
    pub(crate) fn sealer(&mut self, share: &ShareConfig) -> Result<Arc<Sealer>, FileError> {
        let Some(EncryptionConfig { key_file, seal }) = &share.encryption else { return Ok(Arc::new(Sealer::none())) };
        let named = (key_file.clone(), *seal);
        if let Some(sealer) = self.0.get(&named).and_then(|of| of.sealer.upgrade()) {
            return Ok(sealer);
        }
        let sealer = Arc::new(Sealer::open(KeyFile::new(key_file.clone()), *seal)?);
        self.0.insert(named, OfFile { sealer: Arc::downgrade(&sealer), is_followed: false });
        Ok(sealer)
    }

    /// Reads the files that are not followed yet again and again, and whenever it is asked to, as long as a share
    /// needs them.
    pub(super) fn follow(&mut self, machine: &Machine, again: &Arc<Notify>) {
        for ((file, _), of) in self.0.iter_mut().filter(|(_, of)| !of.is_followed) {
            of.is_followed = true;
            let follow = follow(file.clone(), Weak::clone(&of.sealer), Arc::clone(&machine.clock), Arc::clone(again));
            machine.spawner.spawn("keys", Box::pin(follow));
        }
    }
}

async fn follow(file: PathBuf, sealer: Weak<Sealer>, clock: Arc<dyn Clock>, again: Arc<Notify>) {
    let mut wrong = None;
    loop {
        tokio::select! { () = clock.sleep(PERIOD) => {}, () = again.notified() => {} }
        let Some(sealer) = sealer.upgrade() else { return };
        // The file may be on a disk that hangs.
        let Ok(refreshed) = tokio::task::spawn_blocking(move || sealer.refresh()).await else { return };
        wrong = report(&file.display().to_string(), refreshed, wrong);
    }
}

fn words(keys: &[KeyId]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Says what changed; what is wrong once for as long as it stays the same. Answers what is wrong.
fn report(file: &str, refreshed: Result<Refreshed, FileError>, before: Option<String>) -> Option<String> {
    match refreshed {
        Ok(Refreshed { added, removed, seals_with }) => {
            if before.is_some() {
                tracing::info!(%file, "the key file can be read again");
            }
            if !added.is_empty() {
                tracing::info!(%file, keys = %words(&added), "keys were added");
            }
            if !removed.is_empty() {
                tracing::warn!(
                    %file, keys = %words(&removed),
                    "keys are not in the key file any more: what they seal can be read until this server stops, and then \
                     only if they are put back; `dittofs check` says what that is"
                );
            }
            if let Some(key) = seals_with {
                tracing::info!(%file, %key, "what is written from now on is sealed with this key");
            }
            None
        }
        Err(error) => {
            let error = error.to_string();
            if before.as_ref() != Some(&error) {
                tracing::error!(%file, %error, "the key file can't be read again: the keys stay as they are");
            }
            Some(error)
        }
    }
}

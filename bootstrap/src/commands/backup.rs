//! Writes, lists and releases backups.

mod time;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use dittofs_admin::{BackupLine, BackupView, Client, ClientError};
use dittofs_application::{UnpinError, pinning, unpin_all};
use dittofs_domain::{ShareId, backup::BackupId};
use dittofs_ports::{BackupRequest, Clock, MetadataError};
use dittofs_system::SystemClock;

use super::stored::{StoredError, StoredShares};
use crate::config::{ByteSize, Config, StoreKinds, control_socket};
use crate::progress::Progress;

/// Why a backup is not written, listed or released.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackupFailure {
    #[error("a backup is written by the running server: start it, or copy the whole data folder while it is stopped")]
    NotRunning,
    #[error("there is no share `{name}`; known: {known}")]
    UnknownShare { name: String, known: String },
    #[error("`{0}` is no id of a backup: it has 16 hexadecimal digits, and `dittofs backup list` shows it")]
    NoId(String),
    #[error("no share has a backup {0}: `dittofs backup list` shows those that there are")]
    Unknown(BackupId),
    #[error("{} can't be made absolute: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("no backup was written: {reason}{}", left(.folder))]
    Failed { folder: PathBuf, reason: String },
    #[error("the metadata store can't be changed: {0}; try again")]
    Unpin(#[from] UnpinError),
    #[error("the metadata store can't be read: {0}")]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BackupFailure {
    /// Whether the caller's words are at fault.
    pub(super) fn is_of_words(&self) -> bool {
        matches!(self, BackupFailure::UnknownShare { .. } | BackupFailure::NoId(_) | BackupFailure::Unknown(_))
    }
}

/// Says what to do with a folder in which a backup was begun.
fn left(folder: &Path) -> String {
    match folder.exists() {
        true => format!(". What may be in {} is no backup", folder.display()),
        false => String::new(),
    }
}

fn client(config: &Config) -> Option<Client> {
    config.data.as_ref().map(|data| Client::new(&control_socket(data)))
}

/// A backup, as it was asked for.
pub(super) struct Wanted {
    pub(super) folder: PathBuf,
    /// The names of its shares; none: all.
    pub(super) shares: Vec<String>,
    pub(super) pin: bool,
    pub(super) allow_damaged: bool,
}

/// Has the running server write a backup.
pub(super) fn create(wanted: &Wanted, config: &Config, out: &mut dyn Write) -> Result<(), BackupFailure> {
    let Wanted { folder, shares: names, pin, allow_damaged } = wanted;
    let absolute = std::path::absolute(folder);
    let folder = absolute.map_err(|source| BackupFailure::Folder { folder: folder.clone(), source })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = client(config).ok_or(BackupFailure::NotRunning)?;
    let (mut summary, mut failed) = (None, None);
    runtime.block_on(async {
        let shares = ids_of(&client, names).await?;
        let request = BackupRequest { folder: folder.clone(), shares, pin: *pin, allow_damaged: *allow_damaged };
        let mut shown: Option<(String, Progress)> = None;
        let each = |line| match line {
            BackupLine::Progress { phase, done, of } => show(&mut shown, phase, done, of),
            BackupLine::Summary(ended) => summary = Some(ended),
            BackupLine::Failed { error } => failed = Some(error),
        };
        let asked = client.back_up(&request, each).await;
        finish(shown);
        Ok::<(), BackupFailure>(asked?)
    })?;
    if let Some(reason) = failed {
        return Err(BackupFailure::Failed { folder, reason });
    }
    if let Some(summary) = summary {
        let (shares, size) = (summary.shares.join(", "), ByteSize(summary.bytes));
        writeln!(out, "backup {} of {shares} is written to {}", summary.backup, folder.display())?;
        let how = if *pin { "pinned where they are" } else { "copied" };
        writeln!(out, "{} files and directories, {} objects of {size}, {how}", summary.nodes, summary.objects)?;
        for file in summary.incomplete {
            writeln!(out, "warning: the newest bytes of {file} are not in it, as the file's metadata is damaged")?;
        }
    }
    Ok(())
}

async fn ids_of(client: &Client, names: &[String]) -> Result<Vec<ShareId>, BackupFailure> {
    let running = match client.shares().await {
        Err(ClientError::NotRunning(_)) => return Err(BackupFailure::NotRunning),
        running => running?.shares,
    };
    let id_of = |name: &String| {
        let found = running.iter().find(|share| share.facts.name == *name).and_then(|share| share.id);
        found.map(ShareId).ok_or_else(|| {
            let known: Vec<&str> = running.iter().map(|share| share.facts.name.as_str()).collect();
            BackupFailure::UnknownShare { name: name.clone(), known: known.join(", ") }
        })
    };
    names.iter().map(id_of).collect()
}

fn show(shown: &mut Option<(String, Progress)>, phase: String, done: u64, of: u64) {
    if of == 0 {
        return;
    }
    if shown.as_ref().is_none_or(|(current, _)| *current != phase) {
        finish(shown.take());
        *shown = Some((phase.clone(), Progress::shown(format!("backing up ({phase})"))));
    }
    if let Some((_, progress)) = shown {
        progress.report(done, of);
    }
}

fn finish(shown: Option<(String, Progress)>) {
    if let Some((_, progress)) = shown {
        progress.report(1, 1);
    }
}

/// Lists the backups that pin something, as the running server or the stores list them.
pub(super) fn list(config: &Config, kinds: &StoreKinds, out: &mut dyn Write) -> Result<(), BackupFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let backups = runtime.block_on(async {
        if let Some(client) = client(config) {
            match client.backups().await {
                Err(ClientError::NotRunning(_)) => {}
                answer => return Ok::<_, BackupFailure>(answer?.backups),
            }
        }
        let stored = StoredShares::open(config, kinds).await?;
        let records = stored.stores.iter().flat_map(|store| &store.shares);
        Ok(records.flat_map(pinning).map(BackupView::from).collect())
    })?;
    print(&backups, out)?;
    Ok(())
}

fn print(backups: &[BackupView], out: &mut dyn Write) -> io::Result<()> {
    if backups.is_empty() {
        return writeln!(out, "no backup keeps objects");
    }
    writeln!(out, "{:16}  {:20}  {:12}  {:>8}  {:>12}  SHARE", "ID", "TIME", "STATE", "OBJECTS", "BYTES HELD")?;
    for backup in backups {
        let state = if backup.is_kept { "pinned" } else { "being made" };
        let (id, time) = (&backup.backup, time::shown(backup.at));
        writeln!(out, "{id:16}  {time:20}  {state:12}  {:>8}  {:>12}  {}", backup.objects, backup.bytes, backup.share)?;
    }
    Ok(())
}

/// Releases a backup: through the running server, or in the stores where none runs.
pub(super) fn release(id: &str, config: &Config, kinds: &StoreKinds, out: &mut dyn Write) -> Result<(), BackupFailure> {
    let backup: BackupId = id.parse().map_err(|_| BackupFailure::NoId(id.to_owned()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bytes = runtime.block_on(async {
        if let Some(client) = client(config) {
            match client.release_backup(id).await {
                Err(ClientError::NotRunning(_)) => {}
                answer => return Ok::<_, BackupFailure>(answer?.bytes),
            }
        }
        release_stored(backup, &StoredShares::open(config, kinds).await?).await
    })?;
    writeln!(out, "backup {backup} is released; it had kept {}", ByteSize(bytes))?;
    Ok(())
}

/// Releases a backup without a server. Objects that are not needed any more are deleted once the shares are served
/// again.
async fn release_stored(backup: BackupId, stored: &StoredShares) -> Result<u64, BackupFailure> {
    let (mut bytes, mut is_known) = (0, false);
    for store in &stored.stores {
        for record in &store.shares {
            let Some(kept) = record.backups.get(&backup) else { continue };
            let Some(metadata) = store.store.share(record.id).await? else { continue };
            unpin_all(&*metadata, backup, SystemClock::new().now(), |_| {}).await?;
            let mut changed = record.clone();
            changed.backups.remove(&backup);
            metadata.put_record(&changed).await?;
            (bytes, is_known) = (bytes + kept.bytes, true);
        }
    }
    if is_known { Ok(bytes) } else { Err(BackupFailure::Unknown(backup)) }
}

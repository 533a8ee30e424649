//! Brings the shares of a backup back, into the stores of a configuration that nobody serves.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use dittofs_admin::{ClientError, backup_phase_word};
use dittofs_application::{RestoreError, RestoreStores, restore_share};
use dittofs_backup_folder::FolderBackups;
use dittofs_ports::{
    BackupFolderError, BackupFolders, BackupObserver, BackupProgress, ContentStore, FrameSealer, ShareInBackup,
};
use parking_lot::Mutex;

use super::stored::is_running;
use crate::cli::RestoreArguments;
use crate::config::{ByteSize, Config, Opening, ShareConfig, StoreError, StoreKinds, Stores, open_each_store};
use crate::progress::Progress;
use crate::serve::{self, DataError, DataFolder, ServeError};

/// Why a backup is not restored.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreFailure {
    #[error("a server runs on this data folder: stop it first, or name another data folder by --data")]
    Running,
    #[error(
        "the configuration names no share {share} (id {id}), which is in the backup: name it there, with the stores \
         that it is to go to"
    )]
    NotNamed { share: String, id: String },
    #[error("the configuration has no content store `{store}` (--objects); known: {known}")]
    UnknownStore { store: String, known: String },
    #[error(
        "{} has a journal of {share}, which is another one's than the backup's: move it away, or name another folder \
         for journals",
        folder.display()
    )]
    Journal { share: String, folder: PathBuf },
    #[error("{share} is not restored: {source}")]
    Share { share: String, source: RestoreError },
    #[error("the store `{store}` can't be opened: {source}")]
    Store { store: String, source: StoreError },
    #[error(transparent)]
    Backup(#[from] BackupFolderError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RestoreFailure {
    /// Whether the caller's words are at fault.
    pub(super) fn is_of_words(&self) -> bool {
        matches!(self, RestoreFailure::NotNamed { .. } | RestoreFailure::UnknownStore { .. })
    }
}

/// Restores all shares of a backup.
pub(super) fn restore(
    arguments: &RestoreArguments,
    config: &Config,
    kinds: &StoreKinds,
    out: &mut dyn Write,
) -> Result<(), RestoreFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        if is_running(config).await? {
            return Err(RestoreFailure::Running);
        }
        let backup = FolderBackups.open(&arguments.folder).await?;
        let manifest = backup.manifest().clone();
        let named = manifest.shares.iter().map(|share| Ok((share, configured(share, config)?)));
        let named: Vec<_> = named.collect::<Result<_, RestoreFailure>>()?;
        if let Some(store) = arguments.objects.as_ref().filter(|store| !config.content.contains_key(*store)) {
            let known: Vec<&str> = config.content.keys().map(String::as_str).collect();
            return Err(RestoreFailure::UnknownStore { store: store.clone(), known: known.join(", ") });
        }
        let _data = DataFolder::lock_of(config)?;
        for (share, _) in &named {
            refuse_beside_journal(share, config)?;
        }
        let objects = match &arguments.objects {
            Some(store) => Some(open_content(store, config, kinds).await?),
            None => None,
        };
        let machine = serve::machine_of_this_process()?;
        let holder = serve::holder_of(config.data.as_deref(), &machine);
        for (share, configured) in named {
            print_keys(share, configured, out)?;
            let metadata = only(&config.metadata, &configured.metadata_store);
            let opening = |store: &str| Opening {
                progress: Progress::shown(format!("checking the store `{store}`")),
                ..Opening::default()
            };
            let opened = open_each_store(&metadata, &kinds.metadata, opening).await;
            let opened = opened.map_err(|(store, source)| RestoreFailure::Store { store, source })?;
            let Some(metadata) = opened.into_values().next() else { continue };
            let content = open_content(&configured.content_store, config, kinds).await?;
            serve::sync_folders(&[&config.metadata, &config.content])?;
            let stores = RestoreStores { backup: Arc::clone(&backup), objects: objects.clone(), metadata, content };
            let bars = Bars::new(&share.name);
            let restored = restore_share(&stores, share, holder.clone(), &machine, &bars).await;
            drop(bars);
            restored.map_err(|source| RestoreFailure::Share { share: share.name.clone(), source })?;
            let bytes = share.objects.iter().map(|object| object.bytes).sum();
            let (nodes, objects) = (share.nodes, share.objects.len());
            let name = &share.name;
            writeln!(
                out,
                "{name} is restored: {nodes} files and directories, {objects} objects of {}",
                ByteSize(bytes)
            )?;
            for file in &share.incomplete {
                writeln!(out, "warning: {name}: the newest bytes of {file} were not in the backup")?;
            }
        }
        writeln!(out, "clients have to mount again: what they have open of the share that was backed up is stale")?;
        Ok(())
    })
}

/// Finds the section of the configuration for a share in the backup.
fn configured<'a>(share: &ShareInBackup, config: &'a Config) -> Result<&'a ShareConfig, RestoreFailure> {
    let is_it = |named: &&ShareConfig| named.id.map_or(named.name == share.name, |id| id == share.id.0);
    let not_named = || RestoreFailure::NotNamed { share: share.name.clone(), id: share.id.0.to_string() };
    config.shares.iter().find(is_it).ok_or_else(not_named)
}

/// A journal of the share has bytes of another time, and would be refused when the share is served.
fn refuse_beside_journal(share: &ShareInBackup, config: &Config) -> Result<(), RestoreFailure> {
    let folder = config.journal.path.as_ref().map(|base| base.join(format!("{:016x}", share.id.0)));
    match folder.filter(|folder| serve::has_journal(folder)) {
        Some(folder) => Err(RestoreFailure::Journal { share: share.name.clone(), folder }),
        None => Ok(()),
    }
}

/// Keys are not in a backup: without them what is sealed stays sealed.
fn print_keys(share: &ShareInBackup, configured: &ShareConfig, out: &mut dyn Write) -> io::Result<()> {
    let name = &share.name;
    let sealer = serve::Keys::default().sealer(configured);
    for key in &share.keys.in_use {
        let missing = match &sealer {
            Ok(sealer) => sealer.demand(*key).err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        match missing {
            None => writeln!(out, "{name}: its key {key} is there")?,
            Some(error) => writeln!(
                out,
                "warning: {name}: its content is sealed with the key {key}, which is not there ({error}): nothing of \
                 it can be read until that key is put back"
            )?,
        }
    }
    Ok(())
}

fn only(stores: &Stores, name: &str) -> Stores {
    stores.iter().filter(|(known, _)| *known == name).map(|(known, store)| (known.clone(), store.clone())).collect()
}

async fn open_content(
    name: &str,
    config: &Config,
    kinds: &StoreKinds,
) -> Result<Arc<dyn ContentStore>, RestoreFailure> {
    let opened = open_each_store(&only(&config.content, name), &kinds.content, |_| Opening::default()).await;
    let opened = opened.map_err(|(store, source)| RestoreFailure::Store { store, source })?;
    let missing =
        || RestoreFailure::Store { store: name.to_owned(), source: "the configuration does not name it".into() };
    opened.into_values().next().ok_or_else(missing)
}

/// Shows how far it is.
struct Bars {
    share: String,
    shown: Mutex<Option<(&'static str, Progress)>>,
}

impl Bars {
    fn new(share: &str) -> Bars {
        Bars { share: share.to_owned(), shown: Mutex::new(None) }
    }
}

impl BackupObserver for Bars {
    fn progress(&self, BackupProgress { phase, done, of }: BackupProgress) {
        let (mut shown, phase) = (self.shown.lock(), backup_phase_word(phase));
        if shown.as_ref().is_none_or(|(current, _)| *current != phase) {
            if let Some((_, progress)) = &*shown {
                progress.report(1, 1);
            }
            *shown = Some((phase, Progress::shown(format!("restoring {} ({phase})", self.share))));
        }
        if let Some((_, progress)) = &*shown {
            progress.report(done, of);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some((_, progress)) = &*self.shown.lock() {
            progress.report(1, 1);
        }
    }
}

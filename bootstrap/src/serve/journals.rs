//! The journal of a share: the one that it was written with, or a new one where nothing can be in the old one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use dittofs_application::{Machine, nodes_after};
use dittofs_domain::{NodeId, Scale, Sequence};
use dittofs_journal::{JournalId, JournalOptions, MmapJournal, OpenError};
use dittofs_ports::{MetadataError, ShareMetadata, ShareRecord};

use crate::progress::Progress;

/// Nodes of one read. All are gone through once, before anybody is served: few turns of the store.
const NODES_AT_ONCE: usize = 4_096;
/// Folders of journals that were set aside; nobody accepts losses so often.
const ASIDE_MAX: u32 = 1_000;

/// Why a share's journal is not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalRefusal {
    /// It is not there, and may have held something.
    #[error("there is no journal in {}", .0.display())]
    Missing(PathBuf),
    /// There is something, but not the share's journal.
    #[error("the journal in {} can't be used: {source}", folder.display())]
    Unfit { folder: PathBuf, source: OpenError },
    /// Nothing is known about it yet.
    #[error("the journal in {} can't be opened: {source}", folder.display())]
    Closed { folder: PathBuf, source: OpenError },
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("the folder {} can't be used: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
}

/// The parameters with which a share's journal is opened.
pub(super) struct Wanted<'a> {
    /// The folder of all journals.
    pub(super) base: &'a Path,
    /// The bytes that it may hold.
    pub(super) bytes: u64,
    /// Whether to go on without records that it should hold.
    pub(super) accept_loss: bool,
    /// The share's name, for messages.
    pub(super) share: &'a str,
}

/// Opens it; blocks no thread of the runtime.
pub(super) async fn open(
    wanted: &Wanted<'_>,
    metadata: &dyn ShareMetadata,
    machine: &Machine,
) -> Result<Arc<MmapJournal>, JournalRefusal> {
    let record = metadata.record().await?;
    let folder = wanted.base.join(format!("{:016x}", record.id.0));
    let options = options(wanted, &record.scale);
    let expected = JournalId(record.journal);
    let opened = blocking({
        let folder = folder.clone();
        move || MmapJournal::open_at(&folder, Some(expected), options)
    });
    let journal = match opened.await {
        Ok(journal) => journal,
        Err(OpenError::Missing) if !record.dirty && !has_files(&folder) => {
            make(wanted, &folder, metadata, record, machine).await?
        }
        Err(error @ (OpenError::Missing | OpenError::Foreign { .. } | OpenError::Damaged)) => {
            if !wanted.accept_loss {
                return Err(match error {
                    OpenError::Missing if !has_files(&folder) => JournalRefusal::Missing(folder),
                    source => JournalRefusal::Unfit { folder, source },
                });
            }
            set_aside(&folder)?;
            tracing::warn!(share = wanted.share, %error, "a new journal takes the place of the share's own: loss accepted");
            make(wanted, &folder, metadata, record, machine).await?
        }
        Err(source) => return Err(JournalRefusal::Closed { folder, source }),
    };
    let progress = Progress::shown(format!("reading the journal of {}", wanted.share));
    journal.report_recovery_to(move |read, all| progress.report(read, all));
    Ok(Arc::new(journal))
}

fn options(wanted: &Wanted<'_>, scale: &Scale) -> JournalOptions {
    JournalOptions { accept_loss: wanted.accept_loss, ..JournalOptions::new(wanted.bytes, scale.segment_bytes) }
}

/// Makes a journal that the share has never had. First its id is recorded: should the old one turn up again, on a disk
/// that was not mounted, it is a foreign one.
async fn make(
    wanted: &Wanted<'_>,
    folder: &Path,
    metadata: &dyn ShareMetadata,
    mut record: ShareRecord,
    machine: &Machine,
) -> Result<MmapJournal, JournalRefusal> {
    if record.journal == 0 || record.dirty || record.journal_incarnation > 0 {
        record.journal = machine.randomness.bits128();
        record.journal_incarnation = 0;
        record.dirty = false;
        metadata.put_record(&record).await?;
    }
    let known = newest_published(metadata).await?;
    if known > Sequence(0) {
        tracing::warn!(share = wanted.share, folder = %folder.display(), "the share gets a new journal");
    }
    let (path, id, options) = (folder.to_owned(), JournalId(record.journal), options(wanted, &record.scale));
    let made = blocking(move || MmapJournal::create_at(&path, id, known, options)).await;
    made.map_err(|source| JournalRefusal::Closed { folder: folder.to_owned(), source })
}

/// The newest record of earlier journals that any node knows of.
async fn newest_published(metadata: &dyn ShareMetadata) -> Result<Sequence, MetadataError> {
    let mut newest = Sequence(0);
    let mut after = NodeId(0);
    loop {
        let page = nodes_after(metadata, after, NODES_AT_ONCE).await?;
        for node in &page.nodes {
            let excluded = node.replay_exclusions.iter().map(|one| one.up_to);
            newest = excluded.chain([newest, node.content_seq, node.times_seq]).max().unwrap_or(newest);
        }
        match page.next() {
            Some(next) => after = next,
            None => return Ok(newest),
        }
    }
}

/// Whether a folder has anything in it but the lock of a journal.
pub(crate) fn has_files(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| entry.file_name() != "lock")
}

/// Gives what is in the place of a share's journal another name: whoever accepts a loss may think better of it.
fn set_aside(folder: &Path) -> Result<(), JournalRefusal> {
    let failed = |source| JournalRefusal::Folder { folder: folder.to_owned(), source };
    if !folder.exists() {
        return Ok(());
    }
    let names = (1..=ASIDE_MAX).map(|number| folder.with_extension(format!("aside-{number}")));
    let name = names.into_iter().find(|name| !name.exists());
    let name = name.ok_or_else(|| failed(io::Error::from(io::ErrorKind::AlreadyExists)))?;
    fs::rename(folder, &name).map_err(failed)?;
    tracing::warn!(folder = %name.display(), "what was there is kept under this name");
    Ok(())
}

/// Makes the names of a folder and of those around it durable: files in a folder that is gone are gone too.
pub(super) fn sync_names(folder: &Path) -> io::Result<()> {
    for folder in folder.ancestors() {
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // A folder that the server may not read was there before it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            // Some file systems can't sync folders, and say so.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            synced => synced?,
        }
    }
    Ok(())
}

async fn blocking(
    work: impl FnOnce() -> Result<MmapJournal, OpenError> + Send + 'static,
) -> Result<MmapJournal, OpenError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|stopped| Err(OpenError::Io(io::Error::other(stopped))))
}

#[cfg(test)]
mod tests;

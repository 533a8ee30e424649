//! Removes a share that no configuration names, with everything that it has.

use std::{
    fs,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::Arc,
};

use dittofs_admin::ClientError;
use dittofs_domain::{ownership::Mark, plan::Statistics};
use dittofs_ports::{Claim, Clock, ContentError, ContentStore, Marked, MetadataError, Randomness, ShareRecord};
use dittofs_system::{SystemClock, SystemRandomness};

use super::stored::{Stored, StoredError, StoredShares, is_running};
use crate::config::{Config, Opening, StoreError, StoreKinds, open_each_store};
use crate::{facts, serve};

/// Objects that are listed at a time. What object stores answer at a time.
const OBJECTS_PER_PAGE: usize = 1_000;

/// Why a share is not removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoveError {
    #[error("a server runs on this data folder: stop it, then remove the share")]
    Running,
    #[error("the configuration names the share `{0}`, and would make it again: take it out of there first")]
    Named(String),
    #[error(
        "no metadata store of this configuration holds a share `{name}` that the configuration does not name; there: {known}"
    )]
    Unknown { name: String, known: String },
    #[error("several shares are called `{name}`: name one by its id, {ids}")]
    Several { name: String, ids: String },
    #[error("nothing is removed: the answer was not `{0}`")]
    Declined(String),
    #[error("the share's objects in the content store `{store}` are held by process {} on {} with the data folder {}: stop it first", .mark.holder.process, .mark.holder.host, .mark.holder.folder)]
    Held { store: String, mark: Box<Mark> },
    #[error("the content store `{store}` can't be opened: {source}")]
    Store { store: String, source: StoreError },
    #[error("objects in the content store `{store}` can't be removed: {source}; try again")]
    Content { store: String, source: ContentError },
    #[error("the journal in {} can't be removed: {source}; try again", folder.display())]
    Journal { folder: PathBuf, source: io::Error },
    #[error("the metadata store can't be changed: {0}; try again")]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error(transparent)]
    Socket(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RemoveError {
    /// Whether the caller's words are at fault.
    pub(super) fn is_of_words(&self) -> bool {
        matches!(self, RemoveError::Named(_) | RemoveError::Unknown { .. } | RemoveError::Several { .. })
    }
}

/// The parts of a share beside its metadata.
struct Belongings {
    /// The content store that has its objects.
    content: Option<Content>,
    journal: Option<PathBuf>,
}

struct Content {
    name: String,
    store: Arc<dyn ContentStore>,
    marked: Marked,
}

/// Removes a share of a server that does not run, after a question unless `is_agreed`.
pub(super) fn remove(
    name: &str,
    is_agreed: bool,
    (config, kinds): (&Config, &StoreKinds),
    answers: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), RemoveError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if is_running(config).await? {
            return Err(RemoveError::Running);
        }
        let stored = StoredShares::open(config, kinds).await?;
        let (holder, record) = find(name, config, &stored)?;
        let belongings = belongings_of(record, config, kinds).await?;
        // In use until the end, so that no server of another machine takes it meanwhile.
        let share = holder.store.share(record.id).await?;
        let statistics = match &share {
            Some(share) => share.statistics().await?,
            None => Statistics::default(),
        };
        describe(holder, record, statistics, &belongings, out)?;
        if !is_agreed {
            ask(&record.name, answers, out)?;
        }
        remove_all(record, &belongings).await?;
        holder.store.remove_share(record.id).await?;
        drop(share);
        Ok(writeln!(out, "{} is removed", record.name)?)
    })
}

/// The share with this name or id, and the metadata store that has it.
fn find<'a>(
    name: &str,
    config: &Config,
    stored: &'a StoredShares,
) -> Result<(&'a Stored, &'a ShareRecord), RemoveError> {
    let is_it = |record: &ShareRecord| record.name == name || record.id.0.to_string() == name;
    let all = stored.stores.iter().flat_map(|store| store.shares.iter().map(move |record| (store, record)));
    let is_named = |(store, record): &(&Stored, &ShareRecord)| {
        config.shares.iter().any(|share| share.metadata_store == store.name && facts::is_of(record, share))
    };
    let (named, unnamed): (Vec<_>, Vec<_>) = all.partition(is_named);
    let found: Vec<_> = unnamed.iter().filter(|(_, record)| is_it(record)).collect();
    match found.as_slice() {
        [found] => Ok(**found),
        [] if named.iter().any(|(_, record)| is_it(record)) => Err(RemoveError::Named(name.to_owned())),
        [] => {
            let known: Vec<&str> = unnamed.iter().map(|(_, record)| record.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(RemoveError::Unknown { name: name.to_owned(), known })
        }
        several => {
            let ids: Vec<String> = several.iter().map(|(_, record)| record.id.0.to_string()).collect();
            Err(RemoveError::Several { name: name.to_owned(), ids: ids.join(" or ") })
        }
    }
}

/// The marks say which of the configured content stores has the share's objects.
async fn belongings_of(record: &ShareRecord, config: &Config, kinds: &StoreKinds) -> Result<Belongings, RemoveError> {
    let mut there = config.content.clone();
    there.retain(|_, store| store.folder.as_ref().is_none_or(|folder| folder.exists()));
    let opened = open_each_store(&there, &kinds.content, |_| Opening::default()).await;
    let opened = opened.map_err(|(store, source)| RemoveError::Store { store, source })?;
    let mut content = None;
    for (name, store) in opened {
        let found = store.owner(record.id).await;
        let found = found.map_err(|source| RemoveError::Content { store: name.clone(), source })?;
        // One that was removed in part has nobody's mark.
        let is_its = |mark: &Mark| mark.owner == record.content_owner || mark.is_nobodys();
        let Some(marked) = found.filter(|found| is_its(&found.mark)) else { continue };
        if serve::may_live(&marked.mark, config.data.as_deref()) {
            return Err(RemoveError::Held { store: name, mark: Box::new(marked.mark) });
        }
        content = Some(Content { name, store, marked });
    }
    let journal = config.journal.path.as_ref().map(|base| base.join(format!("{:016x}", record.id.0)));
    Ok(Belongings { content, journal: journal.filter(|folder| folder.exists()) })
}

fn describe(
    holder: &Stored,
    record: &ShareRecord,
    statistics: Statistics,
    belongings: &Belongings,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Statistics { nodes, bytes } = statistics;
    writeln!(out, "{} (id {}): {nodes} files and directories, {bytes} bytes", record.name, record.id.0)?;
    writeln!(out, "  metadata: in the metadata store `{}`", holder.name)?;
    match &belongings.content {
        Some(content) => writeln!(out, "  objects: in the content store `{}`", content.name)?,
        None => writeln!(out, "  objects: in none of the configured content stores; nothing is removed elsewhere")?,
    }
    if let Some(journal) = &belongings.journal {
        writeln!(out, "  journal: in {}", journal.display())?;
    }
    if !record.backups.is_empty() {
        let backups: Vec<String> = record.backups.keys().map(ToString::to_string).collect();
        writeln!(out, "  backups that keep objects of it, and can't be restored without them: {}", backups.join(", "))?;
    }
    if record.dirty {
        writeln!(out, "  its server was not stopped cleanly: the journal may have bytes that are nowhere else")?;
    }
    Ok(())
}

fn ask(name: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> Result<(), RemoveError> {
    write!(out, "All of this is removed, and nothing brings it back. To go on, write the name of the share: ")?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    if answer.trim_end_matches(['\r', '\n']) == name { Ok(()) } else { Err(RemoveError::Declined(name.to_owned())) }
}

/// Removes what is not metadata. Where that is interrupted, the metadata still say that there is a share to be removed,
/// and nobody's mark keeps servers from serving what is left of it.
async fn remove_all(record: &ShareRecord, belongings: &Belongings) -> Result<(), RemoveError> {
    if let Some(content) = &belongings.content {
        let removed = remove_objects(record, content).await;
        removed.map_err(|source| RemoveError::Content { store: content.name.clone(), source })?;
    }
    if let Some(folder) = &belongings.journal {
        fs::remove_dir_all(folder).map_err(|source| RemoveError::Journal { folder: folder.clone(), source })?;
    }
    Ok(())
}

async fn remove_objects(record: &ShareRecord, content: &Content) -> Result<(), ContentError> {
    let Content { store, marked, .. } = content;
    let randomness = SystemRandomness::new().map_err(|error| ContentError::Unavailable(error.into()))?;
    let mark = Mark::nobodys(&record.name, randomness.bits64(), SystemClock::new().now());
    if let Claim::Refused(_) = store.claim(record.id, &mark, Some(marked.clone())).await? {
        return Err(ContentError::Unavailable("another server has just taken them".into()));
    }
    loop {
        let page = store.list(record.id, None, OBJECTS_PER_PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for (object, _) in page {
            store.delete(record.id, object).await?;
        }
    }
}

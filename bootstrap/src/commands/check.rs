//! Looks for damage: through the server where one runs, on the stores where none does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use dittofs_admin::{CheckLine, CheckSummary, Client, ClientError, ShareView, SharesView, UnnamedView};
use dittofs_application::{CheckStores, check_stores};
use dittofs_domain::{FsError, ShareId};
use dittofs_frame_sealer::FileError;
use dittofs_ports::{CheckOptions, ContentStore, MetadataError};
use dittofs_system::SystemClock;

use self::output::{Bars, Looked, is_found, print_finding, print_left, print_summary};
use super::stored::{Stored, StoredError, StoredShares};
use crate::cli::CheckArguments;
use crate::config::{
    Config, ConfigError, Opening, ShareConfig, StoreError, StoreKinds, control_socket, open_each_store,
};
use crate::serve;

mod output;

/// Stores and journals have a folder for each share, which is called by the share's id.
const SHARE_NAME_LEN: usize = 16;

/// Why a check does not end with "clean".
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    #[error("something is wrong in {0}")]
    Found(String),
    #[error("not all could be checked: {0}")]
    Incomplete(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("there is no share `{name}`; known: {known}")]
    UnknownShare { name: String, known: String },
    #[error("a server runs on this data folder: stop it first, or check without --repair")]
    Running,
    #[error("the content store `{store}` of {share} is not there: nothing is in {}", folder.display())]
    NoContent { share: String, store: String, folder: PathBuf },
    #[error("the content store `{store}` can't be opened: {source}")]
    Content { store: String, source: StoreError },
    #[error("{share} could not be checked: {source}")]
    Keys { share: String, source: FileError },
    #[error("{share} could not be checked: {source}")]
    Failed { share: String, source: FsError },
    #[error("{share} could not be checked: {reason}")]
    Refused { share: String, reason: String },
    #[error("the metadata store can't be read: {0}")]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("can't print: {0}")]
    Io(#[from] io::Error),
}

impl CheckError {
    /// 1: something was found, repaired or not; 2: the caller's words are at fault; 3: not all of it could be checked.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            CheckError::Found(_) => 1,
            CheckError::Config(_) | CheckError::UnknownShare { .. } => 2,
            _ => 3,
        })
    }
}

/// Checks shares and prints what is found, a line each.
pub(super) fn check(
    arguments: &CheckArguments,
    config: &Config,
    kinds: &StoreKinds,
    out: &mut dyn Write,
) -> Result<(), CheckError> {
    let known = config.shares.iter().map(|share| share.name.as_str());
    if let Some(name) = arguments.shares.iter().find(|name| known.clone().all(|known| known != *name)) {
        let known: Vec<&str> = known.collect();
        return Err(CheckError::UnknownShare { name: name.clone(), known: known.join(", ") });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let found = runtime.block_on(async {
        match running(config).await? {
            Some(_) if arguments.repair => Err(CheckError::Running),
            Some((client, shares)) => online(arguments, config, &client, &shares, out).await,
            None => offline(arguments, config, kinds, out).await,
        }
    })?;
    match found {
        Outcome { found, incomplete } if found.is_empty() && incomplete.is_empty() => Ok(()),
        Outcome { found, incomplete } if found.is_empty() => Err(CheckError::Incomplete(incomplete.join(", "))),
        Outcome { found, .. } => Err(CheckError::Found(found.join(", "))),
    }
}

/// Which shares are not simply clean.
#[derive(Default)]
struct Outcome {
    /// Those in which something is wrong.
    found: Vec<String>,
    /// Those that could not be looked at as a whole, or not at all.
    incomplete: Vec<String>,
}

/// How a share came to be as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// It is served, and flushed, or its server closed it.
    Cleanly,
    /// Its server did not close it.
    ByACrash,
}

impl Outcome {
    /// Prints a share's summary. What is only in the journal of one that was not stopped cleanly was not looked at.
    fn add(
        &mut self,
        share: &str,
        (summary, was_stopped): (&CheckSummary, Stopped),
        arguments: &CheckArguments,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let is_all = was_stopped == Stopped::Cleanly && summary.unflushed_bytes == 0 && summary.undecided == 0;
        print_summary(share, summary, Looked { is_all, with_content: !arguments.no_content }, out)?;
        if was_stopped == Stopped::ByACrash {
            let why =
                "was not stopped cleanly: what is only in its journal was not looked at; the next start replays it";
            writeln!(out, "{share}: {why}")?;
        }
        if is_found(summary) {
            self.found.push(share.to_owned());
        } else if !is_all {
            self.incomplete.push(share.to_owned());
        }
        Ok(())
    }

    /// Prints that a share was not looked at.
    fn skip(&mut self, share: &str, why: &str, out: &mut dyn Write) -> io::Result<()> {
        self.incomplete.push(share.to_owned());
        writeln!(out, "{share}: not checked: {why}")
    }

    /// Prints the shares of the configuration that a running server does not serve: those are newer than its start.
    fn skip_unserved(
        &mut self,
        arguments: &CheckArguments,
        config: &Config,
        served: &[ShareView],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let is_served = |share: &ShareConfig| {
            let is_it = |view: &ShareView| share.id.is_none() || view.id == share.id;
            served.iter().any(|view| view.facts.name == share.name && is_it(view))
        };
        let unserved = config.shares.iter().filter(|share| is_wanted(arguments, &share.name) && !is_served(share));
        for share in unserved {
            let why = "the running server does not serve it: restart the server, or stop it and check without one";
            self.skip(&share.name, why, out)?;
        }
        Ok(())
    }

    /// Prints the shares that the configuration does not name, where all were to be checked.
    fn skip_unnamed(
        &mut self,
        arguments: &CheckArguments,
        unnamed: &[UnnamedView],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for UnnamedView { name, metadata_store, .. } in unnamed.iter().filter(|_| arguments.shares.is_empty()) {
            let why = format!(
                "it is in the metadata store `{metadata_store}`, but the configuration does not name it: name it, or \
                 remove it by `dittofs share remove {name}`"
            );
            self.skip(name, &why, out)?;
        }
        Ok(())
    }
}

async fn running(config: &Config) -> Result<Option<(Client, SharesView)>, CheckError> {
    let Some(data) = &config.data else { return Ok(None) };
    let client = Client::new(&control_socket(data));
    match client.shares().await {
        Ok(view) => Ok(Some((client, view))),
        Err(ClientError::NotRunning(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_wanted(arguments: &CheckArguments, share: &str) -> bool {
    arguments.shares.is_empty() || arguments.shares.iter().any(|name| name == share)
}

async fn online(
    arguments: &CheckArguments,
    config: &Config,
    client: &Client,
    SharesView { shares, unnamed }: &SharesView,
    out: &mut dyn Write,
) -> Result<Outcome, CheckError> {
    let mut outcome = Outcome::default();
    for share in shares.iter().filter(|share| is_wanted(arguments, &share.facts.name)) {
        let name = &share.facts.name;
        let Some(id) = share.id else {
            outcome.skip(name, "the running server has not opened it", out)?;
            continue;
        };
        let bars = Bars::new(name);
        let (mut summary, mut failed, mut printed) = (None, None, Ok(()));
        let each = |line| match line {
            CheckLine::Progress { phase, done, of } => bars.show(&phase, done, of),
            CheckLine::Finding(finding) => {
                if printed.is_ok() {
                    printed = print_finding(name, &finding, out);
                }
            }
            CheckLine::Summary(ended) => summary = Some(ended),
            CheckLine::Failed { error } => failed = Some(error),
        };
        client.check(id, !arguments.no_content, each).await?;
        printed?;
        if let Some(reason) = failed {
            return Err(CheckError::Refused { share: name.clone(), reason });
        }
        let Some(summary) = summary else {
            let reason = "the server ended before the check did".to_owned();
            return Err(CheckError::Refused { share: name.clone(), reason });
        };
        outcome.add(name, (&summary, Stopped::Cleanly), arguments, out)?;
    }
    outcome.skip_unserved(arguments, config, shares, out)?;
    outcome.skip_unnamed(arguments, unnamed, out)?;
    Ok(outcome)
}

/// The same, with nobody else at the stores.
async fn offline(
    arguments: &CheckArguments,
    config: &Config,
    kinds: &StoreKinds,
    out: &mut dyn Write,
) -> Result<Outcome, CheckError> {
    let stored = StoredShares::open(config, kinds).await?;
    let (mut content, mut keys) = (BTreeMap::new(), serve::Keys::default());
    let mut outcome = Outcome::default();
    for share in config.shares.iter().filter(|share| is_wanted(arguments, &share.name)) {
        let Some((holder, id)) = holder(&stored, share) else {
            match (left_of(share, config, kinds, &stored).await?.as_slice(), without_metadata(share, config)) {
                ([], None) => writeln!(out, "{}: nothing is stored yet", share.name)?,
                ([], Some(why)) => outcome.skip(&share.name, &why, out)?,
                (left, _) => {
                    print_left(share, left, out)?;
                    outcome.skip(&share.name, "its metadata are not there", out)?;
                }
            }
            continue;
        };
        let Some(metadata) = holder.store.share(id).await? else {
            outcome.skip(&share.name, "its metadata are not there any more", out)?;
            continue;
        };
        let was_stopped = if metadata.record().await?.dirty { Stopped::ByACrash } else { Stopped::Cleanly };
        if !content.contains_key(&share.content_store) {
            content.insert(share.content_store.clone(), open_content(share, config, kinds).await?);
        }
        let Some(objects) = content.get(&share.content_store) else { continue };
        if arguments.delete_orphans {
            refuse_held(share, id, &**objects, config).await?;
        }
        let sealer = keys.sealer(share).map_err(|source| CheckError::Keys { share: share.name.clone(), source })?;
        let content = Arc::clone(objects);
        let stores = CheckStores { metadata, content, sealer, clock: Arc::new(SystemClock::new()) };
        let options = CheckOptions {
            content: !arguments.no_content,
            repair: arguments.repair,
            delete_orphans: arguments.delete_orphans,
        };
        let report = check_stores(stores, options, Arc::new(Bars::new(&share.name))).await;
        let report = report.map_err(|source| CheckError::Failed { share: share.name.clone(), source })?;
        for checked in &report.findings {
            print_finding(&share.name, &checked.into(), out)?;
        }
        let summary = CheckSummary::from(&report);
        outcome.add(&share.name, (&summary, was_stopped), arguments, out)?;
    }
    outcome.skip_unnamed(arguments, &stored.unnamed(config), out)?;
    Ok(outcome)
}

/// Reports the remains of a share whose metadata are not there. If there are any, the metadata are looked for in the
/// wrong place.
fn without_metadata(share: &ShareConfig, config: &Config) -> Option<String> {
    let has_shares = |folder: &Path| {
        let names = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.file_name());
        names
            .into_iter()
            .any(|name| name.len() == SHARE_NAME_LEN && u64::from_str_radix(&name.to_string_lossy(), 16).is_ok())
    };
    let metadata = config.metadata.get(&share.metadata_store)?.folder.as_deref()?;
    let content = config.content.get(&share.content_store).and_then(|store| store.folder.as_deref());
    let others = [("content", content), ("a journal", config.journal.path.as_deref())];
    let (what, folder) =
        others.into_iter().find_map(|(what, folder)| Some((what, folder.filter(|folder| has_shares(folder))?)))?;
    (!metadata.exists()).then(|| {
        format!(
            "there is {what} in {}, but the metadata store `{}` is not there, nothing is in {}: is its disk mounted?",
            folder.display(),
            share.metadata_store,
            metadata.display()
        )
    })
}

fn holder<'a>(stored: &'a StoredShares, share: &ShareConfig) -> Option<(&'a Stored, ShareId)> {
    let store = stored.stores.iter().find(|store| store.name == share.metadata_store)?;
    let is_it = |name: &str, id: u64| share.id.map_or(name == share.name, |wanted| id == wanted);
    let record = store.shares.iter().find(|record| is_it(&record.name, record.id.0))?;
    Some((store, record.id))
}

/// Objects that somebody else holds are not deleted: what is nobody's here may be used there.
async fn refuse_held(
    share: &ShareConfig,
    id: ShareId,
    content: &dyn ContentStore,
    config: &Config,
) -> Result<(), CheckError> {
    let refused = |reason| CheckError::Refused { share: share.name.clone(), reason };
    let found = content.owner(id).await.map_err(|error| refused(error.to_string()))?;
    match found.map(|found| found.mark).filter(|mark| serve::may_live(mark, config.data.as_deref())) {
        None => Ok(()),
        Some(mark) => Err(refused(format!(
            "its objects are held by process {} on {} with the data folder {}: orphans are deleted by whoever holds them, \
             with its server stopped",
            mark.holder.process, mark.holder.host, mark.holder.folder
        ))),
    }
}

/// Lists the leftovers of a share that no metadata store knows: its metadata may be lost.
async fn left_of(
    share: &ShareConfig,
    config: &Config,
    kinds: &StoreKinds,
    stored: &StoredShares,
) -> Result<Vec<serve::Leftover>, CheckError> {
    let content = match open_content(share, config, kinds).await {
        Err(CheckError::NoContent { .. }) => None,
        opened => Some(opened?),
    };
    let places = serve::Places {
        content: content.as_deref(),
        journals: config.journal.path.as_deref(),
        metadata: stored.stores.iter().map(|stored| &*stored.store).collect(),
        id: share.id.map(ShareId),
    };
    let refused =
        |reason: serve::PlacesError| CheckError::Refused { share: share.name.clone(), reason: reason.to_string() };
    places.leftovers(&share.name).await.map_err(refused)
}

/// A store that is not there is not made: all of its objects would be missing.
async fn open_content(
    share: &ShareConfig,
    config: &Config,
    kinds: &StoreKinds,
) -> Result<Arc<dyn ContentStore>, CheckError> {
    let name = &share.content_store;
    let mut only = config.content.clone();
    only.retain(|store, _| store == name);
    if let Some(folder) = only.get(name).and_then(|store| store.folder.clone()).filter(|folder| !folder.exists()) {
        return Err(CheckError::NoContent { share: share.name.clone(), store: name.clone(), folder });
    }
    let opened = open_each_store(&only, &kinds.content, |_| Opening::default()).await;
    let opened = opened.map_err(|(store, source)| CheckError::Content { store, source })?;
    let missing = || CheckError::Content { store: name.clone(), source: "it is not configured".into() };
    opened.into_values().next().ok_or_else(missing)
}

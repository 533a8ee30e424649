//! Backups: one on its way, and those that there are.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    sync::Arc,
};

use dittofs_domain::ShareId;
use dittofs_ports::{
    AdminService, BackupObserver, BackupPhase, BackupProgress, BackupReport, BackupRequest, PinningBackup,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::lines::{Lines, LinesBody, TICK};

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupLine {
    /// The progress so far.
    Progress {
        /// The current phase.
        phase: String,
        /// The amount of its work that is done.
        done: u64,
        /// The amount of its work in all; 0 where that is not known.
        of: u64,
    },
    /// The end, if it got there.
    Summary(BackupSummary),
    /// The end, if it did not.
    Failed {
        /// Why.
        error: String,
    },
}

/// The outcome of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSummary {
    /// Its id.
    pub backup: String,
    /// The shares in it.
    pub shares: Vec<String>,
    /// Files, directories and others.
    pub nodes: u64,
    /// Objects that it has or pins.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files of which the newest bytes are not in it.
    #[serde(default)]
    pub incomplete: Vec<String>,
}

/// A backup that pins objects of a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupView {
    /// Its id.
    pub backup: String,
    /// The share.
    pub share: String,
    /// When it was begun, in seconds since 1970.
    pub at: i64,
    /// Whether it pins until it is released.
    pub is_kept: bool,
    /// Objects that it pins.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupsView {
    /// Share by share.
    pub backups: Vec<BackupView>,
}

/// The outcome of releasing a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedView {
    /// Bytes of objects that it had pinned.
    pub bytes: u64,
}

impl From<BackupReport> for BackupSummary {
    fn from(report: BackupReport) -> BackupSummary {
        let BackupReport { backup, shares, nodes, objects, bytes, incomplete } = report;
        BackupSummary { backup: backup.to_string(), shares, nodes, objects, bytes, incomplete }
    }
}

impl From<PinningBackup> for BackupView {
    fn from(pinning: PinningBackup) -> BackupView {
        let PinningBackup { backup, share, at, is_kept, objects, bytes } = pinning;
        BackupView { backup: backup.to_string(), share, at: at.seconds(), is_kept, objects, bytes }
    }
}

/// Returns the word for a backup's phase.
pub fn backup_phase_word(phase: BackupPhase) -> &'static str {
    match phase {
        BackupPhase::Flush => "flushing",
        BackupPhase::Pins => "pinning objects",
        BackupPhase::Rows => "metadata",
        BackupPhase::Objects => "objects",
    }
}

/// A request as the query of an address. The folder is in hexadecimal digits: it may have any bytes.
pub(crate) fn to_query(request: &BackupRequest) -> String {
    let BackupRequest { folder, shares, pin, allow_damaged } = request;
    let folder: String = folder.as_os_str().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let shares: String = shares.iter().map(|share| format!("&share={}", share.0)).collect();
    format!("folder={folder}&pin={pin}&allow_damaged={allow_damaged}{shares}")
}

/// None for a query that makes no sense.
pub(crate) fn of_query(query: &str) -> Option<BackupRequest> {
    let mut request = BackupRequest { folder: PathBuf::new(), shares: Vec::new(), pin: false, allow_damaged: false };
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("folder", digits) => request.folder = path(digits)?,
            ("pin", pin) => request.pin = pin.parse().ok()?,
            ("allow_damaged", allowed) => request.allow_damaged = allowed.parse().ok()?,
            ("share", share) => request.shares.push(ShareId(share.parse().ok()?)),
            _ => return None,
        }
    }
    Some(request).filter(|request| request.folder.is_absolute())
}

fn path(digits: &str) -> Option<PathBuf> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    Some(PathBuf::from(OsString::from_vec(bytes?)))
}

/// The answer: a backup on its way.
pub(crate) fn backup_lines(service: Arc<dyn AdminService>, request: BackupRequest) -> LinesBody {
    LinesBody::of(|lines| run(service, request, lines))
}

struct Watcher(watch::Sender<Option<BackupProgress>>);

impl BackupObserver for Watcher {
    fn progress(&self, progress: BackupProgress) {
        self.0.send_replace(Some(progress));
    }
}

async fn run(service: Arc<dyn AdminService>, request: BackupRequest, lines: Lines) {
    let (watcher, mut progress) = watch::channel(None);
    let backup = service.back_up(request, Arc::new(Watcher(watcher)));
    tokio::pin!(backup);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let result = loop {
        tokio::select! {
            result = &mut backup => break result,
            _ = ticks.tick() => {
                let news = progress.has_changed().unwrap_or(false).then(|| *progress.borrow_and_update()).flatten();
                if let Some(BackupProgress { phase, done, of }) = news {
                    let phase = backup_phase_word(phase).to_owned();
                    lines.send(&BackupLine::Progress { phase, done, of }).await;
                }
            }
        }
    };
    match result {
        Ok(report) => lines.send(&BackupLine::Summary(report.into())).await,
        Err(error) => lines.send(&BackupLine::Failed { error: error.to_string() }).await,
    }
}

#[cfg(test)]
mod tests;

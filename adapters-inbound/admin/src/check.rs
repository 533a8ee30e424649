//! A check on its way, and what it reports.

use std::sync::Arc;

use dittofs_domain::{ShareId, check::Severity};
use dittofs_ports::{
    AdminService, CheckObserver, CheckOptions, CheckPhase, CheckProgress, CheckReport, Checked, RepairOutcome,
    SealedUnder,
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
pub enum CheckLine {
    /// The progress so far.
    Progress {
        /// The current phase.
        phase: String,
        /// The amount of its work that is done.
        done: u64,
        /// The amount of its work in all; 0 where that is not known.
        of: u64,
    },
    /// Something that was found.
    Finding(FindingView),
    /// The end, if it got there.
    Summary(CheckSummary),
    /// The end, if it did not.
    Failed {
        /// Why.
        error: String,
    },
}

/// A finding, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// One word for its kind.
    pub class: String,
    /// Whether nothing is wrong for anybody.
    pub is_note: bool,
    /// Where it is in the share, if it is about a file.
    pub path: Option<String>,
    /// A description of it.
    pub text: String,
    /// Whether it was repaired, where that was tried.
    #[serde(alias = "mended")]
    pub repaired: Option<bool>,
}

/// The outcome of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSummary {
    /// Findings that are more than notes.
    pub errors: u64,
    /// Notes of space that nobody uses.
    pub notes: u64,
    /// Findings that were repaired.
    #[serde(alias = "mended")]
    pub repaired: u64,
    /// Findings that are not reported.
    pub omitted: u64,
    /// Suspicions that could not be decided.
    pub undecided: u64,
    /// Nodes that were looked at.
    pub nodes: u64,
    /// Objects that were looked at.
    pub objects: u64,
    /// Bytes that were read and verified.
    pub verified_bytes: u64,
    /// The keys, with the data that each seals.
    #[serde(default)]
    pub keys: Vec<KeyView>,
    /// Bytes that are only in the journal, and were not looked at.
    #[serde(default)]
    pub unflushed_bytes: u64,
}

/// The data that one key seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// The key's fingerprint, or number; none for what is not sealed.
    pub id: Option<String>,
    /// Objects with such blocks that files use.
    pub objects: u64,
    /// Bytes of these blocks.
    pub bytes: u64,
    /// Whether the key is there.
    pub is_known: bool,
    /// Frames that it does not open: a key that had the same number is missing.
    #[serde(default)]
    pub unopened: u64,
}

impl From<&Checked> for FindingView {
    fn from(checked: &Checked) -> FindingView {
        FindingView {
            class: checked.finding.class().to_owned(),
            is_note: checked.finding.severity() == Severity::Note,
            path: checked.path.clone(),
            text: checked.finding.to_string(),
            repaired: match checked.repair {
                RepairOutcome::NotAsked => None,
                RepairOutcome::Done => Some(true),
                RepairOutcome::No => Some(false),
            },
        }
    }
}

impl From<&CheckReport> for CheckSummary {
    fn from(report: &CheckReport) -> CheckSummary {
        let errors = report.errors() as u64;
        CheckSummary {
            errors,
            notes: report.findings.len() as u64 - errors,
            repaired: report.repaired() as u64,
            omitted: report.omitted,
            undecided: report.undecided,
            nodes: report.nodes,
            objects: report.objects,
            verified_bytes: report.verified_bytes,
            keys: report.keys.iter().map(KeyView::from).collect(),
            unflushed_bytes: report.unflushed_bytes,
        }
    }
}

impl From<&SealedUnder> for KeyView {
    fn from(under: &SealedUnder) -> KeyView {
        let SealedUnder { key_id, objects, bytes, is_known, unopened } = *under;
        let id = (!key_id.is_none()).then(|| key_id.to_string());
        KeyView { id, objects, bytes, is_known, unopened }
    }
}

/// Returns the word for a check's phase.
pub fn phase_word(phase: CheckPhase) -> &'static str {
    match phase {
        CheckPhase::Nodes => "nodes",
        CheckPhase::Names => "names",
        CheckPhase::References => "references",
        CheckPhase::Objects => "objects",
        CheckPhase::Content => "content",
        CheckPhase::Repair => "repair",
    }
}

/// The answer: a check on its way.
pub(crate) fn check_lines(service: Arc<dyn AdminService>, share: ShareId, options: CheckOptions) -> LinesBody {
    LinesBody::of(|lines| run(service, share, options, lines))
}

struct Watcher(watch::Sender<Option<CheckProgress>>);

impl CheckObserver for Watcher {
    fn progress(&self, progress: CheckProgress) {
        self.0.send_replace(Some(progress));
    }
}

async fn run(service: Arc<dyn AdminService>, share: ShareId, options: CheckOptions, lines: Lines) {
    let (watcher, mut progress) = watch::channel(None);
    let check = service.check(share, options, Arc::new(Watcher(watcher)));
    tokio::pin!(check);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let result = loop {
        tokio::select! {
            result = &mut check => break result,
            _ = ticks.tick() => {
                let news = progress.has_changed().unwrap_or(false).then(|| *progress.borrow_and_update()).flatten();
                if let Some(CheckProgress { phase, done, of }) = news {
                    let phase = phase_word(phase).to_owned();
                    lines.send(&CheckLine::Progress { phase, done, of }).await;
                }
            }
        }
    };
    match result {
        Ok(report) => {
            for checked in &report.findings {
                lines.send(&CheckLine::Finding(checked.into())).await;
            }
            lines.send(&CheckLine::Summary((&report).into())).await;
        }
        Err(error) => lines.send(&CheckLine::Failed { error: error.to_string() }).await,
    }
}

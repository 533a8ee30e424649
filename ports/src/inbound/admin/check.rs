//! The options of a check, its progress and its report.

use dittofs_domain::{
    KeyId,
    check::{Finding, Severity},
};

/// The options of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Reads all bytes that files use, and verifies them.
    pub content: bool,
    /// Repairs what can be repaired: only where nobody else uses the share.
    pub repair: bool,
    /// Deletes objects that no row speaks of: only with `repair`, and only where the content is the share's own.
    pub delete_orphans: bool,
}

impl Default for CheckOptions {
    /// Everything is looked at, nothing changed.
    fn default() -> Self {
        CheckOptions { content: true, repair: false, delete_orphans: false }
    }
}

/// The phase of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckPhase {
    /// Nodes and maps; counted in nodes.
    Nodes,
    /// Entries; counted in nodes.
    Names,
    /// References; counted in references.
    References,
    /// The content store's listing; counted in objects.
    Objects,
    /// Bytes of objects.
    Content,
    /// Repairing; counted in findings.
    Repair,
}

/// The progress of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// The present phase.
    pub phase: CheckPhase,
    /// How much of that is done.
    pub done: u64,
    /// Of about how much; 0 where that is not known.
    pub of: u64,
}

/// Receives the progress of a check.
pub trait CheckObserver: Send + Sync {
    /// Called often; must not wait.
    fn progress(&self, progress: CheckProgress);
}

/// Nobody.
impl CheckObserver for () {
    fn progress(&self, _progress: CheckProgress) {}
}

/// The outcome of the repair of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RepairOutcome {
    /// Nothing was to be done about it.
    NotAsked,
    /// It is repaired.
    Done,
    /// It can't be repaired.
    No,
}

/// A finding, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The path in the share of what it is about, if it is about a file: bytes that are no printable ASCII are escaped.
    /// A file without a name has its number in the place of the path's first part.
    pub path: Option<String>,
    /// The finding.
    pub finding: Finding,
    /// The outcome of the repair.
    pub repair: RepairOutcome,
}

/// The blocks that files use and one key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedUnder {
    /// The key; none for blocks that are not sealed.
    pub key_id: KeyId,
    /// Objects that have such blocks.
    pub objects: u64,
    /// Bytes of these blocks.
    pub bytes: u64,
    /// Whether the key is there. The blocks that it seals can't be read without it.
    pub is_known: bool,
    /// Frames that do not open with it, where a number names it: a key that had the same number is missing, or they
    /// were altered.
    pub unopened: u64,
}

impl SealedUnder {
    /// Whether all of it opens.
    pub fn is_readable(&self) -> bool {
        self.is_known && self.unopened == 0
    }
}

/// The report of a check.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// The findings: at most some thousands.
    pub findings: Vec<Checked>,
    /// How many more were found, which are not reported.
    pub omitted: u64,
    /// Possible findings that could not be decided, because the data was changed at every look.
    pub undecided: u64,
    /// Nodes that were looked at.
    pub nodes: u64,
    /// Objects that were looked at.
    pub objects: u64,
    /// Bytes that were read and verified.
    pub verified_bytes: u64,
    /// The content that each key seals, by the key's id; empty where content was not checked.
    pub keys: Vec<SealedUnder>,
    /// Bytes that clients wrote before the check began, and that are only in the journal: they were not looked at.
    pub unflushed_bytes: u64,
}

impl CheckReport {
    /// Whether nothing is wrong, and everything was looked at: notes of unused space are allowed.
    pub fn is_clean(&self) -> bool {
        self.omitted == 0
            && self.unflushed_bytes == 0
            && self.errors() == 0
            && self.keys.iter().all(SealedUnder::is_readable)
    }

    /// Findings that are more than notes.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|checked| checked.finding.severity() == Severity::Error).count()
    }

    /// Findings that were repaired.
    pub fn repaired(&self) -> usize {
        self.findings.iter().filter(|checked| checked.repair == RepairOutcome::Done).count()
    }
}

//! Whether the records of a share agree with each other, and its bytes with their checksums.
//!
//! Everything is read page by page; of each node and each object a few numbers are kept. What is suspicious is looked
//! at again before it is reported, because the share may be used meanwhile (`docs/decisions/0012-check.md`).

mod content;
mod damaged;
mod folded;
mod maps;
mod names;
mod notes;
mod objects;
mod paths;
mod recount;
mod references;
mod repair;
mod statistics;
mod xattrs;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dittofs_domain::{
    KeyId, NodeId, ObjectId, ShareId,
    backup::BackupId,
    check::{Finding, NodeTable, ObjectTable},
    error::{FsError, FsResult},
    plan::{ObjectRecord, Plan, Query, Statistics, View},
};
use dittofs_ports::{
    ApplyError, CheckObserver, CheckOptions, CheckPhase, CheckProgress, CheckReport, Checked, Clock, ContentError,
    ContentStore, FrameSealer, KeysInUse, MetadataError, RepairOutcome, SealedUnder, ShareMetadata, ShareRecord,
};
use paths::Paths;
use repair::Repair;

use crate::volume::{
    flusher::Flusher,
    node_locks::{NodeLock, NodeLocks},
    nodes::Nodes,
    share::Share,
};

/// The findings that a report has at most. Nobody reads more; the report has the sum of all of them.
const FINDINGS_MAX: usize = 10_000;
/// Suspicions of one kind that one check follows. So much memory and no more goes to a share in which everything is
/// suspicious.
const CANDIDATES_MAX: usize = 1 << 16;
/// How often a suspicion is followed that changes under the eye. A share in use seldom disturbs two in a row, and what
/// stays in doubt is reported as such.
const LOOKS_MAX: u32 = 3;
/// Rows of a scan that are read at a time. A page is a turn of the store, and clients have theirs in between.
const PAGE: usize = 1_024;

/// The stores of a share that nobody uses.
#[derive(Clone)]
pub struct CheckStores {
    /// Names, attributes, maps.
    pub metadata: Arc<dyn ShareMetadata>,
    /// Objects.
    pub content: Arc<dyn ContentStore>,
    /// Opens sealed frames. Only their checksums are verified where it does not have the key.
    pub sealer: Arc<dyn FrameSealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Checks a share while it is used.
pub(crate) struct OnlineCheck {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    locks: Arc<NodeLocks>,
    flusher: Arc<Flusher>,
    stores: CheckStores,
    /// One check at a time.
    running: tokio::sync::Mutex<()>,
}

impl OnlineCheck {
    pub(super) fn new(
        (share, nodes, locks): (Arc<Share>, Arc<Nodes>, Arc<NodeLocks>),
        flusher: Arc<Flusher>,
        stores: CheckStores,
    ) -> OnlineCheck {
        OnlineCheck { share, nodes, locks, flusher, stores, running: tokio::sync::Mutex::new(()) }
    }

    /// Checks the share after a flush. Repairs nothing.
    ///
    /// # Errors
    /// Those of `AdminService::check`.
    pub(crate) async fn run(&self, options: CheckOptions, observer: Arc<dyn CheckObserver>) -> FsResult<CheckReport> {
        if options.repair || options.delete_orphans {
            return Err(FsError::NotSupported);
        }
        let _only_one = self.running.try_lock().map_err(|_| FsError::Busy)?;
        // Bytes that were written before go to the stores, where the check looks. Bytes that come meanwhile are not
        // checked.
        let began = self.share.monotonic();
        if let Err(error) = self.flusher.flush_all_to_end().await {
            tracing::warn!(share = %self.share.name(), %error, "not all could be flushed before the check");
        }
        let unflushed_bytes = self.nodes.pending().bytes_from_before(began);
        let checker = Checker::new(self.stores.clone(), Some(&self.locks), options, observer).await?;
        Ok(CheckReport { unflushed_bytes, ..checker.run().await? })
    }
}

/// The objects and bytes that a key seals.
#[derive(Clone, Copy, Debug, Default)]
struct UnderKey {
    objects: u64,
    bytes: u64,
    /// Frames that no key of this number opens.
    unopened: u64,
}

/// The share that is checked, and its stores.
struct Subject<'v> {
    record: ShareRecord,
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<dyn ContentStore>,
    sealer: Arc<dyn FrameSealer>,
    clock: Arc<dyn Clock>,
    /// The locks of whoever changes a file's map, where the share is in use.
    locks: Option<&'v NodeLocks>,
}

/// The results of a check.
#[derive(Debug, Default)]
struct Outcome {
    findings: Vec<Finding>,
    /// The outcomes of the repairs that were tried.
    repairs: Vec<RepairOutcome>,
    omitted: u64,
    undecided: u64,
    verified_bytes: u64,
    /// Objects and bytes of blocks by the key that seals them.
    keys: BTreeMap<KeyId, UnderKey>,
}

/// A check on its way.
struct Checker<'v> {
    subject: Arc<Subject<'v>>,
    options: CheckOptions,
    observer: Arc<dyn CheckObserver>,
    nodes: NodeTable,
    objects: ObjectTable,
    /// Whether all entries could be read.
    are_entries_known: bool,
    /// The sums of the nodes that were scanned.
    counted: Statistics,
    /// The backups that pin objects.
    backups: BTreeSet<BackupId>,
    outcome: Outcome,
    repair: Repair<'v>,
}

impl<'v> Checker<'v> {
    async fn new(
        stores: CheckStores,
        locks: Option<&'v NodeLocks>,
        options: CheckOptions,
        observer: Arc<dyn CheckObserver>,
    ) -> FsResult<Checker<'v>> {
        let CheckStores { metadata, content, sealer, clock } = stores;
        let record = metadata.record().await.map_err(|error| metadata_failed(&error))?;
        let backups = record.backups.keys().copied().collect();
        let subject = Arc::new(Subject { record, metadata, content, sealer, clock, locks });
        Ok(Checker {
            repair: Repair::new(Arc::clone(&subject)),
            subject,
            options,
            observer,
            nodes: NodeTable::default(),
            objects: ObjectTable::default(),
            are_entries_known: true,
            counted: Statistics::default(),
            backups,
            outcome: Outcome::default(),
        })
    }

    async fn run(mut self) -> FsResult<CheckReport> {
        self.load_objects().await?;
        self.scan_nodes().await?;
        self.scan_names().await?;
        self.scan_notes().await?;
        xattrs::scan_xattrs(&mut self).await?;
        self.scan_references().await?;
        self.scan_listing().await?;
        self.examine_content().await?;
        self.repair_all().await?;
        self.delete_orphans().await?;
        self.note_keys().await?;
        self.check_statistics().await?;
        self.report().await
    }

    async fn report(mut self) -> FsResult<CheckReport> {
        let findings = std::mem::take(&mut self.outcome.findings);
        let mut report = CheckReport {
            findings: Vec::with_capacity(findings.len()),
            omitted: self.outcome.omitted,
            undecided: self.outcome.undecided,
            nodes: self.nodes.len(),
            objects: self.objects.len() as u64,
            verified_bytes: self.outcome.verified_bytes,
            keys: self.outcome.sealed_under(&*self.subject.sealer),
            unflushed_bytes: 0,
        };
        let paths = Paths { subject: &self.subject, nodes: &self.nodes };
        for (index, finding) in findings.into_iter().enumerate() {
            let path = paths.path_of(&finding).await?;
            let repair = self.outcome.repairs.get(index).copied().unwrap_or(RepairOutcome::NotAsked);
            report.findings.push(Checked { path, finding, repair });
        }
        Ok(report)
    }

    /// Puts the keys that are in use into the share's row, where all was seen and nobody seals meanwhile: a start then asks
    /// for no others.
    async fn note_keys(&self) -> FsResult<()> {
        let is_unknown = self.outcome.omitted > 0 || self.outcome.findings.iter().any(Finding::hides_uses);
        if !self.options.repair || !self.options.content || is_unknown {
            return Ok(());
        }
        let record = self.subject.metadata.record().await.map_err(|error| metadata_failed(&error))?;
        let in_use = self.outcome.keys.keys().copied().filter(|key| !key.is_none()).collect();
        let keys = KeysInUse { in_use, are_all: true };
        if record.keys == keys {
            return Ok(());
        }
        let stored = self.subject.metadata.put_record(&ShareRecord { keys, ..record }).await;
        stored.map_err(|error| metadata_failed(&error))
    }

    fn progress(&self, phase: CheckPhase, done: u64, of: u64) {
        self.observer.progress(CheckProgress { phase, done, of });
    }
}

impl<'v> Subject<'v> {
    fn share(&self) -> ShareId {
        self.record.id
    }

    /// The lock of a file: nobody changes its map meanwhile.
    async fn lock(&self, node: NodeId) -> Option<NodeLock<'v>> {
        match self.locks {
            Some(locks) => Some(locks.lock(node).await),
            None => None,
        }
    }

    async fn view(&self, query: &Query) -> FsResult<View> {
        self.metadata.view(query).await.map_err(|error| metadata_failed(&error))
    }

    /// An object's row as it is now.
    async fn object(&self, id: ObjectId) -> FsResult<Option<ObjectRecord>> {
        let before = id.0.checked_sub(1).map(ObjectId);
        let found = self.metadata.objects(before, 1).await.map_err(|error| metadata_failed(&error))?;
        Ok(found.into_iter().find(|record| record.id == id))
    }

    /// Applies a plan; answers whether the store took it.
    async fn apply(&self, plan: Plan) -> FsResult<bool> {
        match self.metadata.apply(plan, None).await {
            Ok(_) => Ok(true),
            Err(error @ (ApplyError::Unavailable(_) | ApplyError::Unknown(_))) => {
                tracing::error!(share = %self.record.name, %error, "metadata store does not answer");
                Err(FsError::Busy)
            }
            Err(error) => {
                tracing::warn!(share = %self.record.name, %error, "a repair was not taken");
                Ok(false)
            }
        }
    }
}

impl Outcome {
    fn sealed_under(&self, sealer: &dyn FrameSealer) -> Vec<SealedUnder> {
        let under = self.keys.iter().map(|(key_id, under)| SealedUnder {
            key_id: *key_id,
            objects: under.objects,
            bytes: under.bytes,
            is_known: sealer.demand(*key_id).is_ok(),
            unopened: under.unopened,
        });
        under.collect()
    }

    /// Takes a finding; answers its place in the report, unless that is full.
    fn find(&mut self, finding: Finding) -> Option<usize> {
        if self.findings.len() >= FINDINGS_MAX {
            self.omitted += 1;
            return None;
        }
        self.findings.push(finding);
        Some(self.findings.len() - 1)
    }

    fn set_repaired(&mut self, index: Option<usize>, is_repaired: bool) {
        let Some(index) = index else { return };
        if self.repairs.len() <= index {
            self.repairs.resize(index + 1, RepairOutcome::NotAsked);
        }
        if let Some(repair) = self.repairs.get_mut(index) {
            *repair = if is_repaired { RepairOutcome::Done } else { RepairOutcome::No };
        }
    }

    /// Takes a finding, if there is one.
    fn take(&mut self, finding: Option<Finding>) {
        if let Some(finding) = finding {
            self.find(finding);
        }
    }

    /// Keeps a suspicion to be followed, unless there are too many.
    fn add_candidate<T>(&mut self, candidates: &mut Vec<T>, candidate: T) {
        if candidates.len() < CANDIDATES_MAX {
            candidates.push(candidate);
        } else {
            self.omitted += 1;
        }
    }
}

/// Checks a share that no server has open, and repairs it if that is asked for. What is only in its journal is not
/// looked at: the next start replays it.
///
/// # Errors
/// `Busy` where a store does not answer, `Io` where the metadata can't be read at all.
pub async fn check_stores(
    stores: CheckStores,
    options: CheckOptions,
    observer: Arc<dyn CheckObserver>,
) -> FsResult<CheckReport> {
    Checker::new(stores, None, options, observer).await?.run().await
}

fn metadata_failed(error: &MetadataError) -> FsError {
    tracing::error!(%error, "the check can't go on");
    match error {
        MetadataError::Unavailable(_) => FsError::Busy,
        MetadataError::Corrupt(_) => FsError::Io,
    }
}

fn content_failed(error: &ContentError) -> FsError {
    tracing::error!(%error, "the check can't go on");
    match error {
        ContentError::Unavailable(_) => FsError::Busy,
        _ => FsError::Io,
    }
}

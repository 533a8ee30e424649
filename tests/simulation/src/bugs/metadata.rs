//! A metadata store that breaks a rule.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use dittofs_domain::{
    ChangeId, NodeId, NodeKind, ObjectId, OpId,
    content::ReplayExclusions,
    plan::{Applied, Change, Expectation, NodeUpdate, Plan, Query, Reference, View},
};
use dittofs_ports::{ApplyError, Counter, MetadataError, ShareMetadata, ShareRecord};
use parking_lot::Mutex;

use super::Bug;
use crate::content::Objects;

pub(crate) struct RiggedMetadata {
    inner: Arc<dyn ShareMetadata>,
    objects: Arc<Objects>,
    bug: Bug,
    /// How many numbers were given in this life, where each life starts again.
    given: AtomicU64,
    /// The changes of directories that were shown last.
    shown: Mutex<BTreeMap<NodeId, ChangeId>>,
}

impl RiggedMetadata {
    /// The store itself, or one that breaks a rule.
    pub(crate) fn over(
        inner: &Arc<dyn ShareMetadata>,
        objects: &Arc<Objects>,
        bug: Option<Bug>,
    ) -> Arc<dyn ShareMetadata> {
        match bug {
            Some(
                bug @ (Bug::DeletedAtFirstDereference
                | Bug::TimesSeqStripped
                | Bug::ContentSeqStripped
                | Bug::ExclusionsStripped
                | Bug::PunchesNotExcluded
                | Bug::CloneUnreferenced
                | Bug::CountIsThreshold
                | Bug::StampsReused
                | Bug::OperationsForgotten
                | Bug::KeysNotNoted
                | Bug::IdsReused),
            ) => Arc::new(RiggedMetadata {
                inner: Arc::clone(inner),
                objects: Arc::clone(objects),
                bug,
                given: AtomicU64::new(4),
                shown: Mutex::default(),
            }),
            _ => Arc::clone(inner),
        }
    }

    fn strip(&self, update: &mut NodeUpdate) {
        match self.bug {
            Bug::TimesSeqStripped => update.times_seq = None,
            Bug::ContentSeqStripped => update.content_seq = None,
            Bug::ExclusionsStripped => update.replay_exclusions = None,
            Bug::PunchesNotExcluded => {
                let truncations =
                    |old: ReplayExclusions| old.iter().filter(|one| one.end == u64::MAX).copied().collect();
                update.replay_exclusions = update.replay_exclusions.take().map(truncations);
            }
            _ => {}
        }
    }

    fn rig(&self, plan: &mut Plan) {
        for change in &mut plan.changes {
            if let Change::UpdateNode(_, update) = change {
                self.strip(update);
            }
        }
        // Flushes and repacks say with their references that their object is live.
        let puts = plan.changes.iter().any(|change| matches!(change, Change::PutObject(_)));
        if self.bug == Bug::CloneUnreferenced && !puts {
            plan.changes.retain(|change| !matches!(change, Change::InsertReference(_)));
        }
        if self.bug == Bug::CountIsThreshold {
            let shown = self.shown.lock();
            let updated: Vec<NodeId> = plan
                .changes
                .iter()
                .filter_map(|change| match change {
                    Change::UpdateNode(node, _) => Some(*node),
                    _ => None,
                })
                .collect();
            for node in updated {
                if let Some(change) = shown.get(&node) {
                    plan.require(Expectation::ChangeIs { node, change: *change });
                }
            }
        }
    }
}

#[async_trait]
impl ShareMetadata for RiggedMetadata {
    dittofs_ports::forward!(
        ShareMetadata of inner:
        record, list, name_of, has_ended, unlinked, pending_truncations, objects, references, nodes, node_ids, references_after,
        xattr_bytes, statistics, snapshot
    );

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        let mut record = record.clone();
        if self.bug == Bug::KeysNotNoted {
            record.keys.in_use.clear();
        }
        self.inner.put_record(&record).await
    }

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let view = self.inner.view(query).await?;
        let directories = view.nodes.iter().filter(|node| node.kind == NodeKind::Directory);
        self.shown.lock().extend(directories.map(|node| (node.id, node.change)));
        Ok(view)
    }

    async fn apply(&self, mut plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        self.rig(&mut plan);
        let dereferenced: Vec<ObjectId> = plan
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::DeleteReference(Reference { object, .. }) => Some(*object),
                _ => None,
            })
            .collect();
        let op = op.filter(|_| self.bug != Bug::OperationsForgotten);
        let applied = self.inner.apply(plan, op).await?;
        if self.bug == Bug::DeletedAtFirstDereference {
            dereferenced.into_iter().for_each(|object| self.objects.remove(object));
        }
        Ok(applied)
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let forgets =
            matches!((self.bug, counter), (Bug::StampsReused, Counter::Stamps) | (Bug::IdsReused, Counter::Ids));
        if forgets {
            let start = self.given.fetch_add(count, Ordering::Relaxed);
            return Ok(start..start + count);
        }
        self.inner.allocate(counter, count).await
    }
}

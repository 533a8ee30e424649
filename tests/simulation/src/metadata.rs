//! A metadata store that is slow and loses answers, over one in memory: what it shows is durable.

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Epoch, Name, Node, NodeId, ObjectId, OpId, Scale,
    plan::{
        Applied, Change, Expectation, ObjectRecord, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View,
    },
};
use dittofs_ports::{ApplyError, Counter, Listing, MetadataError, ShareMetadata, ShareRecord, ShareSnapshot};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{faults::Fault, late::LatePlans, life::Life};

/// The operations of clients that were carried out, and what they made: the truth, whatever the store remembers.
pub(crate) type CarriedOut = Mutex<HashMap<OpId, Option<NodeId>>>;

thread_local! {
    /// Whether what runs now only reads a file: a map that is shown wrongly then does no lasting harm.
    static READS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Marks what a future does as reading only.
pub(crate) async fn reading<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(move |context| {
        let before = READS.replace(true);
        let polled = work.as_mut().poll(context);
        READS.set(before);
        polled
    })
    .await
}

/// The store as one life sees it.
pub(crate) struct SimulatedMetadata {
    pub(crate) inner: Arc<dyn ShareMetadata>,
    pub(crate) carried_out: Arc<CarriedOut>,
    /// The share's.
    pub(crate) scale: Scale,
    pub(crate) life: Arc<Life>,
    /// Whether a row that is missing is shown as a hole: a seeded bug.
    pub(crate) missing_row_is_hole: bool,
    /// Plans that may still be applied.
    pub(crate) late: LatePlans,
    /// Until when nothing is answered.
    pub(crate) away_until: Mutex<Option<Instant>>,
}

impl SimulatedMetadata {
    async fn ask(&self) -> Result<(), MetadataError> {
        self.life.pass(1).await;
        if self.is_away() || self.life.simulation.happens(Fault::ReadUnavailable) {
            return Err(MetadataError::Unavailable("the simulated store does not answer".into()));
        }
        self.decide_late().await;
        Ok(())
    }

    /// Whether the store is away, longer than anybody asks it again.
    fn is_away(&self) -> bool {
        let simulation = &self.life.simulation;
        let (mut until, now) = (self.away_until.lock(), Instant::now());
        if simulation.happens(Fault::MetadataAway) {
            let away = Duration::from_millis(1_000 + simulation.choose(|random| random.below(12_000)));
            *until = Some(now + away);
        }
        until.is_some_and(|until| now < until) && simulation.faults.lock().enabled()
    }

    /// Takes a row out of a map that is shown to a reader.
    fn lose_row(&self, view: &mut View) {
        if view.map.rows.is_empty() || !READS.get() || !self.life.simulation.happens(Fault::RowMissing) {
            return;
        }
        let rows = &mut view.map.rows;
        let at = self.life.simulation.choose(|random| random.below(rows.len() as u64)) as usize;
        if self.missing_row_is_hole {
            use dittofs_domain::content::{Extent, MapRow, PageExtents};
            if let MapRow::Page { extents, .. } = &mut rows[at].1 {
                let whole = extents.iter().map(Extent::len).sum();
                *extents = PageExtents::from([Extent::Hole { len: whole }]);
            }
        } else {
            rows.remove(at);
        }
    }

    async fn apply_now(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let simulation = &self.life.simulation;
        if self.is_away() || simulation.happens(Fault::ApplyUnavailable) {
            return Err(ApplyError::Unavailable("the simulated store does not answer".into()));
        }
        self.decide_late().await;
        if simulation.happens(Fault::ApplyLate) {
            self.late.add(plan, op);
            return Err(ApplyError::Unknown("the simulated store does not answer".into()));
        }
        if simulation.happens(Fault::ApplyConflict) {
            return Err(ApplyError::Conflict);
        }
        let applied = self.inner.apply(plan.clone(), op).await;
        if plan.steps() > self.scale.plan_steps as usize {
            simulation.fail(format!("a plan of {} steps", plan.steps()));
        }
        simulation.note("apply", plan.changes.len() as u64, u64::from(applied.is_ok()));
        if matches!(applied, Err(ApplyError::Malformed)) {
            simulation.fail(format!("a malformed plan: {plan:?}"));
        }
        if matches!(applied, Err(ApplyError::Conflict)) {
            self.judge_conflict(&plan, op).await;
        }
        let applied = applied?;
        self.note_applied(&plan, op);
        Ok(applied)
    }

    fn note_applied(&self, plan: &Plan, op: Option<OpId>) {
        let simulation = &self.life.simulation;
        simulation.watch.lock().plan(plan);
        if let Some(op) = op {
            let twice = self.carried_out.lock().insert(op, plan.made()).is_some();
            if twice {
                simulation.fail(format!("an operation is carried out twice: {plan:?}"));
            }
        }
    }

    /// Ends what may still run: each of it is applied now, or never.
    pub(crate) async fn decide_late(&self) {
        for (plan, op) in self.late.take() {
            let is_applied = self.life.simulation.choose(|random| random.percent(60));
            if is_applied && self.inner.apply(plan.clone(), op).await.is_ok() {
                self.life.simulation.count(Fault::LateApplied);
                self.note_applied(&plan, op);
            }
        }
    }

    /// Names that are different do not meet: a plan that adds one may only fail where the name or its directory changed.
    async fn judge_conflict(&self, plan: &Plan, op: Option<OpId>) {
        let inserted = plan.changes.iter().find_map(|change| match change {
            Change::InsertEntry { key, .. } => Some(key.clone()),
            _ => None,
        });
        let makes = plan.changes.iter().any(|change| matches!(change, Change::InsertNode(_)));
        let Some(key) = inserted.filter(|_| makes) else { return };
        let directory = key.directory;
        let query = Query::child(directory, key).asking(op);
        let Ok(view) = self.inner.view(&query).await else { return };
        if view.earlier.is_some() {
            return;
        }
        let permission_changed = |node: &Node| {
            plan.expectations.iter().any(|expectation| {
                matches!(expectation, Expectation::PermissionVersion { node: id, version }
                    if *id == node.id && *version != node.permission_version)
            })
        };
        if let Ok(node) = view.node(directory)
            && node.is_linked()
            && view.entry(0).is_none()
            && !permission_changed(node)
        {
            self.life.simulation.fail(format!("a creation in {directory} met another one: their names differ"));
        }
    }
}

/// Counts a plan that a crash meets on its way.
struct Cut<'l> {
    life: &'l Life,
    applied: bool,
    answered: bool,
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        if !self.answered && self.life.is_dead() {
            let fault = if self.applied { Fault::ApplyCutAfter } else { Fault::ApplyCutBefore };
            self.life.simulation.count(fault);
        }
    }
}

#[async_trait]
impl ShareMetadata for SimulatedMetadata {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        self.ask().await?;
        self.inner.record().await
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        self.ask().await?;
        self.inner.put_record(record).await?;
        self.life.pass(2).await;
        Ok(())
    }

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        self.ask().await?;
        let mut view = self.inner.view(query).await?;
        if let Some(map) = &query.map {
            self.life.simulation.watch.lock().view(map, view.map.complete);
        }
        self.lose_row(&mut view);
        self.life.pass(1).await;
        Ok(view)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let mut cut = Cut { life: &self.life, applied: false, answered: false };
        self.life.pass(3).await;
        let answer = self.apply_now(plan, op).await;
        cut.applied = answer.is_ok();
        self.life.pass(2).await;
        cut.answered = true;
        let lost = answer.is_ok() && self.life.simulation.happens(Fault::ApplyAnswerLost);
        if lost { Err(ApplyError::Unknown("the simulated store does not answer".into())) } else { answer }
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        self.ask().await?;
        self.inner.list(directory, space, after, entries_max, records).await
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.ask().await?;
        self.inner.name_of(directory, cookie).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        self.life.pass(1).await;
        if self.is_away() || self.life.simulation.happens(Fault::AllocateUnavailable) {
            return Err(MetadataError::Unavailable("the simulated store does not answer".into()));
        }
        let range = self.inner.allocate(counter, count).await?;
        self.life.step().await;
        Ok(range)
    }

    async fn has_ended(&self, epoch: Epoch) -> Result<bool, MetadataError> {
        self.inner.has_ended(epoch).await
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.ask().await?;
        self.inner.unlinked(after, max).await
    }

    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.ask().await?;
        self.inner.pending_truncations(after, max).await
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.ask().await?;
        self.inner.objects(after, max).await
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        self.ask().await?;
        self.inner.references(object, max).await
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        self.ask().await?;
        self.inner.nodes(after, max).await
    }

    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.ask().await?;
        self.inner.node_ids(after, max).await
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.ask().await?;
        self.inner.references_after(after, max).await
    }

    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError> {
        self.ask().await?;
        self.inner.xattr_bytes(after, max).await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.ask().await?;
        self.inner.statistics().await
    }

    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        self.ask().await?;
        self.inner.snapshot().await
    }
}

//! The plan that puts flushed bytes into a node's map, with size and times, and makes their object live.

use dittofs_domain::{
    Node, NodeId, Sequence,
    attributes::Pending,
    content::{
        map::{self, MapError, Piece},
        slices::Part,
    },
    error::{FsError, FsResult},
    flush::is_outdone,
    node::NodeFlags,
    plan::{Change, Expectation, MapQuery, MapView, NodeUpdate, ObjectRecord, Plan, Query, TimeChange, View},
};

use crate::volume::{
    flusher::{Flusher, Gathered},
    node_locks::NodeLock,
    pending::PendingNodes,
    plans::ContentQuery,
    share::is_of_file,
};

/// Pieces that one plan installs.
struct Batch<'a> {
    gathered: &'a Gathered,
    pieces: &'a [Piece],
    /// Whether a truncation, a punch or a clone changed the file since they were taken.
    was_changed: bool,
    /// Whether all that was taken is stored then.
    is_last: bool,
}

impl Flusher {
    /// Publishes what was taken of a node. Never refused for permission, size or space: that was decided when the
    /// journal took the writes.
    pub(super) async fn publish(&self, gathered: &Gathered, object: ObjectRecord) -> FsResult<()> {
        let node = gathered.node;
        if gathered.ranges.is_empty() {
            return Ok(());
        }
        let lock = self.locks.lock(node).await;
        self.plans.fit(&lock).await?;
        let view = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = self.nodes.live(&view, node) else {
            self.write_back.discard_pending(node).await;
            return Ok(());
        };
        let was_changed = stored.content_version != gathered.content_version;
        if self.share.tier().is_of_stores() {
            // A commit has put all that was taken, and newer bytes, into the map.
            if self
                .nodes
                .pending()
                .find(node)
                .is_some_and(|pending| is_outdone(gathered.in_map, pending.lock().in_map()))
            {
                return Ok(());
            }
            // What lies over it by now may be nowhere else: it is taken again, with that.
            if was_changed {
                return Err(FsError::Busy);
            }
        }
        let is_written_over =
            self.nodes.pending().find(node).is_some_and(|pending| pending.lock().is_written_over(gathered.up_to));
        let must_be_durable = was_changed || is_written_over || self.content_seq_after(gathered) < gathered.up_to;
        if must_be_durable {
            // A record that stays in the journal, or came to it since the bytes were taken, may cover an older one that is
            // given up now without having been installed: it must not be lost. If it is, the older one counts again in
            // what follows.
            self.sync_first().await?;
        }
        let pieces = if was_changed { self.still_there(gathered) } else { gathered.pieces.clone() };
        if !self.nodes.pending().has(node) {
            return Ok(());
        }
        let mut batches = map::batches(pieces, self.share.scale());
        if batches.len() > 1 && !must_be_durable {
            // A crash between the plans would leave a size that nobody gave the file.
            self.sync_first().await?;
        }
        // Also where nothing is left of what was taken: that it is done must be stored before its records are released.
        // Else a crash may bring an old one back without the newer ones that had been laid over it.
        let last = batches.pop().unwrap_or_default();
        for pieces in &batches {
            self.install(&lock, &Batch { gathered, pieces, was_changed, is_last: false }, object).await?;
        }
        self.install(&lock, &Batch { gathered, pieces: &last, was_changed, is_last: true }, object).await
    }

    /// Makes all records durable. The journal's trouble is none of the file: it is tried again, and not set aside.
    async fn sync_first(&self) -> FsResult<()> {
        let synced = self.write_back.sync_journal(Sequence(u64::MAX >> 1)).await;
        synced.map_err(|error| if is_of_file(error) { FsError::Busy } else { error })
    }

    /// Puts pieces into the map. With the last ones the index forgets what was taken.
    async fn install(&self, lock: &NodeLock<'_>, batch: &Batch<'_>, object: ObjectRecord) -> FsResult<()> {
        let (node, pieces) = (batch.gathered.node, batch.pieces);
        let map_query = map::install_query(node, pieces, self.share.scale());
        let query = Query { map: Some(map_query), ..Query::node(node) };
        let decide = |view: &View, pending: Option<&Pending>| {
            let stored = view.node(node)?;
            let current = self.current(batch, stored, &view.map)?;
            let current = map::cut_behind_written(current, &batch.gathered.ranges, stored.size);
            // While readers are kept off: a record that is lost before brings older ones back into the index.
            let done = batch.is_last.then(|| self.content_seq_after(batch.gathered));
            let mut plan = self.installing(stored, (&view.map, map_query), &current, (pending, done))?;
            if !pieces.is_empty() {
                plan.require(Expectation::ObjectUsable { object: object.id, epoch: self.share.epoch() });
                plan.change(Change::PutObject(object));
            }
            Ok((plan, done))
        };
        let query = ContentQuery { query, op: None, removes: false };
        let forget = |pending: &PendingNodes, done: &Option<Sequence>| match *done {
            Some(done) => pending.flushed(lock, &batch.gathered.ranges, batch.gathered.up_to, done),
            None => Vec::new(),
        };
        self.plans.change_content(lock, query, decide, forget).await?;
        Ok(())
    }

    /// Returns the plan that puts pieces into a node's map, with what was shown of it.
    pub(super) fn installing(
        &self,
        stored: &Node,
        (view, query): (&MapView, MapQuery),
        pieces: &[Piece],
        (shown, done): (Option<&Pending>, Option<Sequence>),
    ) -> FsResult<Plan> {
        let node = stored.id;
        let end = pieces.iter().map(Piece::end).max().unwrap_or(0).max(stored.size);
        let installed = map::install(view, &self.share.facts(stored), pieces, end);
        let installed = installed.map_err(|error| self.share.map_failed(node, &error))?;
        if !installed.crowded.is_empty() {
            tracing::debug!(share = %self.share.name(), %node, pages = installed.crowded.len(), "pages with many extents");
        }
        let mut plan = Plan::at(self.share.now());
        plan.require(Expectation::Exists(node));
        plan.require(Expectation::ContentVersion { node, version: stored.content_version });
        let mut update = published(stored, shown, done);
        if stored.flags.contains(NodeFlags::INLINE)
            && map::is_packed(view, &self.share.facts(stored), &query, &installed.edit.changes)
        {
            update.clear_flags |= NodeFlags::INLINE;
        }
        installed.edit.add_to(&mut plan, node, update);
        Ok(plan)
    }

    /// Stores what was shown of a node of whose records nothing is left in the index, as they were lost: none of them may
    /// count any more, should a crash bring one back.
    pub(super) async fn publish_nothing(&self, lock: &NodeLock<'_>) -> FsResult<()> {
        let node = lock.node();
        let decide = |view: &View, pending: Option<&Pending>| {
            let stored = view.node(node)?;
            let mut plan = Plan::at(self.share.now());
            plan.require(Expectation::Exists(node));
            plan.require(Expectation::ContentVersion { node, version: stored.content_version });
            plan.change(Change::UpdateNode(node, published(stored, pending, self.nodes.pending().highest(node))));
            Ok((plan, ()))
        };
        let query = ContentQuery { query: Query::node(node), op: None, removes: false };
        self.plans.change_content(lock, query, decide, |pending, ()| pending.take_empty(lock)).await?;
        Ok(())
    }

    /// The pieces without the copies of old bytes that stand elsewhere by now. Where the file was changed there are
    /// none, and what lies below the new bytes has changed rightly.
    fn current(&self, batch: &Batch<'_>, stored: &Node, view: &MapView) -> FsResult<Vec<Piece>> {
        let Batch { gathered, pieces, was_changed, .. } = *batch;
        let (false, Some(first), Some(last)) = (was_changed, pieces.first(), pieces.last()) else {
            return Ok(pieces.to_vec());
        };
        let range = first.offset..last.end();
        let now = map::resolve(view, &self.share.facts(stored), range.clone());
        let now = now.map_err(|error| self.share.map_failed(stored.id, &error))?;
        let before = gathered.base.partition_point(|piece| piece.end() <= range.start);
        let behind = gathered.base.partition_point(|piece| piece.offset < range.end);
        let base = gathered.base.get(before..behind).unwrap_or_default();
        map::current(pieces, base, &gathered.ranges, &now).map_err(|error| self.not_installed(stored.id, &error))
    }

    fn not_installed(&self, node: NodeId, error: &MapError) -> FsError {
        if matches!(error, MapError::Newer { .. }) {
            tracing::error!(share = %self.share.name(), %node, %error, "a flush was about to bring old bytes back: not done");
            return FsError::Busy;
        }
        self.share.map_failed(node, error)
    }

    /// Returns the pieces that are still there of those taken: the index has forgotten what was removed from the file.
    fn still_there(&self, gathered: &Gathered) -> Vec<Piece> {
        let Some(pending) = self.nodes.pending().find(gathered.node) else { return Vec::new() };
        let mut left = Vec::new();
        for piece in &gathered.pieces {
            let parts = pending.lock().slices.read(piece.offset..piece.end());
            for part in parts {
                if let Part::Slice(slice) = part
                    && slice.seq <= gathered.up_to
                {
                    left.extend(piece.cut(&(slice.offset..slice.end())));
                }
            }
        }
        left
    }

    fn content_seq_after(&self, gathered: &Gathered) -> Sequence {
        let Some(pending) = self.nodes.pending().find(gathered.node) else { return gathered.up_to };
        let pending = pending.lock();
        pending.content_seq_after(&gathered.ranges, gathered.up_to)
    }
}

/// Returns the update of a node that a flush publishes: times and counts that clients have been shown already.
fn published(stored: &Node, pending: Option<&Pending>, done: Option<Sequence>) -> NodeUpdate {
    let left = done.map(|done| stored.replay_exclusions.above(done));
    let times = pending.and_then(|pending| pending.times).filter(|(_, sequence)| *sequence > stored.times_seq);
    // A flush is no change to a client: values that were shown must not move again where they are stored already.
    let shown = pending
        .and_then(|pending| pending.shown)
        .filter(|(change, ctime)| *change > stored.change || *ctime > stored.ctime);
    NodeUpdate {
        mtime: times.map_or(TimeChange::Keep, |(time, _)| TimeChange::Set(time)),
        ctime: shown.map_or(TimeChange::Keep, |(_, ctime)| TimeChange::AtLeast(ctime)),
        change_at_least: shown.map(|(change, _)| change),
        content_seq: done,
        replay_exclusions: left.filter(|left| *left != stored.replay_exclusions),
        ..NodeUpdate::default()
    }
}

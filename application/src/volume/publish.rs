//! The plan that puts flushed bytes into a node's map, with size and times, and makes their object live.

use dittofs_domain::{
    Node, NodeId, Sequence,
    attributes::Pending,
    content::{
        map::{self, MapError, Piece},
        slices::Part,
    },
    error::{FsError, FsResult},
    plan::{Change, Expectation, MapView, NodeUpdate, ObjectRecord, Plan, Query, TimeChange},
};

use super::{Volume, flush::Gathered};

impl Volume {
    /// Publishes what was taken of a node. Never refused for permission, size or space: that was decided when the
    /// journal took the writes.
    pub(super) async fn publish(&self, gathered: &Gathered, object: ObjectRecord) -> FsResult<()> {
        let node = gathered.node;
        if gathered.ranges.is_empty() {
            return Ok(());
        }
        let _turn = self.turns.lock(node).await;
        let view = self.view(&Query::node(node)).await?;
        let Ok(stored) = self.live(&view, node) else {
            self.discard_pending(node).await;
            return Ok(());
        };
        let was_cut = stored.content_version != gathered.content_version;
        let is_written_over =
            self.pending.find(node).is_some_and(|pending| pending.lock().is_written_over(gathered.up_to));
        if was_cut || is_written_over || self.content_seq_after(gathered) < gathered.up_to {
            // A record that stays in the journal, or came to it since the bytes were taken, may cover an older one that is
            // given up now without having been installed: it must not be lost. If it is, the older one counts again in
            // what follows.
            let synced = self.sync_journal(Sequence(u64::MAX >> 1)).await;
            // The journal's trouble is none of the file: it is tried again, and not set aside.
            synced.map_err(|error| if Volume::is_of_file(error) { FsError::Busy } else { error })?;
        }
        let pieces = if was_cut { self.clipped(gathered) } else { gathered.pieces.clone() };
        let Some(pending) = self.pending.snapshot(node) else { return Ok(()) };
        let done = self.content_seq_after(gathered);
        let unstable = self.pending.unstable(node);
        let mut batches = map::batches(pieces, self.scale());
        // Also where nothing is left of what was taken: that it is done must be stored before its records are released.
        // Else a crash may bring an old one back without the newer ones that had been laid over it.
        let last = batches.pop().unwrap_or_default();
        for pieces in &batches {
            self.install(&Batch { gathered, pieces, was_cut }, &pending, None, object).await?;
        }
        self.install(&Batch { gathered, pieces: &last, was_cut }, &pending, Some(done), object).await?;
        let records = self.pending.flushed(node, &gathered.ranges, gathered.up_to, done);
        drop(unstable);
        self.release(records).await;
        Ok(())
    }

    async fn install(
        &self,
        batch: &Batch<'_>,
        pending: &Pending,
        done: Option<Sequence>,
        object: ObjectRecord,
    ) -> FsResult<()> {
        let (node, pieces) = (batch.gathered.node, batch.pieces);
        let query = Query { map: Some(map::install_query(node, pieces, self.scale())), ..Query::node(node) };
        self.settle(query, None, |view| {
            let stored = view.node(node)?;
            let end = pieces.iter().map(Piece::end).max().unwrap_or(0).max(stored.size);
            let current = self.current(batch, stored, &view.map)?;
            let installed = map::install(&view.map, &self.facts(stored), &current, end);
            let installed = installed.map_err(|error| self.map_failed(node, &error))?;
            if !installed.crowded.is_empty() {
                tracing::debug!(share = %self.name, %node, pages = installed.crowded.len(), "pages with many extents");
            }
            let mut plan = Plan::at(self.now());
            plan.expect(Expectation::Exists(node));
            plan.expect(Expectation::ContentVersion { node, version: stored.content_version });
            if !pieces.is_empty() {
                plan.expect(Expectation::ObjectUsable { object: object.id, epoch: self.epoch });
                plan.change(Change::PutObject(object));
            }
            installed.edit.add_to(&mut plan, node, published(stored, pending, done));
            Ok((plan, ()))
        })
        .await?;
        Ok(())
    }

    /// The pieces without the copies of old bytes that stand elsewhere by now. Where the file was cut there are none,
    /// and what lies below the new bytes has changed rightly.
    fn current(&self, batch: &Batch<'_>, stored: &Node, view: &MapView) -> FsResult<Vec<Piece>> {
        let Batch { gathered, pieces, was_cut } = *batch;
        let (false, Some(first), Some(last)) = (was_cut, pieces.first(), pieces.last()) else {
            return Ok(pieces.to_vec());
        };
        let range = first.offset..last.end();
        let now = map::resolve(view, &self.facts(stored), range.clone());
        let now = now.map_err(|error| self.map_failed(stored.id, &error))?;
        let before = gathered.base.partition_point(|piece| piece.end() <= range.start);
        let behind = gathered.base.partition_point(|piece| piece.offset < range.end);
        let base = gathered.base.get(before..behind).unwrap_or_default();
        map::current(pieces, base, &gathered.ranges, &now).map_err(|error| self.not_installed(stored.id, &error))
    }

    fn not_installed(&self, node: NodeId, error: &MapError) -> FsError {
        if matches!(error, MapError::Newer { .. }) {
            tracing::error!(share = %self.name, %node, %error, "a flush was about to bring old bytes back: not done");
            return FsError::Busy;
        }
        self.map_failed(node, error)
    }

    /// What is still there of the bytes that were taken: the index was cut when the file was.
    fn clipped(&self, gathered: &Gathered) -> Vec<Piece> {
        let Some(pending) = self.pending.find(gathered.node) else { return Vec::new() };
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
        let Some(pending) = self.pending.find(gathered.node) else { return gathered.up_to };
        let pending = pending.lock();
        pending.content_seq_after(&gathered.ranges, gathered.up_to)
    }
}

/// Pieces that one plan installs.
struct Batch<'a> {
    gathered: &'a Gathered,
    pieces: &'a [Piece],
    /// Whether the file was cut since they were taken.
    was_cut: bool,
}

/// What a flush says of a node: times and counts that clients have been shown already.
fn published(stored: &Node, pending: &Pending, done: Option<Sequence>) -> NodeUpdate {
    let times = pending.times.filter(|(_, sequence)| *sequence > stored.times_seq);
    // A flush is no change to a client: what was shown must not move again where it is stored already.
    let shown = pending.shown.filter(|(change, ctime)| *change > stored.change || *ctime > stored.ctime);
    NodeUpdate {
        mtime: times.map_or(TimeChange::Keep, |(time, _)| TimeChange::Set(time)),
        ctime: shown.map_or(TimeChange::Keep, |(_, ctime)| TimeChange::AtLeast(ctime)),
        change_at_least: shown.map(|(change, _)| change),
        content_seq: done,
        cuts: done.map(|done| stored.cuts.above(done)).filter(|cuts| *cuts != stored.cuts),
        ..NodeUpdate::default()
    }
}

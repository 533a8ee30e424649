//! Objects of which most bytes are dead: what lives of them goes into a new object, and they become garbage.

mod discard;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use dittofs_domain::{
    KeyId, NodeId, ObjectId, Scale, Sequence,
    backup::PINS,
    content::{
        Stored,
        block::BlockSpec,
        map::{self, Piece, Source},
        object::ObjectBuilder,
    },
    error::{FsError, FsResult},
    plan::{Expectation, NodeUpdate, ObjectRecord, ObjectState, Plan, Query},
};
use dittofs_ports::ContentStore;
use parking_lot::Mutex;

use super::objects::Collector;
use crate::{
    lock_order::may_wait_outside,
    volume::{
        blocks::{BlockReader, Segments},
        flusher::{Flusher, Steps},
        garbage::{Garbage, MostlyDead},
        node_locks::NodeLocks,
        nodes::Nodes,
        plans::PlanRunner,
        sealing::Sealing,
        share::{Share, is_of_file},
        write_back::WriteBack,
    },
};

/// An object is written again when less than this part of it, in thousandths, is alive. What is written again frees at
/// least as much as it takes.
const ALIVE_PERMILLE: u64 = 500;
/// The same where there is no space. Nine times as much is written as is freed: better than to stay full.
const ALIVE_PERMILLE_FULL: u64 = 900;
/// Objects that one round looks at. Up to a GiB is looked at, and half of it written, before others have their turn.
const OBJECTS_PER_ROUND: usize = 16;
/// References of one object that are followed. One that has more, as only clones can make them, is left alone.
const REFERENCES_MAX: usize = 4_096;
/// How long nothing is repacked where there was no room for the least of it. Room comes from deletions by clients, or
/// from other programs.
const FULL_WAIT: Duration = Duration::from_secs(10);

/// How repacking gets on where there is little room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Before this time, on the monotonic clock, nothing is written: there was no room for it.
    after: Duration,
    steps: Steps,
    /// It was said that there is no room for the least of it.
    is_reported: bool,
}

impl Pace {
    /// There was no room for a step; answers whether that is the least that is tried.
    fn found_no_room(&mut self, step: u64, now: Duration) -> bool {
        let is_least = self.steps.found_no_room(step);
        if is_least {
            self.after = now + FULL_WAIT;
        }
        is_least
    }

    /// There was room for a step.
    fn found_room(&mut self, most: u64) {
        self.steps.found_room(most);
        self.is_reported = false;
    }
}

/// A living part of a mostly dead object.
struct Living {
    node: NodeId,
    chunk: u64,
    old: Piece,
    /// The same bytes in the new object.
    new: Option<Piece>,
}

/// The pieces that a round writes again.
#[derive(Default)]
struct Found {
    living: Vec<Living>,
    /// The objects that they are of, with their dead bytes as far as they were known.
    taken: Vec<(ObjectId, u64)>,
}

/// Writes objects again of which most bytes are dead.
pub(super) struct Repacker {
    pub(super) share: Arc<Share>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) locks: Arc<NodeLocks>,
    pub(super) write_back: Arc<WriteBack>,
    pub(super) plans: Arc<PlanRunner>,
    pub(super) blocks: Arc<BlockReader>,
    pub(super) sealing: Arc<Sealing>,
    pub(super) flusher: Arc<Flusher>,
    pub(super) garbage: Arc<Garbage>,
    pub(super) collector: Arc<Collector>,
    pub(super) content: Arc<dyn ContentStore>,
    pub(super) pace: Mutex<Pace>,
}

impl Repacker {
    /// Looks at some of the objects that have lost bytes, and writes the mostly dead ones again; answers whether there
    /// are more to look at.
    pub(super) async fn repack(&self) -> FsResult<bool> {
        let full = self.write_back.full().is_stores();
        let due = self.due_to_repack(full);
        if due.is_empty() && !self.collector.discards().are_waiting() {
            return Ok(false);
        }
        // The bytes of a file must not be published from two sides.
        let _flushing = self.flusher.stop_flushing().await;
        self.sealing.adopt_key().await?;
        let waiting = self.discard_dead_ranges().await?;
        // Nothing comes to refer to a block of an object while it is looked at.
        let nobody_clones = if full { Some(self.garbage.stop_cloning().await) } else { None };
        let most = self.flusher.object_bytes_max();
        let Pace { after, steps, .. } = *self.pace.lock();
        let step = steps.next(most);
        let Found { mut living, taken } = self.find_living(due, full, step).await?;
        // Before anybody's lock is waited for: who clones has one.
        drop(nobody_clones);
        let written = match living.is_empty() {
            true => Ok(()),
            false if self.share.monotonic() < after => return Ok(true),
            false => self.write_again(&mut living).await,
        };
        match written {
            Ok(()) => {
                if living.iter().any(|part| part.new.is_some()) {
                    self.pace.lock().found_room(most);
                }
                self.forget_uncopied(taken, &living);
            }
            Err(FsError::NoSpace) => {
                if self.pace.lock().found_no_room(step, self.share.monotonic()) {
                    self.report_no_room();
                }
            }
            Err(error) => return Err(error),
        }
        Ok(waiting || self.garbage.mostly_dead().values().any(|known| known.is_due(full, &**self.sealing.sealer())))
    }

    /// Finds the pieces to write again of these objects, a step of them at most. The objects stay known as mostly dead
    /// until their pieces have been written.
    async fn find_living(&self, due: Vec<ObjectId>, full: bool, step: u64) -> FsResult<Found> {
        let (mut found, mut room) = (Found::default(), step);
        let alive_permille = if full { ALIVE_PERMILLE_FULL } else { ALIVE_PERMILLE };
        for object in due {
            let dead = self.garbage.mostly_dead().get(&object).map_or(0, |known| known.dead);
            let (record, parts) = match self.look_at(object, alive_permille).await {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                // A file that uses it is damaged: the object stays as it is, and the others go on.
                Err(error) if is_of_file(error) => {
                    self.garbage.mostly_dead().remove(&object);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if full {
                self.note_dead_ranges(&record, parts.iter().map(|part| &part.old));
            }
            let alive: u64 = distinct(&parts).map(|piece| piece.len).sum();
            // Where there is no space, one by one: what is kept for this holds one object.
            if (full || alive > room) && !found.living.is_empty() {
                continue;
            }
            room = room.saturating_sub(alive);
            found.living.extend(first_of(parts, step));
            found.taken.push((object, dead));
        }
        Ok(found)
    }

    /// Forgets objects of which something can't be copied, or of which nothing lives: they stay as they are, unless they
    /// have lost more meanwhile. The others are looked at again: they are gone by then, or a clone refers to them.
    fn forget_uncopied(&self, taken: Vec<(ObjectId, u64)>, living: &[Living]) {
        for (object, dead) in taken {
            let mut parts = living.iter().filter(|part| refers_to(&part.old, object)).peekable();
            let is_copied = parts.peek().is_some() && parts.all(|part| part.new.is_some());
            let mut mostly_dead = self.garbage.mostly_dead();
            if !is_copied && mostly_dead.get(&object).is_some_and(|known| known.dead == dead) {
                mostly_dead.remove(&object);
            }
        }
    }

    /// Says, once, that removing frees nothing, where nothing is left that a store may give back without any room.
    fn report_no_room(&self) {
        if !self.collector.discards().are_promising() && !std::mem::replace(&mut self.pace.lock().is_reported, true) {
            tracing::error!(
                share = %self.share.name(),
                "the content store has no room even for 64 KiB, and gives back nothing of what was removed inside of \
                 objects (some file systems can't, or need room for it): free some of it, up to 80 MiB, by other means, \
                 and the rest comes back by itself"
            );
        }
    }

    /// The objects that are looked at now; where there is no space, those first that have lost the most.
    fn due_to_repack(&self, full: bool) -> Vec<ObjectId> {
        let mut due: Vec<(u64, ObjectId)> = {
            let mostly_dead = self.garbage.mostly_dead();
            let due = mostly_dead.iter().filter(|(_, known)| known.is_due(full, &**self.sealing.sealer()));
            due.map(|(object, known)| (known.dead, *object)).collect()
        };
        if full {
            due.sort_unstable_by_key(|(dead, _)| std::cmp::Reverse(*dead));
        }
        due.truncate(OBJECTS_PER_ROUND);
        due.into_iter().map(|(_, object)| object).collect()
    }

    /// Returns the live pieces of an object, if they are so few bytes that the object should be written again.
    async fn look_at(&self, object: ObjectId, alive_permille: u64) -> FsResult<Option<(ObjectRecord, Vec<Living>)>> {
        let Some(record) = self.collector.live_object(object).await? else {
            self.garbage.mostly_dead().remove(&object);
            return Ok(None);
        };
        let due = record.bytes * (1_000 - alive_permille) / 1_000;
        if self.garbage.mostly_dead().get(&object).is_some_and(|known| known.dead < due) {
            self.garbage.mostly_dead().entry(object).or_default().due = due;
            return Ok(None);
        }
        let Some(parts) = self.living(object).await? else {
            self.garbage.mostly_dead().remove(&object);
            return Ok(None);
        };
        if let Some(key) = self.missing_key(&parts) {
            self.garbage.mostly_dead().entry(object).or_default().waits_for = Some(key);
            return Ok(None);
        }
        let alive: u64 = distinct(&parts).map(stored_bytes).sum();
        if alive * 1_000 < record.bytes * alive_permille {
            return Ok(Some((record, parts)));
        }
        self.garbage
            .mostly_dead()
            .insert(object, MostlyDead { dead: record.bytes.saturating_sub(alive), due: due.max(1), waits_for: None });
        Ok(None)
    }

    /// The pieces of files that refer to a live object; none if they are too many, a backup pins it, or it is not live.
    pub(super) async fn living_pieces(&self, object: ObjectId) -> FsResult<Option<Vec<Piece>>> {
        if self.collector.live_object(object).await?.is_none() {
            return Ok(None);
        }
        let living = self.living(object).await?;
        Ok(living.map(|living| living.into_iter().map(|part| part.old).collect()))
    }

    /// A key without which some of the parts can't be read.
    fn missing_key(&self, parts: &[Living]) -> Option<KeyId> {
        let keys = distinct(parts).filter_map(|piece| match &piece.source {
            Source::Stored(from) => Some(from.block.key_id),
            Source::Hole | Source::Inline(_) => None,
        });
        keys.into_iter().find(|key| self.sealing.sealer().demand(*key).is_err())
    }

    /// The parts of files that refer to an object; none if they are too many, or a backup pins it: then all of it is
    /// needed, and stays where it is.
    async fn living(&self, object: ObjectId) -> FsResult<Option<Vec<Living>>> {
        let references = self.collector.references(object, REFERENCES_MAX).await?;
        if references.len() == REFERENCES_MAX || references.first().is_some_and(|(node, _)| *node == PINS) {
            return Ok(None);
        }
        let mut living = Vec::new();
        for (node, chunk) in references {
            let pieces = self.pieces_of(node, chunk).await?;
            let ours = pieces.into_iter().filter(|piece| refers_to(piece, object));
            living.extend(ours.map(|old| Living { node, chunk, old, new: None }));
        }
        Ok(Some(living))
    }

    async fn pieces_of(&self, node: NodeId, chunk: u64) -> FsResult<Vec<Piece>> {
        let range = chunk_range(chunk, self.share.scale());
        let query = Query { map: Some(map::resolve_query(node, &range, self.share.scale())), ..Query::node(node) };
        let view = self.nodes.view(&query).await?;
        let Ok(stored) = view.node(node) else { return Ok(Vec::new()) };
        let pieces = map::resolve(&view.map, &self.share.facts(stored), range);
        pieces.map_err(|error| self.share.map_failed(node, &error))
    }

    /// Copies what lives into a new object, and puts that into the maps. What has no copy then can't have one.
    async fn write_again(&self, living: &mut [Living]) -> FsResult<()> {
        let mut builder = ObjectBuilder::new(self.share.new_object(), self.share.id(), self.share.epoch());
        // Bytes that several files share stay shared.
        let mut copies: HashMap<(Source, u64), Source> = HashMap::new();
        for part in living.iter_mut() {
            let bytes = (part.old.source.clone(), part.old.len);
            if let Some(copy) = copies.get(&bytes) {
                part.new = Some(Piece { source: copy.clone(), ..part.old.clone() });
                continue;
            }
            part.new = match self.copy(&mut builder, part.node, &part.old).await {
                // Truncated meanwhile: it stays where it is.
                Err(FsError::Stale) => None,
                // Damaged, or sealed with another key of its number: the same.
                Err(FsError::Io) => {
                    self.nodes.report_unreadable(part.node).await;
                    None
                }
                copied => Some(copied?),
            };
            copies.extend(part.new.as_ref().map(|new| (bytes, new.source.clone())));
        }
        if living.iter().all(|part| part.new.is_none()) {
            return Ok(());
        }
        let (writing, live) = (builder.record(ObjectState::Writing), builder.record(ObjectState::Live));
        // Also where the row fails: it may be there nevertheless. The reaper looks when this is done.
        self.garbage.released([live.id]);
        self.plans.put_object_row(writing).await?;
        let node = living.first().map_or(NodeId(0), |part| part.node);
        may_wait_outside();
        let put = self.content.put_to_free(self.share.id(), live.id, builder.finish()).await;
        let mut result = put.map_err(|error| self.share.content_failed(node, live.id, &error));
        if result.is_ok() {
            let copied = living.iter().filter_map(|part| part.new.as_ref());
            self.share.counters().repacked_bytes.add(copied.map(|piece| piece.len).sum());
        }
        for parts in living.chunk_by_mut(|a, b| (a.node, a.chunk) == (b.node, b.chunk)) {
            if result.is_ok() {
                result = match self.replace(parts, live).await {
                    // A chunk of which the map is damaged now keeps the old object.
                    Err(error) if is_of_file(error) => {
                        parts.iter_mut().for_each(|part| part.new = None);
                        Ok(())
                    }
                    result => result,
                };
            }
        }
        result
    }

    async fn copy(&self, builder: &mut ObjectBuilder, node: NodeId, old: &Piece) -> FsResult<Piece> {
        let Source::Stored(from) = &old.source else { return Err(FsError::Stale) };
        let mut payload = Segments::new();
        self.blocks.stored(node, from, 0, old.len as u32, &mut payload).await?;
        // Older than every record of the journal: without metadata, what was written since must win.
        let spec = BlockSpec { node, offset: old.offset, seq: Sequence(0) };
        let object = builder.object();
        let block = self.sealing.push_block(builder, spec, &payload)?;
        Ok(Piece { source: Source::Stored(Stored { object, block, skip: 0 }), ..old.clone() })
    }

    /// Puts the new place of bytes into a chunk's map, wherever the old one still stands. No byte changes.
    async fn replace(&self, parts: &[Living], object: ObjectRecord) -> FsResult<()> {
        let Some(Living { node, chunk, .. }) = parts.first() else { return Ok(()) };
        let lock = self.locks.lock(*node).await;
        let range = chunk_range(*chunk, self.share.scale());
        let whole = [Piece { offset: range.start, len: range.end - range.start, source: Source::Hole }];
        let query = Query { map: Some(map::install_query(*node, &whole, self.share.scale())), ..Query::node(*node) };
        self.plans
            .run_under(&lock, query, |view| {
                let Ok(stored) = view.node(*node) else { return Ok((Plan::default(), ())) };
                let failed = |error| self.share.map_failed(*node, &error);
                let now = map::resolve(&view.map, &self.share.facts(stored), range.clone()).map_err(failed)?;
                let pieces: Vec<Piece> = parts.iter().flat_map(|part| still_there(part, &now)).collect();
                if pieces.is_empty() {
                    return Ok((Plan::default(), ()));
                }
                let installed =
                    map::install(&view.map, &self.share.facts(stored), &pieces, stored.size).map_err(failed)?;
                let mut plan = Plan::at(self.share.now());
                plan.require(Expectation::Exists(*node));
                plan.require(Expectation::ContentVersion { node: *node, version: stored.content_version });
                plan.require(Expectation::ObjectUsable { object: object.id, epoch: self.share.epoch() });
                plan.change(dittofs_domain::plan::Change::PutObject(object));
                installed.edit.add_to(&mut plan, *node, NodeUpdate::default());
                Ok((plan, ()))
            })
            .await?;
        Ok(())
    }
}

/// The parts of a copied piece of which the map still says what was copied.
fn still_there(part: &Living, now: &[Piece]) -> Vec<Piece> {
    let Some(new) = &part.new else { return Vec::new() };
    map::still_there(&part.old, now).iter().filter_map(|range| new.cut(range)).collect()
}

/// The pieces of parts, but only one of those that are the same bytes of an object.
fn distinct(parts: &[Living]) -> impl Iterator<Item = &Piece> {
    let mut seen = HashSet::new();
    parts.iter().map(|part| &part.old).filter(move |piece| seen.insert((piece.source.clone(), piece.len)))
}

/// The first parts, of so many bytes, but one at least.
fn first_of(parts: Vec<Living>, bytes_max: u64) -> impl Iterator<Item = Living> {
    let mut bytes = 0;
    parts.into_iter().enumerate().map_while(move |(index, part)| {
        bytes += part.old.len;
        (index == 0 || bytes <= bytes_max).then_some(part)
    })
}

/// Returns the bytes that a piece takes in its object, its part of the block's head included.
fn stored_bytes(piece: &Piece) -> u64 {
    match &piece.source {
        Source::Stored(from) => piece.len * u64::from(from.block.stored_len) / u64::from(from.block.raw_len.max(1)),
        Source::Hole | Source::Inline(_) => 0,
    }
}

fn refers_to(piece: &Piece, object: ObjectId) -> bool {
    matches!(&piece.source, Source::Stored(from) if from.object == object)
}

fn chunk_range(chunk: u64, scale: &Scale) -> Range<u64> {
    let start = chunk.saturating_mul(scale.chunk_bytes);
    start..start.saturating_add(scale.chunk_bytes)
}

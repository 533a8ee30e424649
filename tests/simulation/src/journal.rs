//! A journal on a simulated disk: what no sync has covered may be gone after a crash.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, Sequence, content::Place, ownership::Start};
use dittofs_ports::{Appended, Journal, JournalError, JournalIdentity, JournalUsage, Record, Survives};
use parking_lot::Mutex;

use crate::{
    faults::Fault,
    life::{Life, Simulation},
};

/// The bytes that a record takes besides its data.
const RECORD_BYTES: u64 = 96;

/// The disk under the journal, which outlives all crashes.
pub(crate) struct JournalDisk {
    simulation: Arc<Simulation>,
    limit: u64,
    segment_bytes: u64,
    state: Mutex<Log>,
}

struct Log {
    identity: u128,
    incarnation: u64,
    start: Option<Start>,
    next: u64,
    records: BTreeMap<u64, Kept>,
    /// Everything up to this one survives a crash.
    durable: u64,
    /// Bytes that went into each segment. Those before the oldest record that nobody has given up can be used again.
    segments: BTreeMap<u64, u64>,
    failures: u64,
    stopped: bool,
    /// The records that failed syncs have lost.
    lost: BTreeMap<u64, NodeId>,
    /// How often records were lost while the server ran.
    losses: u64,
}

struct Kept {
    record: Record,
    segment: u64,
    released: bool,
}

impl Kept {
    fn cost(&self) -> u64 {
        self.record.data.len() as u64 + RECORD_BYTES
    }
}

impl Log {
    /// Bytes that can't be used for other records before something is released.
    fn used(&self) -> u64 {
        let oldest = self.records.values().find(|kept| !kept.released);
        oldest.map_or(0, |oldest| self.segments.range(oldest.segment..).map(|(_, bytes)| bytes).sum())
    }

    /// The segment that a record of some bytes goes into, which may begin with it.
    fn segment_for(&self, bytes: u64, segment_bytes: u64) -> u64 {
        match self.segments.last_key_value() {
            Some((segment, filled)) if filled + bytes <= segment_bytes => *segment,
            Some((segment, _)) => segment + 1,
            None => 1,
        }
    }
}

impl JournalDisk {
    /// A disk with an empty journal of at most `limit` bytes, in segments.
    pub(crate) fn new(
        simulation: &Arc<Simulation>,
        identity: u128,
        limit: u64,
        segment_bytes: u64,
    ) -> Arc<JournalDisk> {
        let state = Log {
            identity,
            incarnation: 0,
            start: None,
            next: 1,
            records: BTreeMap::new(),
            durable: 0,
            segments: BTreeMap::new(),
            failures: 0,
            stopped: false,
            lost: BTreeMap::new(),
            losses: 0,
        };
        Arc::new(JournalDisk { simulation: Arc::clone(simulation), limit, segment_bytes, state: Mutex::new(state) })
    }

    /// Leaves what a crash leaves: a beginning of the records that were not synced, and perhaps records whose release
    /// was not synced.
    pub(crate) fn crash(&self) {
        self.simulation.watch.lock().crash();
        let mut log = self.state.lock();
        let last = log.next - 1;
        let unsynced = last - log.durable;
        if unsynced > 0 {
            let kept = self.simulation.choose(|random| match random.below(4) {
                0 => 0,
                1 => unsynced,
                _ => random.below(unsynced + 1),
            });
            self.simulation.count(match kept {
                0 => Fault::UnsyncedVanished,
                kept if kept == unsynced => Fault::UnsyncedSurvived,
                _ => Fault::UnsyncedTorn,
            });
            let end = log.durable + kept;
            log.records.retain(|number, _| *number <= end);
        }
        for kept in log.records.values_mut().filter(|kept| kept.released) {
            kept.released = !self.simulation.happens(Fault::ReleasedCameBack);
        }
        log.records.retain(|_, kept| !kept.released);
        // The next life goes on in a new segment.
        if let Some((last, _)) = log.segments.last_key_value() {
            let next = last + 1;
            log.segments.insert(next, 0);
        }
        log.durable = last;
        (log.failures, log.stopped) = (0, false);
        log.lost.clear();
        self.simulation.note("journal left", log.records.len() as u64, unsynced);
    }

    /// Records that nobody has given up.
    pub(crate) fn unreleased(&self) -> usize {
        self.state.lock().records.values().filter(|kept| !kept.released).count()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    /// Whether what this life appended may be lost already.
    pub(crate) fn lost_in_this_life(&self) -> bool {
        !self.state.lock().lost.is_empty()
    }

    /// How often records were lost while the server ran.
    pub(crate) fn losses(&self) -> u64 {
        self.state.lock().losses
    }
}

/// The journal of one life.
pub(crate) struct SimulatedJournal {
    pub(crate) disk: Arc<JournalDisk>,
    pub(crate) life: Arc<Life>,
}

fn stopped() -> JournalError {
    JournalError::Unavailable("the simulated disk is broken".into())
}

fn sync_failed() -> JournalError {
    JournalError::SyncFailed("the simulated disk failed".into())
}

impl SimulatedJournal {
    fn part(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        let log = self.disk.state.lock();
        let kept = log.records.get(&place.segment).filter(|kept| !kept.released)?;
        let start = skip as usize;
        let end = start.checked_add(len as usize).filter(|end| *end <= kept.record.data.len())?;
        Some(kept.record.data.slice(start..end))
    }

    /// After a second failure nothing is taken any more.
    fn stop(&self) {
        let mut log = self.disk.state.lock();
        log.failures += 1;
        log.stopped = true;
        log.losses += 1;
    }

    /// After a failure what was not durable is written elsewhere, or is lost.
    fn fail_sync(&self, loses: bool) {
        let mut log = self.disk.state.lock();
        log.failures += 1;
        let (first, last) = (log.durable + 1, log.next - 1);
        let unsynced: Vec<u64> = log.records.range(first..).map(|(number, _)| *number).collect();
        let lost: Vec<u64> = unsynced
            .into_iter()
            .filter(|_| loses && self.disk.simulation.choose(|random| random.percent(30)))
            .collect();
        log.losses += u64::from(!lost.is_empty());
        self.disk.simulation.note("journal lost", lost.len() as u64, last);
        for number in lost {
            if let Some(kept) = log.records.remove(&number).filter(|kept| !kept.released) {
                log.lost.insert(number, kept.record.node);
            }
        }
        log.durable = last;
    }

    fn sync_answer(&self, up_to: u64, failures: u64) -> Option<Result<(), JournalError>> {
        let log = self.disk.state.lock();
        if log.failures != failures {
            return Some(Err(sync_failed()));
        }
        if log.durable >= up_to {
            return Some(Ok(()));
        }
        log.stopped.then(|| Err(stopped()))
    }
}

#[async_trait]
impl Journal for SimulatedJournal {
    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    fn identity(&self) -> JournalIdentity {
        let log = self.disk.state.lock();
        JournalIdentity { journal: log.identity, incarnation: log.incarnation, start: log.start }
    }

    async fn note_start(&self, start: Start) -> Result<(), JournalError> {
        self.life.pass(2).await;
        self.disk.state.lock().start = Some(start);
        self.life.step().await;
        Ok(())
    }

    async fn append(&self, record: Record) -> Result<Appended, JournalError> {
        self.life.step().await;
        let full = self.disk.simulation.happens(Fault::JournalFull);
        let appended = {
            let mut log = self.disk.state.lock();
            if log.stopped {
                return Err(stopped());
            }
            let copy_of = record.copy_of;
            let mut kept = Kept { record, segment: 0, released: false };
            if full || log.used() + kept.cost() > self.disk.limit {
                return Err(JournalError::Full);
            }
            kept.segment = log.segment_for(kept.cost(), self.disk.segment_bytes);
            let is_next = log.segments.last_key_value().is_some_and(|(last, _)| *last < kept.segment);
            *log.segments.entry(kept.segment).or_default() += kept.cost();
            let number = log.next;
            log.next += 1;
            self.disk.simulation.watch.lock().append(is_next);
            self.disk.simulation.note("append", number, kept.record.node.0);
            log.records.insert(number, kept);
            Appended { sequence: copy_of.unwrap_or(Sequence(number)), place: Place { segment: number, at: 0 } }
        };
        // A sync that nobody waits for.
        if self.disk.state.lock().failures == 0 && self.disk.simulation.happens(Fault::EarlySyncFailed) {
            self.fail_sync(true);
        }
        self.life.step().await;
        Ok(appended)
    }

    async fn sync(&self, up_to: Sequence) -> Result<(), JournalError> {
        // Of what there is now: what is appended later is not waited for.
        let (failures, up_to) = {
            let log = self.disk.state.lock();
            (log.failures, Sequence(up_to.0.min(log.next - 1)))
        };
        if let Some(answer) = self.sync_answer(up_to.0, failures) {
            return answer;
        }
        let (target, released): (u64, Vec<u64>) = {
            let log = self.disk.state.lock();
            let released = log.records.iter().filter(|(_, kept)| kept.released).map(|(number, _)| *number);
            (log.next - 1, released.collect())
        };
        self.life.pass(3).await;
        if let Some(answer) = self.sync_answer(up_to.0, failures) {
            return answer;
        }
        let simulation = &self.disk.simulation;
        let loses = failures == 0 && simulation.happens(Fault::SyncFailedLost);
        if failures > 0 && simulation.happens(Fault::JournalStopped) {
            self.stop();
        } else if loses || (failures == 0 && simulation.happens(Fault::SyncFailedMoved)) {
            self.fail_sync(loses);
        } else {
            let mut log = self.disk.state.lock();
            log.durable = log.durable.max(target);
            for number in released {
                log.records.remove(&number);
            }
            simulation.note("synced", target, up_to.0);
        }
        self.life.pass(1).await;
        self.sync_answer(up_to.0, failures).unwrap_or_else(|| Err(stopped()))
    }

    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        if self.life.is_dead() || self.disk.simulation.happens(Fault::JournalReadWaited) {
            return None;
        }
        self.part(place, skip, len)
    }

    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError> {
        self.life.pass(2).await;
        let part = self.part(place, skip, len);
        if part.is_none() {
            self.disk.simulation.note("journal read nothing", place.segment, u64::from(skip));
        }
        part.ok_or(JournalError::NotFound)
    }

    fn failures(&self) -> u64 {
        self.disk.state.lock().failures
    }

    fn lost(&self) -> Vec<(NodeId, Sequence)> {
        self.disk.state.lock().lost.iter().map(|(number, node)| (*node, Sequence(*number))).collect()
    }

    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        self.life.pass(5).await;
        let mut log = self.disk.state.lock();
        log.incarnation += 1;
        log.next = log.next.max(above.0 + 1);
        self.disk.simulation.note("recover", log.records.len() as u64, log.incarnation);
        let all = log.records.iter().map(|(number, kept)| {
            let sequence = kept.record.copy_of.unwrap_or(Sequence(*number));
            (Appended { sequence, place: Place { segment: *number, at: 0 } }, kept.record.clone())
        });
        let mut all: Vec<(Appended, Record)> = all.collect();
        all.sort_by_key(|(appended, _)| appended.sequence);
        Ok(all)
    }

    async fn release(&self, records: &[Appended]) -> Result<(), JournalError> {
        self.life.step().await;
        let mut log = self.disk.state.lock();
        let log = &mut *log;
        for record in records {
            if let Some(kept) = log.records.get_mut(&record.place.segment).filter(|kept| !kept.released) {
                kept.released = true;
            }
        }
        let first = records.first().map_or(0, |first| first.sequence.0);
        self.disk.simulation.note("release", records.len() as u64, first);
        Ok(())
    }

    fn usage(&self) -> JournalUsage {
        JournalUsage { used: self.disk.state.lock().used(), limit: self.disk.limit }
    }
}

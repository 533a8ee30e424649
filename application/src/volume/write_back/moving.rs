//! Records of files that are set aside, written again at the end of the journal. Those that are in no index, as their
//! files' own rows are damaged, are copied, and keep their numbers.

use dittofs_domain::{Node, NodeId, Sequence, plan::Query};
use dittofs_ports::{Appended, JournalError, Record, Survives};

use crate::volume::{
    node_locks::{NodeLock, NodeLocks},
    pending::{Moved, NodePending},
    write_back::{
        WriteBack,
        aside::{Failing, Filling, PART_FILLED, Unplaced},
    },
};

impl WriteBack {
    /// Takes the records of files that are set aside out of the journal's way. Nothing is flushed meanwhile.
    pub(in crate::volume) async fn move_aside(&self, locks: &NodeLocks) {
        if !self.aside.is_any() || self.journal.survives() == Survives::Nothing {
            return;
        }
        let filling = Filling {
            filled: self.nodes.pending().filled(),
            part: (self.journal.usage().limit / PART_FILLED).max(1),
            waits_behind: (!self.has_journal_room()).then(|| self.first_not_aside()),
            now: self.share.monotonic(),
        };
        let unplaced = self.aside.unplaced.lock().iter().map(|one| one.appended.place).min();
        if unplaced.is_some() && self.aside.unplaced_moved.lock().is_due(unplaced, &filling) {
            let done = self.copy_unplaced().await;
            self.aside.unplaced_moved.lock().note(&filling, done.is_ok());
            if let Err(error) = done {
                tracing::warn!(share = %self.share.name(), %error, "records that are set aside hold the journal");
            }
        }
        let due: Vec<NodeId> = {
            let files = self.aside.files.lock();
            let is_due = |(node, failing): &(&NodeId, &Failing)| {
                failing.is_aside() && failing.moved.is_due(self.nodes.pending().first_place(**node), &filling)
            };
            files.iter().filter(is_due).map(|(node, _)| *node).collect()
        };
        for node in due {
            let lock = locks.lock(node).await;
            let done = self.write_journal_again(&lock).await;
            drop(lock);
            if let Some(failing) = self.aside.files.lock().get_mut(&node) {
                failing.moved.note(&filling, done.is_ok());
            }
            if let Err(error) = done {
                tracing::warn!(share = %self.share.name(), %node, %error, "records that are set aside hold the journal");
            }
        }
    }

    /// Writes what the index has of a file to the journal's end, and gives the old records up. A crash in between
    /// leaves both, which have the same bytes.
    async fn write_journal_again(&self, lock: &NodeLock<'_>) -> Result<(), JournalError> {
        let node = lock.node();
        // Its own row may be what is damaged.
        let stored = match self.metadata.view(&Query::node(node)).await {
            Ok(view) => view.nodes.first().cloned(),
            Err(_) => None,
        };
        let Some(pending) = self.nodes.pending().find(node) else { return Ok(()) };
        // Nobody may know which bytes of it were removed: under new numbers they would count again.
        if pending.lock().is_uncertain {
            return Ok(());
        }
        let failures = self.journal.failures();
        let (slices, size, time) = {
            let pending = pending.lock();
            (pending.slices.iter().collect::<Vec<_>>(), pending.shown.size, shown_time(&pending, stored.as_deref()))
        };
        let mut moved = Vec::new();
        for slice in slices {
            let data = match self.journal.read(slice.place, slice.skip, slice.len).await {
                Ok(data) => data,
                Err(error) => return self.take_back(node, &moved, error).await,
            };
            let (offset, length) = (slice.offset, slice.len);
            let record = Record { node, offset, data, size, time, epoch: self.share.epoch(), copy_of: None };
            match self.journal.append(record).await {
                Ok(appended) => moved.push(Moved { offset, length, appended, credits: None }),
                Err(error) => return self.take_back(node, &moved, error).await,
            }
        }
        // The old ones may be durable, so the new ones must be before they are given up.
        let newest = moved.last().map_or(Sequence(0), |moved| moved.appended.sequence);
        if let Err(error) = self.sync_moved(newest, failures).await {
            return self.take_back(node, &moved, error).await;
        }
        let old = self.nodes.pending().moved_records(lock, moved, |bytes| self.admission.admit_recovered(bytes));
        self.release(old).await;
        Ok(())
    }

    /// Gives new records up that are not complete. The journal may bring them back all the same: what is removed from
    /// the file from now on must be excluded from them as well.
    async fn take_back(&self, node: NodeId, moved: &[Moved], error: JournalError) -> Result<(), JournalError> {
        let records: Vec<Appended> = moved.iter().map(|moved| moved.appended).collect();
        if let (Some(newest), Some(pending)) = (records.last(), self.nodes.pending().find(node)) {
            pending.lock().has_seen(newest.sequence);
        }
        self.release(records).await;
        Err(error)
    }

    /// Copies the records that are in no index to the journal's end. A crash in between leaves records and copies, which
    /// have the same numbers and bytes.
    async fn copy_unplaced(&self) -> Result<(), JournalError> {
        let failures = self.journal.failures();
        let unplaced = self.aside.unplaced.lock().clone();
        let mut again = Vec::with_capacity(unplaced.len());
        let written = self.append_copies(&unplaced, &mut again, failures).await;
        let given_up = match written {
            Ok(()) => {
                *self.aside.unplaced.lock() = again;
                unplaced
            }
            Err(_) => again,
        };
        self.release(given_up.into_iter().map(|one| one.appended).collect()).await;
        written
    }

    async fn append_copies(
        &self,
        unplaced: &[Unplaced],
        again: &mut Vec<Unplaced>,
        failures: u64,
    ) -> Result<(), JournalError> {
        for Unplaced { appended, length, record } in unplaced {
            let data = self.journal.read(appended.place, 0, *length).await?;
            let copy = Record { data, copy_of: Some(appended.sequence), ..record.clone() };
            let appended = self.journal.append(copy).await?;
            again.push(Unplaced { appended, length: *length, record: record.clone() });
        }
        // Their numbers are durable already, those of the first ones.
        self.sync_moved(Sequence(u64::MAX >> 1), failures).await
    }

    /// Makes records durable before which so many syncs had failed. One that has failed since may have lost some of them,
    /// though a later one succeeds: the old ones must not be given up for them.
    async fn sync_moved(&self, up_to: Sequence, failures: u64) -> Result<(), JournalError> {
        self.journal.sync(up_to).await?;
        if self.journal.failures() == failures {
            return Ok(());
        }
        Err(JournalError::SyncFailed("a sync failed while records were written again".into()))
    }
}

/// The time that a replay of the file's records must show.
fn shown_time(pending: &NodePending, stored: Option<&Node>) -> dittofs_domain::Timestamp {
    match (pending.shown.times, pending.shown.shown, stored) {
        (Some((time, _)), ..) => time,
        // A client has set another one since.
        (None, _, Some(stored)) => stored.mtime,
        (None, shown, None) => shown.map(|(_, time)| time).unwrap_or_default(),
    }
}

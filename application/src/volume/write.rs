//! Writing: a record in the journal and an entry in the index, no transaction.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    Node, NodeId,
    access::NodeSecurity,
    content::FILE_BYTES_MAX,
    error::{FsError, FsResult},
    namespace::{Context, clear_privileges},
    plan::{Plan, Query},
};
use dittofs_ports::{Caller, Changed, JournalError, Record, Stability, WriteReply};
use futures_util::{FutureExt, select_biased};

use super::{
    Volume,
    ledger::Claim,
    opens::{Admitted, writable},
    pending::Written,
    weak,
};
use crate::{admission::Credits, keyed::KeyGuard};

/// A write that a client asks for.
struct Asked<'a> {
    caller: &'a Caller,
    node: NodeId,
    offset: u64,
    data: &'a Bytes,
    stability: Stability,
    /// What of it lies behind the end of the file is left out.
    within: bool,
}

impl Volume {
    pub(crate) async fn write(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply> {
        self.demand_writable()?;
        let length = u32::try_from(data.len()).map_err(|_| FsError::TooLarge)?;
        if offset.checked_add(u64::from(length)).is_none_or(|end| end > FILE_BYTES_MAX) {
            return Err(FsError::TooLarge);
        }
        self.write_asked(&Asked { caller, node, offset, data: &data, stability, within: false }).await
    }

    /// Writes zeros over what the file has of a range, durably: for a punch that would leave too many extents.
    pub(super) async fn write_zeros(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<WriteReply> {
        let length = range.end.saturating_sub(range.start).min(self.scale().page());
        let data = Bytes::from(vec![0; length as usize]);
        let stability = Stability::File;
        self.write_asked(&Asked { caller, node, offset: range.start, data: &data, stability, within: true }).await
    }

    async fn write_asked(&self, asked: &Asked<'_>) -> FsResult<WriteReply> {
        let data = asked.data;
        let until = self.machine.clock.monotonic() + self.admission.patience();
        loop {
            if !data.is_empty() {
                self.demand_room()?;
            }
            let room = self.room.notified();
            // Before the turn: a flush, which makes room, takes it.
            let credits = self.admission.admit(data.len(), &*self.machine.clock).await;
            let credits = credits.map_err(|error| self.waited_in_vain(error))?;
            if let Some(reply) = self.try_write(asked, credits).await? {
                return Ok(reply);
            }
            self.wait_for_room(room, until).await?;
        }
    }

    /// Waits until the journal has given something up: what is dead in it counts there, but not for the admission.
    pub(super) async fn wait_for_room(&self, room: impl Future<Output = ()>, until: Duration) -> FsResult<()> {
        self.admission.hurry();
        self.admission.delayed.count();
        let left = until.saturating_sub(self.machine.clock.monotonic());
        let room = room.fuse();
        futures_util::pin_mut!(room);
        let mut timeout = self.machine.clock.sleep(left).fuse();
        select_biased! {
            () = room => Ok(()),
            () = timeout => {
                self.admission.refused.count();
                Err(self.waited_in_vain(FsError::Busy))
            }
        }
    }

    /// One attempt; none if the journal is full, or the quota may have room once something is flushed.
    async fn try_write(&self, asked: &Asked<'_>, credits: Credits) -> FsResult<Option<WriteReply>> {
        let Asked { caller, node, offset, data, stability, within } = *asked;
        let Admitted { turn, access } = self.turn_to_write(caller, node, offset, data.len() as u32).await?;
        let view = self.view(&Query::node(node)).await?;
        let mut stored = std::sync::Arc::clone(self.live(&view, node)?);
        self.demand_not_aside(node)?;
        if !self.has_journal_room() {
            return Ok(None);
        }
        let security = NodeSecurity::from(&*stored);
        writable(&stored, caller, access)?;
        let shown = self.overlay_in_turn(&turn, &stored);
        let before = weak(&shown);
        let most = if within { shown.size.saturating_sub(offset) } else { u64::MAX };
        let data = data.slice(..data.len().min(usize::try_from(most).unwrap_or(usize::MAX)));
        let length = data.len() as u32;
        if length == 0 {
            let file = Changed { before: Some(before), after: self.overlay_in_turn(&turn, &stored) };
            return Ok(Some(WriteReply { count: 0, stability, verifier: self.write_verifier(), file }));
        }
        let Some(claim) = self.claim_write(&stored, offset, length).await? else { return Ok(None) };
        if clear_privileges::needed(&security, &caller.credentials) {
            stored = self.clear_privileges(caller, node).await?;
        }
        // Before the append: if a sync fails in between, these bytes may be lost, and the client must see it.
        let verifier = self.write_verifier();
        let Some(sequence) = self.append(&turn, &stored, offset, data, (credits, claim)).await? else {
            return Ok(None);
        };
        let file = Changed { before: Some(before), after: self.overlay_in_turn(&turn, &stored) };
        drop(turn);
        if stability != Stability::Unstable {
            self.make_durable(node, sequence).await?;
        }
        Ok(Some(WriteReply { count: length, stability, verifier, file }))
    }

    /// Journals a write and puts it into the index; none if the journal is full.
    async fn append(
        &self,
        turn: &KeyGuard<'_, NodeId>,
        stored: &Node,
        offset: u64,
        data: Bytes,
        (credits, claim): (Credits, Claim),
    ) -> FsResult<Option<dittofs_domain::Sequence>> {
        let length = data.len() as u32;
        let stamp = self.stamp().await?;
        let time = self.pending.next_time(stored, self.now());
        let size = self.overlay_in_turn(turn, stored).size.max(offset + u64::from(length));
        let record = Record { node: stored.id, offset, data, size, time, epoch: self.epoch, copy_of: None };
        let appended = match self.stores.journal.append(record).await {
            Ok(appended) => appended,
            Err(JournalError::Full) => return Ok(None),
            Err(JournalError::DiskFull) => {
                self.full.set_journal(true);
                // Only what a flush gives back makes room.
                return if self.pending.bytes() > 0 { Ok(None) } else { Err(FsError::NoSpace) };
            }
            Err(error) => return Err(self.journal_failed(&error)),
        };
        self.full.set_journal(false);
        let at = self.machine.clock.monotonic();
        self.pending.write(stored, Written { offset, length, appended, credits, claim, time, stamp, at });
        Ok(Some(appended.sequence))
    }

    /// Clears SUID and SGID as a write by this caller must, before it is answered.
    async fn clear_privileges(&self, caller: &Caller, node: NodeId) -> FsResult<std::sync::Arc<Node>> {
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let pending = self.pending.snapshot(node);
        let settled = self
            .settle(clear_privileges::query(node), None, |view| {
                let decision = clear_privileges::decide(view, node, pending.as_ref(), &context)?;
                Ok((decision.map_or_else(Plan::default, |decision| decision.plan), ()))
            })
            .await?;
        match settled.applied.node(node).and_then(|touched| touched.after.clone()) {
            Some(after) => Ok(after),
            None => Ok(std::sync::Arc::clone(settled.seen.node(node)?)),
        }
    }

    /// Logs why the journal failed, renews the verifier where bytes may be lost, and says what the client gets.
    pub(super) fn journal_failed(&self, error: &JournalError) -> FsError {
        match error {
            JournalError::Full => FsError::Busy,
            JournalError::DiskFull => FsError::NoSpace,
            JournalError::NotFound | JournalError::Corrupt(_) => {
                tracing::error!(share = %self.name, %error, "journal is damaged");
                FsError::Io
            }
            JournalError::SyncFailed(_) | JournalError::Unavailable(_) => {
                tracing::error!(share = %self.name, %error, "journal failed");
                self.renew_verifier();
                FsError::Io
            }
        }
    }
}

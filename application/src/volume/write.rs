//! Writing: a record in the journal and an entry in the index, no transaction.

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

use super::{
    Volume,
    opens::{Admitted, writable},
    pending::Written,
};
use crate::admission::Credits;

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
        // Before the turn: a flush, which makes room, takes it.
        let credits = self.admission.admit(data.len(), &*self.machine.clock).await?;
        let Admitted { turn, access } = self.turn_to_write(caller, node, offset, length).await?;
        let view = self.view(&Query::node(node)).await?;
        let mut stored = std::sync::Arc::clone(self.live(&view, node)?);
        let security = NodeSecurity::from(&*stored);
        writable(&stored, caller, access)?;
        let before = self.weak(&stored);
        if length == 0 {
            let file = Changed { before: Some(before), after: self.overlay(&stored) };
            return Ok(WriteReply { count: 0, stability, verifier: self.write_verifier(), file });
        }
        self.demand_space(u64::from(length))?;
        if clear_privileges::needed(&security, &caller.credentials) {
            stored = self.clear_privileges(caller, node).await?;
        }
        // Before the append: if a sync fails in between, these bytes may be lost, and the client must see it.
        let verifier = self.write_verifier();
        let sequence = self.append(&stored, offset, data, credits).await?;
        let file = Changed { before: Some(before), after: self.overlay(&stored) };
        drop(turn);
        if stability != Stability::Unstable {
            self.make_durable(node, sequence).await?;
        }
        Ok(WriteReply { count: length, stability, verifier, file })
    }

    /// Journals a write and puts it into the index. The caller holds the node's turn.
    async fn append(
        &self,
        stored: &Node,
        offset: u64,
        data: Bytes,
        credits: Credits,
    ) -> FsResult<dittofs_domain::Sequence> {
        let length = data.len() as u32;
        let stamp = self.stamp().await?;
        let time = self.now();
        let size = self.overlay(stored).size.max(offset + u64::from(length));
        let record = Record { node: stored.id, offset, data, size, time, epoch: self.epoch };
        let appended = self.stores.journal.append(record).await.map_err(|error| self.journal_failed(&error))?;
        let at = self.machine.clock.monotonic();
        self.pending.write(stored, Written { offset, length, appended, credits, time, stamp, at });
        Ok(appended.sequence)
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
            None => Ok(std::sync::Arc::clone(settled.view.node(node)?)),
        }
    }

    /// Logs why the journal failed, renews the verifier where bytes may be lost, and says what the client gets.
    pub(super) fn journal_failed(&self, error: &JournalError) -> FsError {
        match error {
            JournalError::Full => FsError::Busy,
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

//! Writing: a record in the journal and an entry in the index, no transaction.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{
    Node, NodeId,
    access::NodeSecurity,
    content::FILE_BYTES_MAX,
    error::{FsError, FsResult},
    namespace::{Context, clear_privileges},
    plan::{Plan, Query},
};
use dittofs_ports::{Caller, Changed, CommitReply, Stability, WriteReply};

use crate::{
    admission::Credits,
    volume::{
        files::Files,
        nodes::weak,
        open_table::{Admitted, writable},
    },
};

/// A write that a client asks for.
struct Asked<'a> {
    caller: &'a Caller,
    node: NodeId,
    offset: u64,
    data: &'a Bytes,
    stability: Stability,
    /// Leaves out the bytes of the write that lie behind the end of the file.
    within: bool,
}

impl Files {
    pub(crate) async fn commit(&self, caller: &Caller, node: NodeId) -> FsResult<CommitReply> {
        self.share.demand_writable()?;
        let seen = self.nodes.view(&Query::node(node)).await?;
        let stored = self.nodes.live(&seen, node)?;
        writable(stored, caller, self.opens.access_of(caller, node).await?)?;
        let before = self.nodes.weak_at(seen.version, stored);
        let newest = self.nodes.pending().find(node).and_then(|pending| pending.lock().newest());
        if let Some(sequence) = newest {
            self.commits.make_durable(node, sequence).await?;
        }
        let verifier = self.write_back.write_verifier();
        // Meanwhile a flush may have published what was unflushed.
        let file = Changed { before, after: self.nodes.attributes(node).await? };
        Ok(CommitReply { verifier, file })
    }

    pub(crate) async fn write(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply> {
        self.share.demand_writable()?;
        let length = u32::try_from(data.len()).map_err(|_| FsError::TooLarge)?;
        if offset.checked_add(u64::from(length)).is_none_or(|end| end > FILE_BYTES_MAX) {
            return Err(FsError::TooLarge);
        }
        self.write_asked(&Asked { caller, node, offset, data: &data, stability, within: false }).await
    }

    /// Writes zeros over what the file has of a range, durably: for a punch that would leave too many extents.
    pub(super) async fn write_zeros(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<WriteReply> {
        let length = range.end.saturating_sub(range.start).min(self.share.scale().page());
        let data = Bytes::from(vec![0; length as usize]);
        let stability = Stability::File;
        self.write_asked(&Asked { caller, node, offset: range.start, data: &data, stability, within: true }).await
    }

    async fn write_asked(&self, asked: &Asked<'_>) -> FsResult<WriteReply> {
        let data = asked.data;
        let until = self.share.monotonic() + self.write_back.admission().patience();
        loop {
            if !data.is_empty() {
                self.write_back.demand_room()?;
            }
            let room = self.write_back.room();
            // Before the lock: a flush, which makes room, takes it.
            let credits = self.write_back.admission().admit(data.len(), self.share.clock()).await;
            let credits = credits.map_err(|error| self.write_back.waited_in_vain(error))?;
            if let Some(reply) = self.try_write(asked, credits).await? {
                return Ok(reply);
            }
            self.write_back.wait_for_room(room, until).await?;
        }
    }

    /// One attempt; none if the journal is full, or the quota may have room once something is flushed.
    async fn try_write(&self, asked: &Asked<'_>, credits: Credits) -> FsResult<Option<WriteReply>> {
        let Asked { caller, node, offset, data, stability, within } = *asked;
        let Admitted { lock, access } = self.opens.lock_to_write(caller, node, offset, data.len() as u32).await?;
        let view = self.nodes.view(&Query::node(node)).await?;
        let mut stored = std::sync::Arc::clone(self.nodes.live(&view, node)?);
        self.write_back.demand_not_aside(node)?;
        if !self.write_back.has_journal_room() {
            return Ok(None);
        }
        let security = NodeSecurity::from(&*stored);
        writable(&stored, caller, access)?;
        let shown = self.nodes.overlay_locked(&lock, &stored);
        let before = weak(&shown);
        let most = if within { shown.size.saturating_sub(offset) } else { u64::MAX };
        let data = data.slice(..data.len().min(usize::try_from(most).unwrap_or(usize::MAX)));
        let length = data.len() as u32;
        if length == 0 {
            let file = Changed { before: Some(before), after: self.nodes.overlay_locked(&lock, &stored) };
            return Ok(Some(WriteReply { count: 0, stability, verifier: self.write_back.write_verifier(), file }));
        }
        let Some(claim) = self.plans.claim_write(&stored, offset, length).await? else { return Ok(None) };
        if clear_privileges::needed(&security, &caller.credentials) {
            stored = self.clear_privileges(caller, node).await?;
        }
        // Before the append: if a sync fails in between, these bytes may be lost, and the client must see it.
        let verifier = self.write_back.write_verifier();
        let Some(sequence) = self.write_back.append(&lock, &stored, offset, data, (credits, claim)).await? else {
            return Ok(None);
        };
        let file = Changed { before: Some(before), after: self.nodes.overlay_locked(&lock, &stored) };
        drop(lock);
        self.plans.watches().tell_written(caller, &stored, file.after.size != shown.size).await;
        if stability != Stability::Unstable {
            self.commits.make_durable(node, sequence).await?;
        }
        Ok(Some(WriteReply { count: length, stability, verifier, file }))
    }

    /// Clears SUID and SGID as a write by this caller must, before it is answered.
    async fn clear_privileges(&self, caller: &Caller, node: NodeId) -> FsResult<std::sync::Arc<Node>> {
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let pending = self.nodes.pending().snapshot(node);
        let outcome = self
            .plans
            .of(caller)
            .run(clear_privileges::query(node), |view| {
                let decision = clear_privileges::decide(view, node, pending.as_ref(), &context)?;
                Ok((decision.map_or_else(Plan::default, |decision| decision.plan), ()))
            })
            .await?;
        match outcome.applied.node(node).and_then(|touched| touched.after.clone()) {
            Some(after) => Ok(after),
            None => Ok(std::sync::Arc::clone(outcome.seen.node(node)?)),
        }
    }
}

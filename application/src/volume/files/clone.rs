//! Cloning: a file gets extents of another one, or of itself. No byte is read.

use std::ops::Range;

use dittofs_domain::{
    Node, NodeId,
    content::{
        FILE_BYTES_MAX,
        map::{self, Facts, Piece},
    },
    error::{FsError, FsResult},
    plan::Query,
};
use dittofs_ports::{Caller, Changed, CloneRange, Stability, WeakAttributes};

use crate::volume::{
    files::{
        Files,
        replace::{Replacing, Step},
    },
    ledger::Claim,
    open_table::{CloneLocks, readable},
};

/// How often the source is flushed because it was written to meanwhile. A source that is written to without a pause
/// can't be cloned as of one instant.
const FLUSHES_MAX: u32 = 8;

/// How far a clone got under one lock of its files.
enum Cloned {
    Done(Changed),
    /// The source has unflushed bytes in the range.
    Unflushed,
    /// So many bytes must be copied, as a page of the destination would get too many extents.
    Crowded(u64),
}

/// The rest of a clone: what is left to do.
struct Rest<'a> {
    writer: &'a Caller,
    reader: Caller,
    source: NodeId,
    destination: NodeId,
    offset: u64,
    at: u64,
    /// None: to the end of the source.
    length: Option<u64>,
    /// The destination before anything was done.
    before: Option<WeakAttributes>,
}

impl Rest<'_> {
    fn go_on(&mut self, bytes: u64) {
        self.offset += bytes;
        self.at += bytes;
        self.length = self.length.map(|length| length.saturating_sub(bytes));
    }

    /// The range from an offset on; to the end, where the length is not known.
    fn from(&self, offset: u64) -> Range<u64> {
        offset..self.length.map_or(u64::MAX, |length| offset.saturating_add(length))
    }
}

impl Files {
    /// Gives a file a range of another one, or of itself.
    pub(crate) async fn clone_range(&self, caller: &Caller, request: &CloneRange) -> FsResult<Changed> {
        self.share.demand_writable()?;
        self.write_back.demand_room()?;
        let mut rest = Rest {
            writer: caller,
            reader: Caller { opener: request.source_opener, ..caller.clone() },
            source: request.source,
            destination: request.destination,
            offset: request.offset,
            at: request.at,
            length: (request.length > 0).then_some(request.length),
            before: None,
        };
        let mut flushes = 0;
        loop {
            self.limit_replay_exclusions(rest.destination).await?;
            match self.clone_locked(&mut rest).await? {
                Cloned::Done(changed) => return Ok(changed),
                Cloned::Unflushed if flushes == FLUSHES_MAX => return Err(FsError::Busy),
                Cloned::Unflushed => {
                    flushes += 1;
                    self.flusher.flush(vec![rest.source]).await?;
                }
                Cloned::Crowded(bytes) => {
                    self.copy_bytes(&rest, bytes).await?;
                    rest.go_on(bytes);
                }
            }
        }
    }

    async fn clone_locked(&self, rest: &mut Rest<'_>) -> FsResult<Cloned> {
        let read = (&rest.reader, rest.source, rest.from(rest.offset));
        let written = (rest.writer, rest.destination, rest.from(rest.at));
        let locks = self.opens.lock_to_clone(read, written).await?;
        let _cloning = self.garbage.clone_blocks().await;
        let (_, before) = self.shown_to_writer(rest.writer, &locks.admitted).await?;
        let before = *rest.before.get_or_insert(before);
        // Held until its extents are installed.
        let (length, _claim) = self.length_of(rest, &locks).await?;
        rest.length = Some(length);
        if length > 0 {
            // First, as a sync that fails takes records away: older ones may count again.
            self.store_size(&locks.admitted.lock).await?;
            if self.nodes.pending().has_slices(rest.source, rest.from(rest.offset)) {
                return Ok(Cloned::Unflushed);
            }
            if let Some(bytes) = self.clone_extents(rest, &locks).await? {
                return Ok(Cloned::Crowded(bytes));
            }
        }
        Ok(Cloned::Done(self.nodes.changed_since(&locks.admitted.lock, before).await?))
    }

    /// How many bytes are to be cloned, if that may be.
    async fn length_of(&self, rest: &Rest<'_>, locks: &CloneLocks<'_>) -> FsResult<(u64, Claim)> {
        let source = self.source(rest, locks).await?;
        let pending = self.nodes.pending().snapshot(rest.source);
        let size = pending.map_or(source.size, |pending| pending.size);
        let left = size.checked_sub(rest.offset).ok_or(FsError::Invalid)?;
        let length = rest.length.unwrap_or(left);
        let end = rest.at.checked_add(length).filter(|end| *end <= FILE_BYTES_MAX).ok_or(FsError::TooLarge)?;
        let overlaps = rest.offset < end && rest.at < rest.offset.saturating_add(length);
        if length > left || rest.source == rest.destination && overlaps {
            return Err(FsError::Invalid);
        }
        let claim = self.claim_clone(rest, length, source.allocated).await?;
        Ok((length, claim))
    }

    /// Claims the growth of a clone: no more than the source has, and less where the destination has bytes already.
    async fn claim_clone(&self, rest: &Rest<'_>, length: u64, allocated: u64) -> FsResult<Claim> {
        let most = length.min(allocated);
        match self.plans.claim_now(most) {
            Ok(claim) => return Ok(claim),
            Err(error) if length > self.share.scale().chunk_bytes => return Err(error),
            Err(_) => {}
        }
        let view = self.nodes.view(&Query::node(rest.destination)).await?;
        let stored = self.nodes.live(&view, rest.destination)?;
        let holes = self.plans.growth(stored, rest.at..rest.at + length).await?;
        self.plans.claim_now(most.min(holes))
    }

    async fn source(&self, rest: &Rest<'_>, locks: &CloneLocks<'_>) -> FsResult<Node> {
        let view = self.nodes.view(&Query::node(rest.source)).await?;
        let source = self.nodes.live(&view, rest.source)?;
        readable(source, &rest.reader, locks.read_access)?;
        Ok(Node::clone(source))
    }

    /// Clones what is left, in one plan if it fits; answers how many bytes must be copied before it can go on.
    async fn clone_extents(&self, rest: &mut Rest<'_>, locks: &CloneLocks<'_>) -> FsResult<Option<u64>> {
        let mut replacing = Replacing::by(rest.writer, &locks.admitted, rest.at);
        while rest.length.is_some_and(|length| length > 0) {
            let (facts, pieces) = self.pieces_to_clone(rest).await?;
            replacing.source = Some((facts.node, facts.content_version));
            match self.replace_some(&replacing, &pieces).await? {
                Step::Done(end) => rest.go_on(end - rest.at),
                Step::Crowded(end) => return Ok(Some(end - rest.at)),
            }
        }
        Ok(None)
    }

    /// The first of what is left, with what is known of the source then: nothing of it moves under its lock.
    async fn pieces_to_clone(&self, rest: &Rest<'_>) -> FsResult<(Facts, Vec<Piece>)> {
        let range = rest.from(rest.offset);
        let query =
            Query { map: Some(map::clone_query(rest.source, &range, self.share.scale())), ..Query::node(rest.source) };
        let view = self.nodes.view(&query).await?;
        let facts = self.share.facts(self.nodes.live(&view, rest.source)?);
        let pieces = map::clone_pieces(&view.map, &facts, range, rest.at);
        Ok((facts, pieces.map_err(|error| self.share.map_failed(rest.source, &error))?))
    }

    /// Copies bytes by reading and writing them: at most a page.
    async fn copy_bytes(&self, rest: &Rest<'_>, bytes: u64) -> FsResult<()> {
        let length = bytes.min(self.share.scale().page()) as u32;
        let read = self.read(&rest.reader, rest.source, rest.offset, length).await?;
        let data = read.data.concat();
        if data.len() as u64 != bytes {
            // Truncated meanwhile.
            return Err(FsError::Invalid);
        }
        self.write(rest.writer, rest.destination, rest.at, data.into(), Stability::File).await?;
        Ok(())
    }
}

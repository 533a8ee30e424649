//! Bytes: each object that files use is read once from its begin to its end, and what files use of it is verified.

use std::{cell::RefCell, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    NodeId, ObjectId, Tree,
    backup::PINS,
    check::{BlockUses, Damage, DamagedBlock, Finding, UsedBlock, damaged_ranges, verify_block},
    content::{
        block::{BlockError, FrameSeal},
        map::Facts,
    },
    error::FsResult,
    plan::{MapQuery, ObjectState, Query, Reference, View},
};
use dittofs_ports::{CheckPhase, ContentError, SealError};

use super::{Checker, PAGE, Subject, content_failed};
use crate::volume::breathe::breathe;

/// How often a content store is asked that does not answer. The store has tried again by itself each time. A store that
/// is away for longer is reported.
const TRIES_MAX: u32 = 3;
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

impl Checker<'_> {
    /// Reads the objects that files use: all of them, or those that the listing showed to be missing or short.
    pub(super) async fn examine_content(&mut self) -> FsResult<()> {
        let is_due = |facts: &&dittofs_domain::check::ObjectFacts| {
            let is_damaged = facts.state == ObjectState::Live && !facts.is_whole();
            facts.is_referenced && (self.options.content || is_damaged)
        };
        let due: Vec<(ObjectId, u64)> =
            self.objects.iter().filter(is_due).map(|facts| (facts.id, facts.bytes)).collect();
        let of: u64 = due.iter().map(|(_, bytes)| *bytes).sum();
        let mut done = 0u64;
        for (object, bytes) in due {
            self.progress(CheckPhase::Content, done, of);
            self.examine(object).await?;
            done = done.saturating_add(bytes);
        }
        self.progress(CheckPhase::Content, done, of);
        Ok(())
    }

    async fn examine(&mut self, object: ObjectId) -> FsResult<()> {
        let scale = self.subject.record.scale;
        let mut uses = BlockUses::default();
        self.subject
            .for_each_use(object, |view, node| {
                if let Ok(node) = view.node(node) {
                    uses.add(&Facts::of(node, &scale), &view.map.rows, object);
                }
            })
            .await?;
        if self.options.content {
            for (key_id, bytes) in uses.bytes_by_key() {
                let under = self.outcome.keys.entry(key_id).or_default();
                under.objects += 1;
                under.bytes = under.bytes.saturating_add(bytes);
            }
        }
        let mut damaged = Vec::new();
        for window in uses.windows() {
            self.verify(object, &window, &mut damaged).await?;
            breathe().await;
        }
        if damaged.is_empty() {
            return Ok(());
        }
        // Who uses it now: what was deleted meanwhile is used by nobody.
        let mut findings = Vec::new();
        self.subject
            .for_each_use(object, |view, node| {
                let Ok(stored) = view.node(node) else { return };
                for (range, damage) in damaged_ranges(&Facts::of(stored, &scale), &view.map.rows, object, &damaged) {
                    findings.push(Finding::Damaged { node, range, object, damage });
                }
            })
            .await?;
        for finding in findings {
            self.outcome.find(finding);
        }
        Ok(())
    }

    async fn verify(
        &mut self,
        object: ObjectId,
        window: &[UsedBlock],
        damaged: &mut Vec<DamagedBlock>,
    ) -> FsResult<()> {
        if let [block] = window
            && !block.is_possible()
        {
            damaged.push(block.lost(Damage::Block(BlockError::Field("stored length"))));
            return Ok(());
        }
        let span = UsedBlock::span(window);
        match self.subject.read(object, span.clone()).await? {
            Ok(bytes) => {
                self.outcome.verified_bytes += span.end - span.start;
                let sealer = &self.subject.sealer;
                let keys = RefCell::new(&mut self.outcome.keys);
                // A key that is missing, or another one of the same number, damages nothing.
                let opens = |seal: &FrameSeal, stored: &[u8]| match sealer.open(seal, stored) {
                    Ok(_) | Err(SealError::Unknown { .. }) => true,
                    Err(SealError::Wrong { key_id, .. }) => {
                        keys.borrow_mut().entry(key_id).or_default().unopened += 1;
                        true
                    }
                    Err(SealError::Damaged) => false,
                };
                for block in window {
                    let at = (block.place.at - span.start) as usize;
                    let stored = bytes.get(at..at + block.place.stored_len as usize).unwrap_or_default();
                    damaged.extend(verify_block(object, block, stored, opens).err());
                }
            }
            Err(damage) => match window {
                [block] => damaged.push(block.lost(damage)),
                // One of them: the others may be whole.
                blocks => {
                    for block in blocks {
                        Box::pin(self.verify(object, std::slice::from_ref(block), damaged)).await?;
                    }
                }
            },
        }
        Ok(())
    }
}

impl Subject<'_> {
    /// Shows each chunk that refers to an object, with its file and rows as of one instant.
    pub(super) async fn for_each_use(
        &self,
        object: ObjectId,
        mut look: impl FnMut(&View, NodeId) + Send,
    ) -> FsResult<()> {
        let chunk_pages = self.record.scale.chunk_pages();
        // Backups come first, and have no maps.
        let mut after = Reference { object, node: PINS, chunk: u64::MAX, until: Tree::MAX };
        loop {
            let page = self.references_after(Some(after), PAGE).await?;
            let living = |reference: &&Reference| reference.until == Tree::LIVE;
            for reference in page.iter().take_while(|reference| reference.object == object).filter(living) {
                let Reference { node, chunk, .. } = *reference;
                let first_page = chunk.saturating_mul(chunk_pages);
                let last_page = first_page.saturating_add(chunk_pages - 1);
                let map = MapQuery { node, first_page, last_page, rows_max: chunk_pages as usize + 1 };
                if let Some(view) = self.try_view(&Query { map: Some(map), ..Query::node(node) }).await? {
                    look(&view, node);
                }
            }
            match page.last() {
                Some(last) if last.object == object && page.len() == PAGE => after = *last,
                _ => return Ok(()),
            }
            breathe().await;
        }
    }

    pub(super) async fn read(&self, object: ObjectId, span: std::ops::Range<u64>) -> FsResult<Result<Bytes, Damage>> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.content.get(self.share(), object, span.clone()).await {
                Ok(parts) => return Ok(Ok(joined(parts))),
                Err(ContentError::NotFound) => return Ok(Err(Damage::Missing)),
                Err(ContentError::Unavailable(_)) if tries < TRIES_MAX => self.clock.sleep(PAUSE).await,
                Err(error @ ContentError::Unavailable(_)) => return Err(content_failed(&error)),
                Err(ContentError::Exists | ContentError::Full | ContentError::Corrupt(_)) => {
                    return Ok(Err(Damage::Unreadable));
                }
            }
        }
    }
}

fn joined(parts: Vec<Bytes>) -> Bytes {
    match parts.as_slice() {
        [part] => part.clone(),
        parts => parts.concat().into(),
    }
}

//! References, against those that the rows of maps are reason for.
//!
//! Of each node only a sum is kept, of one side's digests less the other's: it is 0 where both are the same. Only nodes
//! with another sum are looked at one by one.

use std::collections::{BTreeSet, HashMap};

use dittofs_domain::{
    NodeId, ObjectId, Tree,
    backup::{BackupId, PINS},
    check::{Finding, map_from, reference_digest, references_in},
    error::FsResult,
    plan::{ObjectState, Query, Reference, View},
};
use dittofs_ports::CheckPhase;

use super::{CANDIDATES_MAX, Checker, PAGE, Subject, damaged::NodeRow, metadata_failed};
use crate::volume::{breathe::breathe, scan::pages_in};

/// References of suspicious nodes that are kept at a time.
const KEPT_MAX: usize = 1 << 19;

impl Checker<'_> {
    pub(super) async fn scan_references(&mut self) -> FsResult<()> {
        let (mut strays, mut after, mut done) = (Vec::new(), None, 0);
        loop {
            let page = self.subject.references_after(after, PAGE).await?;
            for reference in &page {
                let Reference { object, node, chunk, until } = *reference;
                if let Some(facts) = self.objects.find_mut(object) {
                    facts.is_referenced = true;
                }
                if until != Tree::LIVE {
                    // Maps of the living tree say nothing of it.
                    continue;
                }
                if node == PINS && self.is_of_backup(chunk) {
                    continue;
                }
                match self.nodes.find_mut(node) {
                    Some(facts) => {
                        facts.references = facts.references.wrapping_sub(reference_digest(object, node, chunk));
                    }
                    None => self.outcome.add_candidate(&mut strays, *reference),
                }
            }
            done += page.len() as u64;
            self.progress(CheckPhase::References, done, 0);
            after = page.last().copied();
            if page.len() < PAGE {
                break;
            }
            breathe().await;
        }
        for stray in strays {
            self.follow_stray(stray).await?;
        }
        self.follow_sums().await?;
        self.find_unused().await
    }

    /// Whether a chunk is the number of a backup that the share's row names.
    fn is_of_backup(&self, chunk: u64) -> bool {
        BackupId::stored(chunk).is_some_and(|backup| self.backups.contains(&backup))
    }

    /// A reference of a node that was not there when the nodes were read. Ids are never used again, so a node that is
    /// not there now, and was once referred to, does not come.
    async fn follow_stray(&mut self, stray: Reference) -> FsResult<()> {
        let Reference { object, node, chunk, .. } = stray;
        if node == PINS {
            // One may have begun since.
            let record = self.subject.metadata.record().await.map_err(|error| metadata_failed(&error))?;
            self.backups = record.backups.into_keys().collect();
        }
        let is_right = match node {
            PINS => self.is_of_backup(chunk),
            _ => !matches!(self.subject.node(node).await?, NodeRow::Missing),
        };
        if is_right || !self.subject.is_there(stray).await? {
            return Ok(());
        }
        self.outcome.find(Finding::ReferenceSuperfluous { object, node, chunk });
        if node == PINS {
            return Ok(());
        }
        let view = self
            .subject
            .try_view(&Query { map: Some(map_from(node, 0, &self.subject.record.scale)), ..Query::default() })
            .await?;
        let finding = Finding::NoContent { node };
        if view.is_none_or(|view| !view.map.rows.is_empty()) && !self.outcome.findings.contains(&finding) {
            self.outcome.find(finding);
        }
        Ok(())
    }

    /// Looks at the nodes whose sums are not 0, some at a time.
    async fn follow_sums(&mut self) -> FsResult<()> {
        let suspicious = self.nodes.iter().filter(|facts| facts.is_readable && facts.references != 0);
        let suspicious = suspicious.map(|facts| facts.id);
        let candidates: Vec<NodeId> = suspicious.take(CANDIDATES_MAX).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let mut stored: HashMap<NodeId, BTreeSet<(u64, ObjectId)>> =
            candidates.iter().map(|node| (*node, BTreeSet::new())).collect();
        let (mut after, mut kept) = (None, 0);
        loop {
            let page = self.subject.references_after(after, PAGE).await?;
            for Reference { object, node, chunk, .. } in page.iter().filter(|reference| reference.until == Tree::LIVE) {
                if let Some(references) = stored.get_mut(node) {
                    if kept < KEPT_MAX {
                        references.insert((*chunk, *object));
                    }
                    kept += 1;
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                break;
            }
            breathe().await;
        }
        self.outcome.omitted += kept.saturating_sub(KEPT_MAX) as u64;
        for node in candidates {
            let references = stored.remove(&node).unwrap_or_default();
            self.follow_sum(node, references).await?;
        }
        Ok(())
    }

    /// Whatever changes a file's map and references does so under the file's lock, so both are compared in it.
    async fn follow_sum(&mut self, node: NodeId, stored: BTreeSet<(u64, ObjectId)>) -> FsResult<()> {
        let _lock = self.subject.lock(node).await;
        let Some(expected) = self.subject.expected_references(node).await? else { return Ok(()) };
        for (chunk, object) in expected.difference(&stored).copied() {
            if !self.subject.is_there(Reference::live(object, node, chunk)).await? {
                self.outcome.find(Finding::ReferenceMissing { object, node, chunk });
            }
        }
        for (chunk, object) in stored.difference(&expected).copied() {
            if self.subject.is_there(Reference::live(object, node, chunk)).await? {
                self.outcome.find(Finding::ReferenceSuperfluous { object, node, chunk });
            }
        }
        Ok(())
    }

    /// Live objects that nothing refers to: what lost its last reference never gets one again.
    async fn find_unused(&mut self) -> FsResult<()> {
        let is_unused =
            |facts: &&dittofs_domain::check::ObjectFacts| facts.state == ObjectState::Live && !facts.is_referenced;
        let unused: Vec<ObjectId> =
            self.objects.iter().filter(is_unused).map(|facts| facts.id).take(CANDIDATES_MAX).collect();
        for object in unused {
            if self.subject.unused(object).await? {
                let bytes = self.objects.find(object).map_or(0, |facts| facts.bytes);
                self.outcome.find(Finding::Unused { object, bytes });
            }
        }
        Ok(())
    }
}

impl Subject<'_> {
    pub(super) async fn references_after(&self, after: Option<Reference>, max: usize) -> FsResult<Vec<Reference>> {
        self.metadata.references_after(after, max).await.map_err(|error| metadata_failed(&error))
    }

    pub(super) async fn is_there(&self, reference: Reference) -> FsResult<bool> {
        Ok(self.references_after(reference.predecessor(), 1).await?.first() == Some(&reference))
    }

    /// None where the map has become unreadable.
    pub(super) async fn expected_references(&self, node: NodeId) -> FsResult<Option<BTreeSet<(u64, ObjectId)>>> {
        let (mut expected, mut next) = (BTreeSet::new(), 0);
        loop {
            let query = Query { map: Some(map_from(node, next, &self.record.scale)), ..Query::default() };
            let Some(View { map, .. }) = self.try_view(&query).await? else { return Ok(None) };
            expected.append(&mut references_in(&map.rows, &self.record.scale));
            let Some((last, row)) = map.rows.last().filter(|_| !map.complete) else { return Ok(Some(expected)) };
            next = last.saturating_add(pages_in(row));
            breathe().await;
        }
    }

    /// Whether an object is live and nothing refers to it.
    pub(super) async fn unused(&self, object: ObjectId) -> FsResult<bool> {
        let is_live = self.object(object).await?.is_some_and(|record| record.state == ObjectState::Live);
        let references = self.metadata.references(object, 1).await.map_err(|error| metadata_failed(&error))?;
        Ok(is_live && references.is_empty())
    }
}

//! Compares what the content store has with the rows of objects.

use std::collections::HashSet;

use dittofs_domain::{
    ObjectId,
    check::{Finding, ObjectTable},
    error::FsResult,
    ownership::{Part, Standing},
    plan::ObjectState,
};
use dittofs_ports::{CheckPhase, Marked};

use super::{Checker, Outcome, PAGE, Subject, content_failed, metadata_failed};
use crate::volume::breathe::breathe;

impl Checker<'_> {
    pub(super) async fn scan_listing(&mut self) -> FsResult<()> {
        let used = self.outcome.used_without_row();
        let (mut after, mut done) = (None, 0);
        let (mut orphans, mut orphan_bytes) = (0, 0u64);
        loop {
            let page = self.subject.listed(after).await?;
            for (object, bytes) in &page {
                if let Some(facts) = self.objects.find_mut(*object) {
                    facts.found = Some(*bytes);
                } else if self.is_orphan(*object, &used).await? {
                    orphans += 1;
                    orphan_bytes = orphan_bytes.saturating_add(*bytes);
                }
            }
            done += page.len() as u64;
            self.progress(CheckPhase::Objects, done, self.objects.len() as u64);
            after = page.last().map(|(last, _)| *last);
            if page.len() < PAGE {
                break;
            }
            breathe().await;
        }
        wrong_lengths(&self.objects).into_iter().for_each(|finding| self.outcome.take(Some(finding)));
        if orphans > 0 {
            self.outcome.find(Finding::Orphans { objects: orphans, bytes: orphan_bytes });
        }
        Ok(())
    }

    /// Deletes what is still nobody's after everything else has been repaired: an object that files use has its row
    /// again by then, or is known to be used.
    pub(super) async fn delete_orphans(&mut self) -> FsResult<()> {
        let index = self.outcome.findings.iter().position(|finding| matches!(finding, Finding::Orphans { .. }));
        let Some(index) = index.filter(|_| self.options.repair && self.options.delete_orphans) else { return Ok(()) };
        let is_done = self.delete_each_orphan().await?;
        self.outcome.set_repaired(Some(index), is_done);
        Ok(())
    }

    /// Answers whether all of them are gone.
    async fn delete_each_orphan(&self) -> FsResult<bool> {
        let used = self.outcome.used_without_row();
        let (mut after, mut is_done) = (None, true);
        loop {
            // Each time: a server that has begun meanwhile, on a copy of the metadata, has made objects of its own.
            if !self.subject.may_delete_orphans(&self.outcome).await? {
                return Ok(false);
            }
            let page = self.subject.listed(after).await?;
            for (object, _) in &page {
                if self.is_orphan(*object, &used).await? {
                    is_done &= self.subject.delete_orphan(*object).await;
                }
            }
            after = page.last().map(|(last, _)| *last);
            if page.len() < PAGE {
                return Ok(is_done);
            }
            breathe().await;
        }
    }

    /// Whether no row, no reference and no map speaks of an object. Its row is there before the object is.
    async fn is_orphan(&self, object: ObjectId, used: &HashSet<ObjectId>) -> FsResult<bool> {
        if used.contains(&object) || self.objects.find(object).is_some() || self.subject.object(object).await?.is_some()
        {
            return Ok(false);
        }
        let references = self.subject.metadata.references(object, 1).await.map_err(|error| metadata_failed(&error))?;
        Ok(references.is_empty())
    }
}

impl Outcome {
    /// Objects that maps use though they have no row.
    pub(super) fn used_without_row(&self) -> HashSet<ObjectId> {
        let object = |finding: &Finding| match finding {
            Finding::ObjectNotLive { object, state: None, .. } => Some(*object),
            _ => None,
        };
        self.findings.iter().filter_map(object).collect()
    }
}

impl Subject<'_> {
    /// A page of the objects that the content store has, and how long they are.
    async fn listed(&self, after: Option<ObjectId>) -> FsResult<Vec<(ObjectId, u64)>> {
        self.content.list(self.share(), after, PAGE).await.map_err(|error| content_failed(&error))
    }

    /// Only where the content is this share's own: what looks like nobody's may else be somebody's. Only if everything
    /// that was found is known, and all nodes and maps can be read: what others use would look like nobody's.
    async fn may_delete_orphans(&self, outcome: &Outcome) -> FsResult<bool> {
        let is_unknown = |finding: &Finding| finding.hides_uses() || *finding == Finding::NoRoot;
        if outcome.omitted > 0 || outcome.findings.iter().any(is_unknown) {
            return Ok(false);
        }
        let owner = self.content.owner(self.share()).await.map_err(|error| content_failed(&error))?;
        let Some(Marked { mark, .. }) = owner else { return Ok(false) };
        let standing = self.record.lineage.judge(Part::Content, mark.start);
        Ok(mark.owner == self.record.content_owner && matches!(standing, Standing::New | Standing::Known))
    }

    async fn delete_orphan(&self, object: ObjectId) -> bool {
        match self.content.delete(self.share(), object).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(share = %self.record.name, %object, %error, "an object could not be deleted");
                false
            }
        }
    }
}

fn wrong_lengths(objects: &ObjectTable) -> Vec<Finding> {
    let wrong = objects.iter().filter(|facts| facts.state == ObjectState::Live && !facts.is_whole());
    let length = |facts: &dittofs_domain::check::ObjectFacts| {
        Some(Finding::ObjectLength { object: facts.id, stored: facts.bytes, found: facts.found? })
    };
    wrong.filter_map(length).collect()
}

//! What the content store has, against the rows of objects.

use dittofs_domain::{ObjectId, check::Finding, error::FsResult, plan::ObjectState};
use dittofs_ports::{CheckPhase, Claim};

use super::{Checker, PAGE, breathe, content_failed};

impl Checker<'_> {
    pub(super) async fn scan_listing(&mut self) -> FsResult<()> {
        let may_delete = self.may_delete_orphans().await?;
        let (mut after, mut done) = (None, 0);
        let (mut orphans, mut orphan_bytes, mut is_left) = (0, 0u64, false);
        loop {
            let page = self.content.list(self.share(), after, PAGE).await.map_err(|error| content_failed(&error))?;
            for (object, bytes) in &page {
                if let Some(facts) = self.objects.find_mut(*object) {
                    facts.found = Some(*bytes);
                } else if self.object(*object).await?.is_none() {
                    // An object's row is there before the object is, so this one's is gone or never was.
                    orphans += 1;
                    orphan_bytes = orphan_bytes.saturating_add(*bytes);
                    is_left |= !(may_delete && self.delete_orphan(*object).await);
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
        self.find_lengths();
        if orphans > 0 {
            let index = self.find(Finding::Orphans { objects: orphans, bytes: orphan_bytes });
            if self.options.delete_orphans {
                self.set_mended(index, !is_left);
            }
        }
        Ok(())
    }

    fn find_lengths(&mut self) {
        let wrong = self.objects.iter().filter(|facts| facts.state == ObjectState::Live && !facts.is_whole());
        let length = |facts: &dittofs_domain::check::ObjectFacts| {
            Some(Finding::ObjectLength { object: facts.id, stored: facts.bytes, found: facts.found? })
        };
        let findings: Vec<Finding> = wrong.filter_map(length).collect();
        for finding in findings {
            self.find(finding);
        }
    }

    /// Only where the content is this share's own: what looks like nobody's may else be somebody's.
    async fn may_delete_orphans(&self) -> FsResult<bool> {
        if !(self.options.repair && self.options.delete_orphans) {
            return Ok(false);
        }
        let claim = self.content.claim(self.share(), self.record.content_owner).await;
        Ok(claim.map_err(|error| content_failed(&error))? == Claim::Ours)
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

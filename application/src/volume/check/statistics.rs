//! The share's sums.

use dittofs_domain::{
    Node, NodeId,
    check::{Finding, correct_statistics},
    error::FsResult,
    plan::Statistics,
    quota::metadata_bytes,
};
use dittofs_ports::RepairOutcome;

use super::{Checker, LOOKS_MAX, PAGE, Subject, metadata_failed};
use crate::volume::{breathe::breathe, scan::nodes_after};

impl Checker<'_> {
    /// Counts again where the first count differs. Of a share that is used, a difference is reported if it was the
    /// same twice while the sums stood still.
    pub(super) async fn check_statistics(&mut self) -> FsResult<()> {
        // Nobody knows what a node with a damaged row counts for.
        if self.nodes.damaged() > 0 {
            return Ok(());
        }
        let is_repaired = self.outcome.repairs.contains(&RepairOutcome::Done);
        // Wrong names are reported already. The sums can be judged once the names are repaired.
        let is_in_doubt = self.outcome.findings.iter().any(Finding::doubts_names);
        if !is_repaired && (is_in_doubt || self.subject.statistics().await? == self.counted) {
            return Ok(());
        }
        let mut last = None;
        for _ in 0..=LOOKS_MAX {
            let stored = self.subject.statistics().await?;
            let Some(counted) = self.subject.count_nodes().await? else { break };
            let stood_still = stored == self.subject.statistics().await?;
            if stood_still && stored == counted {
                return Ok(());
            }
            if stood_still && (self.subject.locks.is_none() || last == Some((stored, counted))) {
                return self.report_statistics(stored, counted).await;
            }
            last = stood_still.then_some((stored, counted));
        }
        self.outcome.undecided += 1;
        Ok(())
    }

    async fn report_statistics(&mut self, stored: Statistics, counted: Statistics) -> FsResult<()> {
        let index = self.outcome.find(Finding::Statistics { stored, counted });
        if self.options.repair {
            let is_repaired = self.subject.apply(correct_statistics(stored, counted, self.subject.clock.now())).await?;
            self.outcome.set_repaired(index, is_repaired);
        }
        Ok(())
    }
}

impl Subject<'_> {
    pub(super) async fn statistics(&self) -> FsResult<Statistics> {
        self.metadata.statistics().await.map_err(|error| metadata_failed(&error))
    }

    /// Adds a node to the sums, as the share counts.
    pub(super) fn count(&self, node: &Node, counted: &mut Statistics) {
        let metadata = if self.record.counts_names { metadata_bytes(node) } else { 0 };
        counted.nodes += 1;
        counted.bytes = counted.bytes.saturating_add_unsigned(node.allocated.saturating_add(metadata));
    }

    /// None where a row is damaged by now.
    pub(super) async fn count_nodes(&self) -> FsResult<Option<Statistics>> {
        let (mut counted, mut after) = (Statistics::default(), NodeId(0));
        loop {
            let page = nodes_after(&*self.metadata, after, PAGE).await.map_err(|error| metadata_failed(&error))?;
            if !page.damaged.is_empty() {
                return Ok(None);
            }
            let Some(last) = page.next() else { return Ok(Some(counted)) };
            after = last;
            page.nodes.iter().for_each(|node| self.count(node, &mut counted));
            breathe().await;
        }
    }
}

//! Entries: that each leads to a node, and each node with a name to the root.

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    check::{EntrySeen, Finding, judge_parent},
    error::FsResult,
    plan::{EntryKey, Query, Space},
};
use dittofs_ports::{CheckPhase, Listed};

use super::{Checker, LOOKS_MAX, PAGE, SUSPECTS_MAX, breathe, metadata_failed};

/// Directories in a circle that are followed.
const CIRCLE_MAX: usize = 1_024;

impl Checker<'_> {
    pub(super) async fn scan_names(&mut self) -> FsResult<()> {
        let (mut parents, mut links) = (Vec::new(), Vec::new());
        let mut after = NodeId(0);
        while let Some(facts) = self.nodes.with_entries_after(after) {
            after = facts.id;
            if facts.kind == NodeKind::Directory {
                let subdirectories = self.scan_directory(facts.id, &mut parents).await?;
                if !facts.is_unlinked() && u64::from(facts.links) != subdirectories + 2 {
                    self.suspect(&mut links, facts.id);
                }
            }
            if facts.has_streams() {
                self.scan_streams(facts.id).await?;
            }
            self.progress(CheckPhase::Names, self.nodes.rank(after), self.nodes.len());
        }
        for finding in parents {
            // What has several names is reported as that.
            let only = matches!(&finding, Finding::WrongParent { node, .. }
                if self.nodes.find(*node).is_some_and(|facts| facts.entries == 1));
            if only {
                self.find(finding);
            }
        }
        for directory in links {
            self.follow_links(directory).await?;
        }
        let suspicious = self.nodes.iter().filter(|facts| facts.is_suspicious()).map(|facts| facts.id);
        let suspects = suspicious.take(SUSPECTS_MAX).collect();
        self.recount(suspects).await?;
        for circle in self.nodes.circles() {
            self.follow_circle(&circle).await?;
        }
        Ok(())
    }

    /// Counts what a directory's entries lead to; answers how many lead to directories.
    async fn scan_directory(&mut self, directory: NodeId, parents: &mut Vec<Finding>) -> FsResult<u64> {
        let mut subdirectories = 0;
        let mut after = Cookie::START;
        loop {
            let (entries, next) = self.entries(directory, Space::Children, after, true).await?;
            for listed in &entries {
                let entry = seen(directory, Space::Children, listed);
                let Some(record) = &listed.record else {
                    // Entry and node were looked for at one instant.
                    self.find(Finding::NoNode { entry, node: listed.node });
                    continue;
                };
                subdirectories += u64::from(record.kind == NodeKind::Directory);
                self.nodes.count_entry(directory, listed.node);
                if let Some(finding) = judge_parent(record, entry.place()) {
                    self.suspect(parents, finding);
                }
            }
            match next {
                Some(next) => after = next,
                None => return Ok(subdirectories),
            }
        }
    }

    async fn scan_streams(&mut self, node: NodeId) -> FsResult<()> {
        let mut after = Cookie::START;
        loop {
            let (entries, next) = self.entries(node, Space::Streams, after, true).await?;
            for listed in &entries {
                match &listed.record {
                    Some(_) => self.nodes.count_entry(node, listed.node),
                    None => {
                        let entry = seen(node, Space::Streams, listed);
                        self.find(Finding::NoNode { entry, node: listed.node });
                    }
                }
            }
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// Some entries, and after which to go on.
    pub(super) async fn entries(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        records: bool,
    ) -> FsResult<(Vec<Listed>, Option<Cookie>)> {
        let listing = self.metadata.list(directory, space, after, PAGE, records).await;
        let listing = listing.map_err(|error| metadata_failed(&error))?;
        breathe().await;
        let next = listing.entries.last().filter(|_| !listing.complete).map(|last| last.cookie);
        Ok((listing.entries, next))
    }

    /// A directory's link count: what its entries say while it did not change.
    async fn follow_links(&mut self, directory: NodeId) -> FsResult<()> {
        for _ in 0..LOOKS_MAX {
            let Some(before) = self.node(directory).await? else { return Ok(()) };
            if !before.is_linked() {
                return Ok(());
            }
            let subdirectories = self.subdirectories(directory).await?;
            let Some(after) = self.node(directory).await? else { return Ok(()) };
            if before.change != after.change {
                continue;
            }
            let counted = subdirectories.saturating_add(2);
            if counted != before.links {
                self.find(Finding::LinkCount { node: directory, stored: before.links, counted, only: None });
            }
            return Ok(());
        }
        self.undecided += 1;
        Ok(())
    }

    pub(super) async fn subdirectories(&self, directory: NodeId) -> FsResult<u32> {
        let (mut count, mut after) = (0u32, Cookie::START);
        loop {
            let (entries, next) = self.entries(directory, Space::Children, after, true).await?;
            let is_directory =
                |listed: &&Listed| listed.record.as_ref().is_some_and(|record| record.kind == NodeKind::Directory);
            count = count.saturating_add(entries.iter().filter(is_directory).count() as u32);
            match next {
                Some(next) => after = next,
                None => return Ok(count),
            }
        }
    }

    /// The entry of a directory that leads to a node.
    pub(super) async fn entry_to(&self, directory: NodeId, node: NodeId) -> FsResult<Option<EntrySeen>> {
        let mut after = Cookie::START;
        loop {
            let (entries, next) = self.entries(directory, Space::Children, after, false).await?;
            if let Some(listed) = entries.iter().find(|listed| listed.node == node) {
                return Ok(Some(seen(directory, Space::Children, listed)));
            }
            match next {
                Some(next) => after = next,
                None => return Ok(None),
            }
        }
    }

    /// A circle is one if all its entries are there at one instant.
    async fn follow_circle(&mut self, members: &[NodeId]) -> FsResult<()> {
        let only = |id: &NodeId| self.nodes.find(*id).filter(|facts| facts.entries == 1).map(|facts| facts.found_in);
        let Some(above) = members.iter().map(only).collect::<Option<Vec<NodeId>>>() else { return Ok(()) };
        if members.len() > CIRCLE_MAX {
            self.undecided += 1;
            return Ok(());
        }
        let mut entries = Vec::with_capacity(members.len());
        for (member, above) in members.iter().zip(above) {
            let Some(entry) = self.entry_to(above, *member).await? else { return Ok(()) };
            entries.push((*member, entry));
        }
        let query = Query { entries: entries.iter().map(|(_, entry)| entry.key.clone()).collect(), ..Query::default() };
        let view = self.view(&query).await?;
        let there = view.entries.iter().zip(&entries);
        if !there.into_iter().all(|(found, (member, _))| found.as_ref().is_some_and(|found| found.node.id == *member)) {
            return Ok(());
        }
        if let Some((node, entry)) = entries.into_iter().min_by_key(|(member, _)| *member) {
            self.find(Finding::Circle { node, entry });
        }
        Ok(())
    }
}

pub(super) fn seen(directory: NodeId, space: Space, listed: &Listed) -> EntrySeen {
    EntrySeen { key: EntryKey { directory, space, name: listed.name.clone() }, cookie: listed.cookie }
}

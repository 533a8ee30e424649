//! Entries: that each leads to a node, and each node with a name to the root.

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    check::{EntrySeen, Finding, judge_parent},
    error::{FsError, FsResult},
    plan::{EntryKey, Query, Space},
};
use dittofs_ports::{CheckPhase, Listed, Listing, MetadataError};

use super::{CANDIDATES_MAX, Checker, LOOKS_MAX, PAGE, Subject, metadata_failed};
use crate::volume::breathe::breathe;

/// Directories in a circle that are followed. A longer one takes damage of a thousand rows.
const CIRCLE_MAX: usize = 1_024;

/// A part of a directory.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) listed: Vec<Listed>,
    /// The cookies, in order, of those that lead to a node whose row is damaged.
    damaged: Vec<Cookie>,
    /// After which to go on.
    pub(super) next: Option<Cookie>,
}

impl Entries {
    fn of(listing: Listing) -> Entries {
        let next = listing.entries.last().filter(|_| !listing.complete).map(|last| last.cookie);
        Entries { listed: listing.entries, damaged: Vec::new(), next }
    }

    fn is_damaged(&self, listed: &Listed) -> bool {
        self.damaged.binary_search(&listed.cookie).is_ok()
    }
}

/// How many directories are in a directory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subdirectories {
    known: u32,
    /// Nodes that may be directories, as their rows are damaged.
    perhaps: u32,
}

impl Subdirectories {
    fn count(&mut self, entries: &Entries) {
        let records = entries.listed.iter().filter_map(|listed| listed.record.as_ref());
        let known = records.filter(|record| record.kind == NodeKind::Directory).count();
        self.known = self.known.saturating_add(known as u32);
        self.perhaps = self.perhaps.saturating_add(entries.damaged.len() as u32);
    }

    /// The link count that goes with those that are known.
    pub(super) fn links(self) -> u32 {
        self.known.saturating_add(2)
    }

    fn fits(self, links: u32) -> bool {
        (self.links()..=self.links().saturating_add(self.perhaps)).contains(&links)
    }
}

impl Checker<'_> {
    pub(super) async fn scan_names(&mut self) -> FsResult<()> {
        let (mut parents, mut links) = (Vec::new(), Vec::new());
        let mut after = NodeId(0);
        while let Some(facts) = self.nodes.with_entries_after(after) {
            after = facts.id;
            if facts.may_be_directory() {
                let subdirectories = self.scan_directory(facts.id, &mut parents).await;
                let subdirectories = self.unless_damaged(facts.id, subdirectories)?;
                let fits = subdirectories.is_none_or(|subdirectories| subdirectories.fits(facts.links));
                if !fits && !facts.is_unlinked() && !facts.is_damaged() {
                    self.outcome.add_candidate(&mut links, facts.id);
                }
            }
            if facts.has_streams() {
                let streams = self.scan_streams(facts.id).await;
                self.unless_damaged(facts.id, streams)?;
            }
            self.progress(CheckPhase::Names, self.nodes.rank(after), self.nodes.len());
        }
        for finding in parents {
            // A node that has several names is reported as that only.
            let only = matches!(&finding, Finding::WrongParent { node, .. }
                if self.nodes.find(*node).is_some_and(|facts| facts.entries == 1));
            if only {
                self.outcome.find(finding);
            }
        }
        for directory in links {
            self.follow_links(directory).await?;
        }
        let suspicious = self.nodes.iter().filter(|facts| facts.is_suspicious()).map(|facts| facts.id);
        let candidates: Vec<NodeId> = suspicious.take(CANDIDATES_MAX).collect();
        if !self.are_entries_known {
            // Their names may be those that can't be read.
            self.outcome.undecided += candidates.len() as u64;
            return Ok(());
        }
        self.recount(candidates).await?;
        for circle in self.nodes.circles() {
            self.follow_circle(&circle).await?;
        }
        Ok(())
    }

    /// Returns what was found of a directory's entries. Where rows of them are damaged, it reports that and returns
    /// none.
    fn unless_damaged<T>(&mut self, directory: NodeId, found: FsResult<T>) -> FsResult<Option<T>> {
        match found {
            Err(FsError::Io) => {
                self.note_entries_damaged(directory);
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// Counts what a directory's entries lead to; answers how many lead to directories.
    async fn scan_directory(&mut self, directory: NodeId, parents: &mut Vec<Finding>) -> FsResult<Subdirectories> {
        let mut subdirectories = Subdirectories::default();
        let mut after = Cookie::START;
        loop {
            let entries = self.subject.entries(directory, Space::Children, after, true).await?;
            subdirectories.count(&entries);
            let unfolded = self.subject.unfolded(directory, Space::Children, &entries.listed).await?;
            unfolded.into_iter().for_each(|finding| _ = self.outcome.find(finding));
            for listed in &entries.listed {
                let entry = seen(directory, Space::Children, listed);
                let Some(record) = &listed.record else {
                    self.count_without_record(&entries, listed, entry);
                    continue;
                };
                self.nodes.count_entry(directory, listed.node);
                if let Some(finding) = judge_parent(record, entry.place()) {
                    self.outcome.add_candidate(parents, finding);
                }
            }
            match entries.next {
                Some(next) => after = next,
                None => return Ok(subdirectories),
            }
        }
    }

    async fn scan_streams(&mut self, node: NodeId) -> FsResult<()> {
        let mut after = Cookie::START;
        loop {
            let entries = self.subject.entries(node, Space::Streams, after, true).await?;
            let unfolded = self.subject.unfolded(node, Space::Streams, &entries.listed).await?;
            unfolded.into_iter().for_each(|finding| _ = self.outcome.find(finding));
            for listed in &entries.listed {
                match &listed.record {
                    Some(_) => self.nodes.count_entry(node, listed.node),
                    None => self.count_without_record(&entries, listed, seen(node, Space::Streams, listed)),
                }
            }
            match entries.next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// Takes an entry that leads to no node, or to a damaged one. Entry and node were looked for at one instant.
    fn count_without_record(&mut self, entries: &Entries, listed: &Listed, entry: EntrySeen) {
        match entries.is_damaged(listed) {
            true => self.nodes.count_entry(entry.key.directory, listed.node),
            false => _ = self.outcome.find(Finding::NoNode { entry, node: listed.node }),
        }
    }

    /// A directory's link count: what its entries say while it did not change.
    async fn follow_links(&mut self, directory: NodeId) -> FsResult<()> {
        for _ in 0..LOOKS_MAX {
            let Some(before) = self.subject.node(directory).await?.whole() else { return Ok(()) };
            if !before.is_linked() {
                return Ok(());
            }
            let subdirectories = self.subject.subdirectories(directory).await?;
            let Some(after) = self.subject.node(directory).await?.whole() else { return Ok(()) };
            if before.change != after.change {
                continue;
            }
            if !subdirectories.fits(before.links) {
                let (stored, counted) = (before.links, subdirectories.links());
                self.outcome.find(Finding::LinkCount { node: directory, stored, counted, only: None });
            }
            return Ok(());
        }
        self.outcome.undecided += 1;
        Ok(())
    }

    /// A circle is one if all its entries are there at one instant.
    async fn follow_circle(&mut self, members: &[NodeId]) -> FsResult<()> {
        let only = |id: &NodeId| self.nodes.find(*id).filter(|facts| facts.entries == 1).map(|facts| facts.found_in);
        let Some(above) = members.iter().map(only).collect::<Option<Vec<NodeId>>>() else { return Ok(()) };
        if members.len() > CIRCLE_MAX {
            self.outcome.undecided += 1;
            return Ok(());
        }
        let mut entries = Vec::with_capacity(members.len());
        for (member, above) in members.iter().zip(above) {
            let Some(entry) = self.subject.entry_to(above, *member).await? else { return Ok(()) };
            entries.push((*member, entry));
        }
        let query = Query { entries: entries.iter().map(|(_, entry)| entry.key.clone()).collect(), ..Query::default() };
        let Some(view) = self.subject.try_view(&query).await? else { return Ok(()) };
        let there = view.entries.iter().zip(&entries);
        if !there.into_iter().all(|(found, (member, _))| found.as_ref().is_some_and(|found| found.node.id == *member)) {
            return Ok(());
        }
        if let Some((node, entry)) = entries.into_iter().min_by_key(|(member, _)| *member) {
            self.outcome.find(Finding::Circle { node, entry });
        }
        Ok(())
    }
}

impl Subject<'_> {
    /// Some entries, with the nodes that they lead to if `records` says so.
    ///
    /// # Errors
    /// `Io` where rows of the entries themselves are damaged.
    pub(super) async fn entries(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        records: bool,
    ) -> FsResult<Entries> {
        breathe().await;
        match self.metadata.list(directory, space, after, PAGE, records).await {
            Ok(listing) => Ok(Entries::of(listing)),
            Err(MetadataError::Corrupt(_)) if records => self.entries_one_by_one(directory, space, after).await,
            Err(error) => Err(metadata_failed(&error)),
        }
    }

    /// The same where one of them leads to a node whose row is damaged.
    pub(super) async fn entries_one_by_one(&self, directory: NodeId, space: Space, after: Cookie) -> FsResult<Entries> {
        let all = self.metadata.list(directory, space, after, PAGE, false).await;
        let mut entries = Entries::of(all.map_err(|error| metadata_failed(&error))?);
        for entry in std::mem::take(&mut entries.listed) {
            let before = Cookie(entry.cookie.0.saturating_sub(1));
            match self.metadata.list(directory, space, before, 1, true).await {
                // Where it has gone meanwhile, another one comes.
                Ok(one) => entries.listed.extend(one.entries.into_iter().filter(|one| one.cookie == entry.cookie)),
                Err(MetadataError::Corrupt(_)) => {
                    entries.damaged.push(entry.cookie);
                    entries.listed.push(entry);
                }
                Err(error) => return Err(metadata_failed(&error)),
            }
        }
        Ok(entries)
    }

    pub(super) async fn subdirectories(&self, directory: NodeId) -> FsResult<Subdirectories> {
        let (mut counted, mut after) = (Subdirectories::default(), Cookie::START);
        loop {
            let entries = self.entries(directory, Space::Children, after, true).await?;
            counted.count(&entries);
            match entries.next {
                Some(next) => after = next,
                None => return Ok(counted),
            }
        }
    }

    /// The entry of a directory that leads to a node.
    pub(super) async fn entry_to(&self, directory: NodeId, node: NodeId) -> FsResult<Option<EntrySeen>> {
        let mut after = Cookie::START;
        loop {
            let Entries { listed, next, .. } = self.entries(directory, Space::Children, after, false).await?;
            if let Some(listed) = listed.iter().find(|listed| listed.node == node) {
                return Ok(Some(seen(directory, Space::Children, listed)));
            }
            match next {
                Some(next) => after = next,
                None => return Ok(None),
            }
        }
    }
}

pub(super) fn seen(directory: NodeId, space: Space, listed: &Listed) -> EntrySeen {
    EntrySeen { key: EntryKey { directory, space, name: listed.name.clone() }, cookie: listed.cookie }
}

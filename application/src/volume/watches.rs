//! Telling watchers of directories what has changed, whatever protocol has changed it.
//!
//! There are two places from which this is called: where plans are applied, and where bytes are written. Both come
//! after the change and before its answer. While nobody watches, each costs one atomic load.

mod repeats;
mod table;
mod telling;
mod way;

use std::sync::Arc;

use dittofs_domain::{
    Name, Node, NodeId,
    access::{AccessMask, NodeSecurity, granted},
    error::FsResult,
    plan::Plan,
    watch::{ChangeKinds, ChangeRecord, EntryChange, PlannedChanges, Subject},
};
use dittofs_ports::{Caller, ChangeListener, ShareMetadata, Watch, WatchRequest};

use crate::volume::{breathe::breathe, nodes::Nodes, share::Share};
use repeats::Repeats;
use table::{WatchTable, Watched};
pub(super) use telling::Telling;
use way::{Step, Way};

/// The rights that a watcher needs to hear of names in a directory: with them it could have listed them itself.
const SEES: AccessMask = AccessMask::LIST_DIRECTORY.union(AccessMask::EXECUTE);
/// Watchers that are told before others of the thread have their turn: some 50 us.
const AT_ONCE: usize = 256;

/// The watchers of a share's directories.
pub(crate) struct Watches {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    metadata: Arc<dyn ShareMetadata>,
    table: Arc<WatchTable>,
    repeats: Repeats,
}

impl Watches {
    pub(super) fn new(share: Arc<Share>, nodes: Arc<Nodes>, metadata: Arc<dyn ShareMetadata>) -> Watches {
        Watches { share, nodes, metadata, table: Arc::default(), repeats: Repeats::default() }
    }

    /// Adds a watcher that may list the directory.
    ///
    /// # Errors
    /// `NoSpace` if there are too many; `Stale` once the share is served no more.
    pub(super) fn add(
        &self,
        caller: &Caller,
        directory: NodeId,
        request: &WatchRequest,
        listener: Arc<dyn ChangeListener>,
    ) -> FsResult<Arc<dyn Watch>> {
        let watched = WatchTable::add(&self.table, Watched::new(caller, directory, request, listener))?;
        Ok(watched)
    }

    /// Ends all: the share is served no more.
    pub(crate) fn end(&self) {
        self.table.end();
    }

    /// A directory goes with its last close, or does not after all.
    pub(super) fn set_deleting(&self, directory: NodeId, is_deleting: bool) {
        self.table.set_removed(directory, is_deleting);
    }

    /// Returns the changes that have to be told once a plan was applied; none if nobody asks for them.
    pub(super) fn planned(&self, plan: &Plan) -> Option<Telling<'_>> {
        if self.table.is_empty() {
            return None;
        }
        let planned = PlannedChanges::of(plan);
        // A directory may go that is watched for something else.
        let is_wanted = self.table.wants(planned.kinds()) || planned.kinds().contains(ChangeKinds::DIRECTORY_NAME);
        (is_wanted && !planned.is_empty()).then(|| Telling::new(self, planned))
    }

    /// Tells that bytes of a file were written.
    pub(super) async fn tell_written(&self, file: &Node, has_new_size: bool) {
        let size = if has_new_size { ChangeKinds::SIZE } else { ChangeKinds::empty() };
        let kinds = ChangeKinds::LAST_WRITE | size;
        if !self.table.wants(kinds) {
            return;
        }
        let (generation, now) = (self.table.generation(), self.share.monotonic());
        if self.repeats.is_told(file.id, kinds, (generation, now)) {
            return;
        }
        if self.tell_all(vec![EntryChange::modified(file, kinds)]).await {
            self.repeats.note(file.id, kinds, (generation, now));
        }
    }

    /// Tells of changes, in this order. Returns whether each watcher that asks for them was told of what has changed,
    /// not only that something has.
    async fn tell_all(&self, changes: Vec<EntryChange>) -> bool {
        let mut way = None;
        let mut is_told = true;
        for change in changes {
            if !self.table.wants(change.kinds) {
                continue;
            }
            if let Err(error) = self.tell(&change, &mut way).await {
                // Whoever could not be told must not believe that nothing has changed.
                tracing::debug!(share = %self.share.name(), node = %change.node, %error, "watchers have to list anew");
                self.table.overflow(change.kinds);
                is_told = false;
            }
        }
        is_told
    }

    /// Tells those who watch the directory, and those who watch the tree of one above. The way up is the same for
    /// changes in one directory.
    async fn tell(&self, change: &EntryChange, way: &mut Option<Way>) -> FsResult<()> {
        let directory = match &change.subject {
            Subject::Name { directory, .. } => *directory,
            Subject::Node(parent) => parent.directory,
        };
        let (watchers, has_trees) = self.table.watchers(directory, change.kinds);
        if watchers.is_empty() && !has_trees {
            return Ok(());
        }
        if has_trees && way.as_ref().is_none_or(|way| way.from != directory) {
            *way = Some(self.way_up(directory).await?);
        }
        let way = way.as_ref().filter(|_| has_trees);
        if watchers.is_empty() && way.is_none_or(|way| way.steps.is_empty()) {
            return Ok(());
        }
        let Some(name) = self.name(&change.subject).await? else { return Ok(()) };
        let record = ChangeRecord { action: change.action, path: [name.clone()].into() };
        self.push(&watchers, &record, &[]).await;
        if let Some(way) = way {
            self.tell_above(way, &name, change).await;
        }
        Ok(())
    }

    /// The name that a change is told of by; none if nothing leads to the node any more by which it is known.
    async fn name(&self, subject: &Subject) -> FsResult<Option<Name>> {
        match subject {
            Subject::Name { name, .. } => Ok(Some(name.clone())),
            Subject::Node(parent) => self.name_of(*parent).await,
        }
    }

    async fn tell_above(&self, way: &Way, name: &Name, change: &EntryChange) {
        for (at, step) in way.steps.iter().enumerate() {
            let watchers = self.table.trees(step.above, change.kinds);
            if watchers.is_empty() {
                continue;
            }
            let below = way.steps.get(..=at).unwrap_or_default();
            let names = below.iter().rev().map(|step| &step.name).chain([name]);
            let record = ChangeRecord { action: change.action, path: names.cloned().collect() };
            self.push(&watchers, &record, below).await;
        }
    }

    /// Tells those watchers that may see what is in all the directories of a way.
    async fn push(&self, watchers: &[Arc<Watched>], record: &ChangeRecord, way: &[Step]) {
        let may_see = |watcher: &Watched| way.iter().all(|step| sees(&step.directory, watcher));
        for (number, some) in watchers.chunks(AT_ONCE).enumerate() {
            if number > 0 {
                breathe().await;
            }
            some.iter().filter(|watcher| may_see(watcher)).for_each(|watcher| self.table.push(watcher, record));
        }
    }
}

fn sees(directory: &Node, watcher: &Watched) -> bool {
    granted(&NodeSecurity::from(directory), &watcher.credentials).contains(SEES)
}

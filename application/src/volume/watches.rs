//! Telling watchers of directories, and those who cache listings, what has changed, whatever protocol has changed it.
//!
//! There are two places from which this is called: where plans are applied, and where bytes are written. Both come
//! after the change and before its answer. While nobody watches, each costs one atomic load. While nobody has a lease of
//! a directory, a write costs another one, and a plan two: one of them once it was applied.

mod leases;
mod repeats;
mod table;
mod telling;
mod way;

use std::sync::Arc;

use dittofs_domain::{
    Name, Node, NodeId,
    access::{AccessMask, NodeSecurity, granted},
    error::FsResult,
    opens::Requester,
    plan::Plan,
    watch::{ChangeAction, ChangeKinds, ChangeRecord, EntryChange, PlannedChanges, Subject},
};
use dittofs_ports::{Caller, ChangeListener, ShareMetadata, Watch, WatchRequest};

use crate::volume::{
    breathe::breathe,
    nodes::Nodes,
    open_table::{DirectoryLeases, OpenTable},
    share::Share,
};
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
    /// Who caches listings.
    opens: Arc<OpenTable>,
    table: Arc<WatchTable>,
    repeats: Repeats,
    /// Writes that all have heard of who cache listings.
    listed: Repeats,
}

impl Watches {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        metadata: Arc<dyn ShareMetadata>,
        opens: Arc<OpenTable>,
    ) -> Watches {
        let (table, repeats, listed) = (Arc::default(), Repeats::default(), Repeats::default());
        Watches { share, nodes, metadata, opens, table, repeats, listed }
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

    fn directory_leases(&self) -> DirectoryLeases<'_> {
        DirectoryLeases::of(&self.opens)
    }

    /// Ends all: the share is served no more.
    pub(crate) fn end(&self) {
        self.table.end();
    }

    /// A directory goes with its last close, or does not after all.
    pub(super) fn set_deleting(&self, directory: NodeId, is_deleting: bool) {
        self.table.set_removed(directory, is_deleting);
    }

    /// Returns what has to be told once a plan was applied. `by` is who has asked for the plan; what the server does by
    /// itself alters no listing.
    pub(super) fn planned(&self, plan: &Plan, by: Option<Requester>) -> Telling<'_> {
        let is_watched = !self.table.is_empty();
        let is_cached = by.is_some() && self.directory_leases().are_any();
        if !is_watched && !is_cached {
            return Telling::new(self, None, by);
        }
        let planned = PlannedChanges::of(plan);
        // A directory may go that is watched for something else.
        let is_wanted = self.table.wants(planned.kinds()) || planned.kinds().contains(ChangeKinds::DIRECTORY_NAME);
        let is_wanted = is_watched && is_wanted && !planned.is_empty();
        Telling::new(self, Some((planned, is_wanted)), by)
    }

    /// Tells that bytes of a file were written.
    pub(super) async fn tell_written(&self, caller: &Caller, file: &Node, has_new_size: bool) {
        self.note_written(caller, file).await;
        let size = if has_new_size { ChangeKinds::SIZE } else { ChangeKinds::empty() };
        let EntryChange { kinds, .. } = EntryChange::modified(file, ChangeKinds::LAST_WRITE | size);
        if !self.table.wants(kinds) {
            return;
        }
        let (generation, now) = (self.table.generation(), self.share.monotonic());
        if self.repeats.is_told(file.id, kinds, (generation, now)) {
            return;
        }
        self.tell_all(vec![EntryChange::modified(file, ChangeKinds::LAST_WRITE | size)]).await;
        self.repeats.note(file.id, kinds, (generation, now));
    }

    /// Tells of changes, in this order. The two of a rename come together: clients take them for a pair.
    async fn tell_all(&self, changes: Vec<EntryChange>) {
        let mut way = None;
        let is_pair = |one: &EntryChange, next: &EntryChange| {
            (one.action, next.action) == (ChangeAction::RenamedFrom, ChangeAction::RenamedTo)
        };
        for changes in changes.chunk_by(is_pair) {
            let Some(first) = changes.first().filter(|first| self.table.wants(first.kinds)) else { continue };
            if let Err(error) = self.tell(first, changes, &mut way).await {
                // Whoever could not be told must not believe that nothing has changed.
                tracing::debug!(share = %self.share.name(), node = %first.node, %error, "watchers have to list anew");
                self.table.overflow(first.kinds);
            }
        }
    }

    /// Tells those who watch the directory, and those who watch the tree of one above, of changes of one kind in it. The
    /// way up is the same for all changes in one directory.
    async fn tell(&self, first: &EntryChange, changes: &[EntryChange], way: &mut Option<Way>) -> FsResult<()> {
        let stream;
        let (first, changes) = match first.subject {
            Subject::Stream(entry) => match self.stream_name(entry).await? {
                Some(subject) => {
                    stream = EntryChange { subject, ..first.clone() };
                    (&stream, std::slice::from_ref(&stream))
                }
                None => return Ok(()),
            },
            _ => (first, changes),
        };
        let directory = match &first.subject {
            Subject::Name { directory, .. } => *directory,
            Subject::Node(parent) | Subject::Stream(parent) | Subject::StreamName { file: parent, .. } => {
                parent.directory
            }
        };
        let kinds = first.kinds;
        let (watchers, has_trees) = self.table.watchers(directory, kinds);
        if watchers.is_empty() && !has_trees {
            return Ok(());
        }
        let mut named = Vec::with_capacity(changes.len());
        for change in changes {
            let Some((name, stream)) = self.name(&change.subject).await? else { return Ok(()) };
            named.push((change.action, name, stream));
        }
        let records = |below: &[Step]| -> Vec<ChangeRecord> {
            let path = |name: &Name| below.iter().rev().map(|step| &step.name).chain([name]).cloned().collect();
            let record = |(action, name, stream): &(ChangeAction, Name, Option<Name>)| ChangeRecord {
                action: *action,
                path: path(name),
                stream: stream.clone(),
            };
            named.iter().map(record).collect()
        };
        self.push(&watchers, &records(&[]), |_| true).await;
        if !has_trees {
            return Ok(());
        }
        if way.as_ref().is_none_or(|way| way.from != directory) {
            match self.way_up(directory).await {
                Ok(found) => *way = Some(found),
                Err(error) => {
                    tracing::debug!(share = %self.share.name(), %directory, %error, "watchers of trees list anew");
                    self.table.overflow_trees(kinds);
                    return Ok(());
                }
            }
        }
        let steps = way.as_ref().map_or(&[][..], |way| &way.steps);
        for (at, step) in steps.iter().enumerate() {
            let watchers = self.table.trees(step.above, kinds);
            if watchers.is_empty() {
                continue;
            }
            let below = steps.get(..=at).unwrap_or_default();
            let may_see = |watcher: &Watched| {
                may_pass(&step.above_node, watcher) && below.iter().all(|step| sees(&step.directory, watcher))
            };
            self.push(&watchers, &records(below), may_see).await;
        }
        Ok(())
    }

    /// The name that a change is told of by, and that of a stream; none if nothing leads to the node any more by which it
    /// is known.
    async fn name(&self, subject: &Subject) -> FsResult<Option<(Name, Option<Name>)>> {
        Ok(match subject {
            Subject::Name { name, .. } => Some((name.clone(), None)),
            Subject::Node(parent) | Subject::Stream(parent) => self.name_of(*parent).await?.map(|name| (name, None)),
            Subject::StreamName { file, name } => {
                self.name_of(*file).await?.map(|of_file| (of_file, Some(name.clone())))
            }
        })
    }

    /// Tells those watchers that may see it.
    async fn push(&self, watchers: &[Arc<Watched>], records: &[ChangeRecord], may_see: impl Fn(&Watched) -> bool) {
        for (number, some) in watchers.chunks(AT_ONCE).enumerate() {
            if number > 0 {
                breathe().await;
            }
            some.iter().filter(|watcher| may_see(watcher)).for_each(|watcher| self.table.push(watcher, records));
        }
    }
}

/// Whether a watcher may come to what is below the directory that it watches.
fn may_pass(directory: &Node, watcher: &Watched) -> bool {
    granted(&NodeSecurity::from(directory), &watcher.credentials).contains(AccessMask::EXECUTE)
}

fn sees(directory: &Node, watcher: &Watched) -> bool {
    granted(&NodeSecurity::from(directory), &watcher.credentials).contains(SEES)
}

//! Leases of directories: which there are, and who has to hear that a listing has changed.

use std::{
    collections::{BTreeMap, HashSet},
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use dittofs_domain::{
    ClientId, NodeId, NodeKind,
    opens::{LeaseGrant, LeaseKey, NodeOpens, OpenToken, Requester, Rights},
    watch::Listings,
};
use dittofs_ports::Caller;
use parking_lot::Mutex;

use crate::volume::{
    breathe::breathe,
    open_table::{Answer, OpenTable, Verdict},
};

/// Directories whose leases go before others of the thread have their turn: about 100 us.
const AT_ONCE: usize = 256;

/// The directories of which somebody has a lease. Changed while the directory's opens are, so that both say the same.
#[derive(Debug, Default)]
pub(super) struct LeasedDirectories {
    /// How many there are: all that a change looks at while there is none.
    count: AtomicUsize,
    /// Raised with each grant.
    grants: AtomicU64,
    /// Changes may have been made of which nobody was told.
    is_behind: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    leased: HashSet<NodeId>,
    /// Opens through which a file was written to that leased directories may list: they list it with its new size when it
    /// is closed. As many as there are opens, at most.
    written: BTreeMap<(ClientId, OpenToken), NodeId>,
}

impl LeasedDirectories {
    /// Grants what can be. Nobody writes to a directory, and whoever caches one is noted.
    pub(super) fn grant(
        &self,
        opens: &mut NodeOpens,
        (node, kind): (NodeId, NodeKind),
        (key, wanted): (LeaseKey, Rights),
    ) -> LeaseGrant {
        if kind != NodeKind::Directory {
            return opens.request_lease(key, wanted);
        }
        let grant = opens.request_lease(key, wanted & Rights::OF_DIRECTORY);
        if !grant.rights.is_empty() {
            self.granted(node);
        }
        grant
    }

    fn granted(&self, directory: NodeId) {
        let mut known = self.known.lock();
        known.leased.insert(directory);
        self.grants.fetch_add(1, Ordering::AcqRel);
        self.count.store(known.leased.len(), Ordering::Release);
    }

    /// The opens of a node have changed.
    pub(super) fn changed(&self, node: NodeId, opens: &NodeOpens) {
        if self.is_none() || !opens.leases().is_empty() {
            return;
        }
        let mut known = self.known.lock();
        if known.leased.remove(&node) {
            self.count.store(known.leased.len(), Ordering::Release);
            if known.leased.is_empty() {
                // Who gets a lease from now on lists what was written.
                known.written.clear();
            }
        }
    }

    fn is_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Those of the leased directories that list something else now.
    fn among(&self, listings: &Listings) -> Vec<NodeId> {
        let known = self.known.lock();
        match listings {
            Listings::Any => known.leased.iter().copied().collect(),
            Listings::Of(directories) => directories.iter().copied().filter(|id| known.leased.contains(id)).collect(),
        }
    }
}

/// Somebody is telling of a change. A call that is given up before it has told leaves that to others.
pub(crate) struct Unfinished<'a> {
    leases: DirectoryLeases<'a>,
    is_done: bool,
}

impl Unfinished<'_> {
    pub(crate) fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.leases.fall_behind();
        }
    }
}

/// Leases of directories, for those who change what these list.
#[derive(Clone, Copy)]
pub(crate) struct DirectoryLeases<'a>(&'a OpenTable);

impl<'a> DirectoryLeases<'a> {
    /// Those that a table knows.
    pub(crate) fn of(opens: &'a OpenTable) -> DirectoryLeases<'a> {
        DirectoryLeases(opens)
    }

    /// Whether there is a lease of any directory. One atomic load.
    pub(in crate::volume) fn are_any(&self) -> bool {
        !self.0.directories.is_none()
    }

    /// Raised with each lease of a directory.
    pub(in crate::volume) fn grants(&self) -> u64 {
        self.0.directories.grants.load(Ordering::Acquire)
    }

    /// A change is about to be told, by however many steps.
    pub(crate) fn begin_telling(&self) -> Unfinished<'a> {
        Unfinished { leases: *self, is_done: false }
    }

    /// Tells those who cache listings that these are others now, but not whose lease `by` names. Nobody waits. To be
    /// called after the change: who gets a lease later lists it.
    ///
    /// No node lock is taken, so that it does not matter which are held.
    pub(in crate::volume) async fn change_entries(&self, listings: &Listings, by: &Requester) {
        let telling = self.begin_telling();
        let is_behind = self.0.directories.is_behind.swap(false, Ordering::AcqRel);
        let listings = if is_behind { &Listings::Any } else { listings };
        for (number, directory) in self.0.directories.among(listings).into_iter().enumerate() {
            if number > 0 && number.is_multiple_of(AT_ONCE) {
                breathe().await;
            }
            let question = |opens: &mut NodeOpens, deadline_ms| Answer {
                breaks: opens.change_entries(by, deadline_ms),
                ..Answer::done(())
            };
            match self.0.ask(directory, question).await {
                Ok(Verdict::Done(()) | Verdict::Wait { .. }) => {}
                Err(error) => {
                    tracing::debug!(share = %self.0.share.name(), %directory, %error, "a lease of a directory stays");
                    self.0.directories.is_behind.store(true, Ordering::Release);
                }
            }
        }
        telling.done();
    }

    /// Listings may have changed, and nobody knows which: all leases of directories have to go, soon.
    pub(in crate::volume) fn fall_behind(&self) {
        if self.are_any() {
            self.0.directories.is_behind.store(true, Ordering::Release);
            self.0.garbage.wake();
        }
    }

    /// Takes all leases of directories, if changes may have been made of which nobody was told. Whatever runs in the
    /// background asks for it.
    pub(in crate::volume) async fn catch_up(&self) {
        if self.0.directories.is_behind.load(Ordering::Acquire) {
            // Of no client that has any.
            let nobody = Requester { client: ClientId::Other(u64::MAX), lease: None };
            self.change_entries(&Listings::Any, &nobody).await;
        }
    }

    /// Notes that a file was written to through an open of the caller: its listing changes for others with the close
    /// (Samba's `smb2.dirlease.v2_request`).
    pub(in crate::volume) fn note_written(&self, caller: &Caller, open: OpenToken, file: NodeId) {
        let mut known = self.0.directories.known.lock();
        if !known.leased.is_empty() {
            known.written.insert((caller.client, open), file);
        }
    }

    /// An open has ended. Returns whether the file was written to through it, and is listed otherwise.
    pub(in crate::volume) fn take_written(&self, client: ClientId, open: OpenToken) -> bool {
        self.are_any() && self.0.directories.known.lock().written.remove(&(client, open)).is_some()
    }

    /// All opens of a client have ended. Returns the files that were written to through them.
    pub(crate) fn take_all_written(&self, client: ClientId) -> Vec<NodeId> {
        if !self.are_any() {
            return Vec::new();
        }
        let of_client = (client, OpenToken(0))..=(client, OpenToken(u64::MAX));
        self.0.directories.known.lock().written.extract_if(of_client, |_, _| true).map(|(_, file)| file).collect()
    }
}

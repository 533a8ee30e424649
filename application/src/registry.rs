//! The shares that are served.

use std::{collections::BTreeMap, sync::Arc};

use dittofs_domain::{
    Handle, ShareId, Tree,
    error::{FsError, FsResult},
};
use dittofs_ports::{Entered, NodeRef, OpenEvents, Presented};
use parking_lot::Mutex;

use crate::{replicated::Replicated, served::ServedShare, volume::Volume};

/// All shares, by id and by name. They may come and go while they are served.
#[derive(Debug, Default)]
pub struct Registry {
    shares: Replicated<Shares>,
    subscribers: Mutex<Subscribers>,
}

/// One copy of the shares. Each counts its own holders of a share: a counter for all would travel from core to core as a
/// lock does.
#[derive(Debug, Default)]
struct Shares {
    /// In order: a few ids are compared sooner than one is hashed, and every call looks for one.
    by_id: BTreeMap<ShareId, Arc<ServedShare>>,
    by_name: Vec<Arc<ServedShare>>,
}

/// Who hears of opens in all shares, and in those that come.
#[derive(Default)]
struct Subscribers(Vec<Arc<dyn OpenEvents>>);

impl std::fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscribers").field("count", &self.0.len()).finish()
    }
}

impl Registry {
    /// A registry of these volumes, whose names and ids must differ.
    pub fn new(volumes: Vec<Arc<Volume>>) -> Registry {
        let registry = Registry::default();
        volumes.into_iter().for_each(|volume| registry.add(volume));
        registry
    }

    /// Serves one more volume, whose name and id must differ from those of the others.
    pub fn add(&self, volume: Arc<Volume>) {
        let subscribers = self.subscribers.lock();
        subscribers.0.iter().for_each(|events| volume.opens().subscribe(Arc::clone(events)));
        self.shares.change(|shares| {
            let share = Arc::new(ServedShare::new(Arc::clone(&volume)));
            shares.by_id.insert(volume.share(), Arc::clone(&share));
            shares.by_name.push(share);
            shares.by_name.sort_by(|a, b| a.volume().name().cmp(b.volume().name()));
        });
    }

    /// Serves a volume no more: handles of it are stale from now on, and nothing of it is watched. Calls that have found
    /// it go on.
    ///
    /// # Errors
    /// `Stale` if there is none.
    pub fn remove(&self, share: ShareId) -> FsResult<Arc<Volume>> {
        let removed = Arc::clone(self.share(share)?.volume());
        self.shares.change(|shares| {
            shares.by_id.remove(&share);
            shares.by_name.retain(|served| served.volume().share() != share);
        });
        removed.watches().end();
        Ok(removed)
    }

    /// Notifies `events` of opens in all volumes, also in those that are added later.
    pub(crate) fn subscribe(&self, events: Arc<dyn OpenEvents>) {
        let mut subscribers = self.subscribers.lock();
        self.volumes().iter().for_each(|volume| volume.opens().subscribe(Arc::clone(&events)));
        subscribers.0.push(events);
    }

    /// All volumes, by name.
    pub fn volumes(&self) -> Vec<Arc<Volume>> {
        self.shares.read().by_name.iter().map(|share| Arc::clone(share.volume())).collect()
    }

    /// The services of all shares, by name.
    pub(crate) fn shares(&self) -> Vec<Arc<ServedShare>> {
        self.shares.read().by_name.clone()
    }

    /// The services of a share.
    ///
    /// # Errors
    /// `Stale` if there is none.
    pub fn share(&self, share: ShareId) -> FsResult<Arc<ServedShare>> {
        self.shares.read().by_id.get(&share).cloned().ok_or(FsError::Stale)
    }

    /// The node of a handle and its share, with the caller as the share's policy admits it.
    ///
    /// # Errors
    /// `BadHandle`, `Stale` or `Access`: see `EntryService::enter`.
    pub fn enter(&self, handle: &[u8], who: &Presented) -> FsResult<Entered> {
        let handle = Handle::from_bytes(handle)?;
        let share = self.share(handle.share)?;
        let volume = share.volume();
        if !volume.handle_signer().key.verify(&handle) {
            return Err(FsError::Stale);
        }
        let caller = volume.admit(who)?;
        if handle.tree != Tree::LIVE {
            return Err(FsError::Stale);
        }
        let node = NodeRef { share: handle.share, node: handle.node, tree: handle.tree };
        Ok(Entered { node, caller, share })
    }

    /// The share with the longest name that a path begins with, and the rest of the path.
    pub fn by_path<'p>(&self, path: &'p [u8]) -> Option<(Arc<ServedShare>, &'p [u8])> {
        let shares = self.shares.read();
        let found = shares.by_name.iter().filter_map(|share| {
            let name = share.volume().name().trim_end_matches('/').as_bytes();
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with(b"/")).then_some((share, rest, name.len()))
        });
        found.max_by_key(|(_, _, length)| *length).map(|(share, rest, _)| (Arc::clone(share), rest))
    }
}

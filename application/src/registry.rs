//! The shares that are served.

use std::{collections::HashMap, sync::Arc};

use dittofs_domain::{
    Handle, ShareId,
    error::{FsError, FsResult},
};
use dittofs_ports::{Caller, NodeRef, Presented};

use crate::volume::Volume;

/// All volumes, by id and by name.
#[derive(Debug, Default)]
pub struct Registry {
    by_id: HashMap<ShareId, Arc<Volume>>,
    by_name: Vec<Arc<Volume>>,
}

impl Registry {
    /// A registry of these volumes, whose names and ids must differ.
    pub fn new(volumes: Vec<Arc<Volume>>) -> Registry {
        let by_id = volumes.iter().map(|volume| (volume.share(), Arc::clone(volume))).collect();
        let mut by_name = volumes;
        by_name.sort_by(|a, b| a.name().cmp(b.name()));
        Registry { by_id, by_name }
    }

    /// All volumes, by name.
    pub fn volumes(&self) -> &[Arc<Volume>] {
        &self.by_name
    }

    /// The volume of a share.
    ///
    /// # Errors
    /// `Stale` if there is none.
    pub fn volume(&self, share: ShareId) -> FsResult<&Arc<Volume>> {
        self.by_id.get(&share).ok_or(FsError::Stale)
    }

    /// The volume and node of a handle, with the caller as the share's policy admits it.
    ///
    /// # Errors
    /// `BadHandle`, `Stale` or `Access`: see `MetadataService::enter`.
    pub fn enter(&self, handle: &[u8], who: &Presented) -> FsResult<(NodeRef, Caller)> {
        let handle = Handle::from_bytes(handle)?;
        let volume = self.volume(handle.share)?;
        if !volume.sealer().key.verify(&handle) {
            return Err(FsError::Stale);
        }
        let caller = volume.admit(who)?;
        Ok((NodeRef { share: handle.share, node: handle.node }, caller))
    }

    /// The volume with the longest name that a path begins with, and the rest of the path.
    pub fn by_path<'p>(&self, path: &'p [u8]) -> Option<(&Arc<Volume>, &'p [u8])> {
        self.by_name
            .iter()
            .filter_map(|volume| {
                let name = volume.name().trim_end_matches('/').as_bytes();
                let rest = path.strip_prefix(name)?;
                (rest.is_empty() || rest.starts_with(b"/")).then_some((volume, rest, name.len()))
            })
            .max_by_key(|(_, _, length)| *length)
            .map(|(volume, rest, _)| (volume, rest))
    }
}

//! The list that DUMP tells.

use std::{collections::VecDeque, net::IpAddr};

use bytes::Bytes;

/// Who has mounted what, the newest last. It only informs people: clients go away without a word.
#[derive(Debug, Default)]
pub(super) struct Mounts(VecDeque<(IpAddr, Bytes)>);

/// Beyond that the oldest are forgotten. With paths of [`super::wire::MNTPATHLEN`] it is 4 MiB.
const MOUNTS_MAX: usize = 4_096;
/// What an entry takes in the reply beside its path: two counts, an address as text, and that it follows.
const ENTRY_BYTES: usize = 64;

impl Mounts {
    /// A client has mounted a path, perhaps again.
    pub(super) fn add(&mut self, client: IpAddr, path: &[u8]) {
        self.remove(client, path);
        if self.0.len() >= MOUNTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((client, Bytes::copy_from_slice(path)));
    }

    /// A client has unmounted a path.
    pub(super) fn remove(&mut self, client: IpAddr, path: &[u8]) {
        self.0.retain(|(address, mounted)| *address != client || mounted != path);
    }

    /// A client has unmounted all.
    pub(super) fn remove_all(&mut self, client: IpAddr) {
        self.0.retain(|(address, _)| *address != client);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(IpAddr, Bytes)> {
        self.0.iter()
    }

    /// About how many bytes the list has in a reply.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|(_, path)| ENTRY_BYTES + path.len()).sum()
    }
}

/// A path without what means nothing in it: empty parts and `.`. So `server://export` mounts, and one folder has one entry.
pub(super) fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let plain: Vec<u8> = parts.flat_map(|part| std::iter::once(&b'/').chain(part).copied()).collect();
    if plain.is_empty() && path.first() == Some(&b'/') { b"/".to_vec() } else { plain }
}

#[cfg(test)]
mod tests;

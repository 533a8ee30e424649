//! The list that DUMP returns.

use std::{collections::VecDeque, net::IpAddr};

use bytes::Bytes;

use crate::transport::PAYLOAD_BYTES_MAX;

/// Who has mounted what, the newest last. It only informs people: clients go away without a word.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    list: VecDeque<(IpAddr, Bytes)>,
    /// About how many bytes the list has in a reply.
    bytes: usize,
}

/// Beyond that the oldest are forgotten. A list for people, who read no longer one.
const MOUNTS_MAX: usize = 4_096;
/// The same of bytes of the reply: as many as the longest READ has. What memory all connections share suffices for
/// that.
const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;
/// The bytes that an entry takes in the reply beside its path: two counts, an address as text, and the flag that it
/// follows.
const ENTRY_BYTES: usize = 64;

impl Mounts {
    /// A client has mounted a path, perhaps again.
    pub(super) fn add(&mut self, client: IpAddr, path: &[u8]) {
        self.remove(client, path);
        self.list.push_back((client, Bytes::copy_from_slice(path)));
        self.bytes += bytes_of(path);
        while self.list.len() > MOUNTS_MAX || self.bytes > BYTES_MAX {
            let Some((_, path)) = self.list.pop_front() else { return };
            self.bytes -= bytes_of(&path);
        }
    }

    /// A client has unmounted a path.
    pub(super) fn remove(&mut self, client: IpAddr, path: &[u8]) {
        self.retain(|address, mounted| address != client || mounted != path);
    }

    /// A client has unmounted all.
    pub(super) fn remove_all(&mut self, client: IpAddr) {
        self.retain(|address, _| address != client);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(IpAddr, Bytes)> {
        self.list.iter()
    }

    /// About how many bytes the list has in a reply: at most 1 MiB.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn retain(&mut self, is_kept: impl Fn(IpAddr, &[u8]) -> bool) {
        let bytes = &mut self.bytes;
        self.list.retain(|(address, path)| {
            let kept = is_kept(*address, path);
            *bytes -= if kept { 0 } else { bytes_of(path) };
            kept
        });
    }
}

fn bytes_of(path: &[u8]) -> usize {
    ENTRY_BYTES + path.len()
}

/// A path without what means nothing in it: empty parts and `.`. So `server://export` mounts, and one folder has one entry.
pub(super) fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let plain: Vec<u8> = parts.flat_map(|part| std::iter::once(&b'/').chain(part).copied()).collect();
    if plain.is_empty() && path.first() == Some(&b'/') { b"/".to_vec() } else { plain }
}

#[cfg(test)]
mod tests;

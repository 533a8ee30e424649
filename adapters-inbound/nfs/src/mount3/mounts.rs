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
mod tests {
    use super::*;

    fn client(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn listed(mounts: &Mounts) -> Vec<(IpAddr, &[u8])> {
        mounts.iter().map(|(address, path)| (*address, &path[..])).collect()
    }

    #[test]
    fn the_oldest_mount_is_forgotten_whatever_its_address() {
        let mut mounts = Mounts::default();
        let all = MOUNTS_MAX as u32;
        // From the highest address to the lowest.
        (0..all).rev().for_each(|number| mounts.add(client(number), b"/export"));
        mounts.add(client(all - 1), b"/export");
        mounts.add(client(all), b"/export");
        let left = listed(&mounts);
        assert_eq!(left.len(), MOUNTS_MAX);
        assert!(!left.contains(&(client(all - 2), b"/export")), "the oldest is gone");
        assert!(left.contains(&(client(all - 1), b"/export")), "what was mounted again is new");
        assert!(left.contains(&(client(0), b"/export")));
        assert_eq!(left.last(), Some(&(client(all), &b"/export"[..])));
        assert!(mounts.bytes() >= MOUNTS_MAX * b"/export".len());
    }

    #[test]
    fn a_mount_is_listed_once_and_ends() {
        let mut mounts = Mounts::default();
        for path in [&b"/a"[..], b"/b", b"/a"] {
            mounts.add(client(1), path);
            mounts.add(client(2), path);
        }
        mounts.remove(client(1), b"/a");
        assert_eq!(listed(&mounts), [(client(1), &b"/b"[..]), (client(2), b"/b"), (client(2), b"/a")]);
        mounts.remove_all(client(2));
        assert_eq!(listed(&mounts), [(client(1), &b"/b"[..])]);
    }

    #[test]
    fn paths_are_told_by_their_parts() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"/export", b"/export"),
            (b"//export", b"/export"),
            (b"/export/", b"/export"),
            (b"///export/.//folder/./", b"/export/folder"),
            (b"/export/../x", b"/export/../x"),
            (b"/", b"/"),
            (b"//", b"/"),
            (b"export", b"/export"),
            (b"", b""),
        ];
        for (path, expected) in cases {
            assert_eq!(plain(path), expected, "{}", path.escape_ascii());
        }
    }
}

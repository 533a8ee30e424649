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
fn the_list_fits_into_a_reply_however_long_its_paths_are() {
    let mut mounts = Mounts::default();
    let path = [b'p'; super::super::wire::MNTPATHLEN];
    (0..2_000).for_each(|number| mounts.add(client(number), &path));
    assert!((BYTES_MAX / 2..=BYTES_MAX).contains(&mounts.bytes()), "{}", mounts.bytes());
    assert_eq!(mounts.bytes(), listed(&mounts).len() * bytes_of(&path));
    assert_eq!(listed(&mounts).last(), Some(&(client(1_999), &path[..])));
    (0..2_000).for_each(|number| mounts.remove_all(client(number)));
    assert_eq!(mounts.bytes(), 0);
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
fn paths_are_compared_by_their_parts() {
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

use std::hash::RandomState;

use super::*;

fn name(n: u64) -> Name {
    Name::new(format!("file-{n:07}").as_bytes()).unwrap()
}

fn check(directory: &Directory, hasher: &RandomState, present: &[u64], absent: &[u64]) {
    for n in present {
        assert_eq!(directory.find(hasher, &name(*n)), Some((NodeId(n + 1), Cookie(*n))));
        assert_eq!(directory.at(Cookie(*n)).unwrap().name, name(*n));
    }
    for n in absent {
        assert_eq!(directory.find(hasher, &name(*n)), None);
        assert!(directory.at(Cookie(*n)).is_none());
    }
    let listed: Vec<u64> = directory.after(Cookie::START).map(|(cookie, _)| cookie.0).collect();
    assert_eq!(listed, present);
}

#[test]
fn entries_are_found_by_name_and_cookie_over_every_change_of_representation() {
    let hasher = RandomState::new();
    let mut directory = Directory::default();
    let all: Vec<u64> = (10..40_010).collect();
    for (count, n) in all.iter().enumerate() {
        directory.insert(&hasher, name(*n), NodeId(n + 1), Cookie(*n)).unwrap();
        if matches!(count + 1, 1..20 | 16_384..16_388 | 40_000) {
            check(&directory, &hasher, &all[..=count], &[9, n + 1]);
        }
    }
    for (count, n) in all.iter().enumerate() {
        assert_eq!(directory.remove(&hasher, &name(*n)), Some((NodeId(n + 1), Cookie(*n))));
        assert_eq!(directory.remove(&hasher, &name(*n)), None);
        if count % 9_999 == 0 || count > 39_980 {
            check(&directory, &hasher, &all[count + 1..], &[*n]);
        }
    }
    assert!(directory.is_empty() && directory.index.is_none());
}

#[test]
fn a_name_or_a_cookie_is_taken_once() {
    let hasher = RandomState::new();
    for others in [0, 100] {
        let mut directory = Directory::default();
        for n in 1_000..1_000 + others {
            directory.insert(&hasher, name(n), NodeId(9), Cookie(n)).unwrap();
        }
        directory.insert(&hasher, name(1), NodeId(8), Cookie(4)).unwrap();
        assert!(directory.insert(&hasher, name(1), NodeId(8), Cookie(5)).is_err());
        assert!(directory.insert(&hasher, name(2), NodeId(8), Cookie(4)).is_err());
        assert_eq!(directory.len() as u64, others + 1);
        assert_eq!(directory.find(&hasher, &name(2)), None);
    }
}

#[test]
fn nothing_comes_after_the_greatest_cookie() {
    let hasher = RandomState::new();
    let mut directory = Directory::default();
    directory.insert(&hasher, name(1), NodeId(8), Cookie(u64::MAX)).unwrap();
    assert_eq!(directory.after(Cookie(u64::MAX - 1)).count(), 1);
    assert_eq!(directory.after(Cookie(u64::MAX)).count(), 0);
}

use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
};

use dittofs_domain::ObjectId;
use tempfile::TempDir;

use super::*;

const MIB: u64 = 1 << 20;
const FRAME: usize = 32 << 10;

fn key(number: u64) -> FrameKey {
    FrameKey {
        object: ObjectId(0xABCD << 64 | u128::from(number / 100)),
        block: number / 10 % 10 * 64,
        frame: (number % 10) as u32,
    }
}

fn frame(number: u64, length: usize) -> Bytes {
    (0..length).map(|at| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at % 8 * 8)) as u8 ^ at as u8).collect()
}

fn open(folder: &TempDir, bytes: u64) -> FolderDiskCache {
    FolderDiskCache::open(&DiskCacheOptions::new(folder.path(), bytes)).unwrap()
}

fn fill(cache: &FolderDiskCache, numbers: std::ops::Range<u64>) {
    for number in numbers {
        cache.insert(key(number), frame(number, FRAME));
        if number % 100 == 99 {
            cache.wait_until_written();
        }
    }
    cache.wait_until_written();
}

/// Which of these are there; those must be right.
async fn kept(cache: &FolderDiskCache, numbers: std::ops::Range<u64>) -> Vec<u64> {
    let keys: Vec<FrameKey> = numbers.clone().map(key).collect();
    let frames = cache.frames(&keys).await;
    let found = numbers.zip(frames).filter_map(|(number, found)| Some((number, found?)));
    found
        .map(|(number, found)| {
            assert!(found == frame(number, FRAME), "frame {number}");
            number
        })
        .collect()
}

fn segments(folder: &TempDir) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some()).collect();
    paths.sort();
    paths
}

fn bytes_on_disk(folder: &TempDir) -> u64 {
    segments(folder).iter().map(|path| path.metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 64 * MIB);
    fill(&cache, 0..300);
    assert_eq!(kept(&cache, 0..300).await.len(), 300);
    // As a kill leaves it: nothing is closed, the last segment has no table.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    drop(cache);
    for folder in [&folder, &copy] {
        let cache = open(folder, 64 * MIB);
        assert_eq!(kept(&cache, 0..300).await.len(), 300);
        fill(&cache, 300..400);
        assert_eq!(kept(&cache, 0..400).await.len(), 400);
    }
}

#[tokio::test]
async fn its_files_are_bounded_and_what_is_read_stays() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    for round in 0..20 {
        fill(&cache, round * 100..(round + 1) * 100);
        assert!(kept(&cache, 0..8).await.len() == 8, "round {round}");
        assert!(bytes_on_disk(&folder) <= 16 * MIB, "{}", bytes_on_disk(&folder));
        assert!(cache.usage().used.abs_diff(bytes_on_disk(&folder)) <= MIB / 4);
    }
    let newest = kept(&cache, 1_700..2_000).await.len();
    assert!(newest > 250, "{newest} of the newest 300 are there");
    let oldest = kept(&cache, 8..1_000).await.len();
    assert!(oldest < 100, "{oldest} of the oldest are there");
    drop(cache);
    let cache = open(&folder, 16 * MIB);
    assert!(kept(&cache, 0..2_000).await.len() > 250);
}

#[tokio::test]
async fn small_frames_do_not_make_the_index_grow_without_bound() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    for number in 0..40_000 {
        cache.insert(key(number), frame(number, 64));
    }
    cache.wait_until_written();
    let keys: Vec<FrameKey> = (0..40_000).map(key).collect();
    let found = cache.frames(&keys).await.iter().flatten().count();
    assert!((2_000..=17 * 256).contains(&found), "{found}");
}

#[tokio::test]
async fn damage_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    fill(&cache, 0..200);
    for (number, path) in segments(&folder).iter().enumerate() {
        let file = fs::File::options().write(true).open(path).unwrap();
        let length = file.metadata().unwrap().len();
        match number % 3 {
            0 => (0..length).step_by(100_000).for_each(|at| file.write_all_at(&[0xA5; 7], at).unwrap()),
            1 => file.set_len(length / 2).unwrap(),
            _ => fs::remove_file(path).unwrap(),
        }
    }
    let found = kept(&cache, 0..200).await.len();
    assert!(found < 160, "{found}");
    assert!(cache.usage().damaged > 0 && !cache.usage().is_off);
    // A frame that was found damaged is asked for, and kept, anew.
    fill(&cache, 0..200);
    assert_eq!(kept(&cache, 0..200).await.len(), 200);
    drop(cache);
    let cache = open(&folder, 16 * MIB);
    assert!(kept(&cache, 0..200).await.len() > 30);
}

#[tokio::test]
async fn an_entry_under_another_key_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    fill(&cache, 0..20);
    drop(cache);
    // Two entries change places, whole and with right checksums of their own bytes.
    let path = &segments(&folder)[0];
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let entry = format::ENTRY_HEAD_LEN + FRAME;
    let at = |number: usize| (format::HEADER_LEN + number * entry) as u64;
    let (mut first, mut second) = (vec![0; entry], vec![0; entry]);
    file.read_exact_at(&mut first, at(3)).unwrap();
    file.read_exact_at(&mut second, at(4)).unwrap();
    file.write_all_at(&first, at(4)).unwrap();
    file.write_all_at(&second, at(3)).unwrap();
    let cache = open(&folder, 16 * MIB);
    assert_eq!(kept(&cache, 0..20).await.len(), 18);
}

#[tokio::test]
async fn a_folder_that_is_not_ours_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let refused = |folder: &TempDir| FolderDiskCache::open(&DiskCacheOptions::new(folder.path(), MIB)).err().unwrap();
    assert!(matches!(refused(&folder), DiskCacheError::Foreign { found, .. } if found == "thesis.txt"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    assert!(matches!(refused(&folder), DiskCacheError::Locked { .. }));
    drop(cache);
    fs::write(folder.path().join("dittofs-cache"), "dittofs cache, format 7\n").unwrap();
    assert!(matches!(refused(&folder), DiskCacheError::Newer { found: 7, known: 1, .. }));
    fs::write(folder.path().join("dittofs-cache"), "\u{0}\u{0}garbage").unwrap();
    let cache = open(&folder, 16 * MIB);
    fill(&cache, 0..3);
    assert_eq!(kept(&cache, 0..3).await.len(), 3);
}

#[tokio::test]
async fn a_disk_that_fails_switches_it_off() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let cache = FolderDiskCache::open(&DiskCacheOptions::new(file.join("below"), 16 * MIB)).unwrap();
    cache.insert(key(1), frame(1, FRAME));
    cache.wait_until_written();
    assert!(cache.usage().is_off && kept(&cache, 0..3).await.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 16 * MIB);
    fill(&cache, 0..10);
    fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(kept(&cache, 0..10).await.len(), 10, "its files are still open");
    fill(&cache, 10..100);
    assert!(cache.usage().is_off, "there is no folder for another segment");
    assert!(kept(&cache, 0..100).await.is_empty());
    fs::create_dir(folder.path()).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_disk_that_is_too_slow_drops_frames_instead_of_keeping_them_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder, 256 * MIB);
    for number in 0..3_000 {
        cache.insert(key(number), frame(number % 7, FRAME));
    }
    cache.wait_until_written();
    let usage = cache.usage();
    assert!(usage.used + usage.dropped * FRAME as u64 >= 3_000 * FRAME as u64, "{usage:?}");
}

//! Disks that fill up and get space again, under the parts of the real program: writes find no space and meet no other
//! error, what was answered as stable stays, removing works and gives its space back, and then writing goes on by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod copying;
mod disk;
mod server;

use std::path::Path;

use bytes::Bytes;
use dittofs_block_cache::{DiskCacheOptions, FolderDiskCache};
use dittofs_domain::{ObjectId, error::FsError};
use dittofs_ports::{DiskCache, FrameKey};

use disk::{Disk, inside};
use server::{BALLAST_BYTES, Folders, Server};

/// Runs a case in a process with mounts of its own.
fn with_disks(test: &str, case: impl FnOnce(&Path)) {
    if inside(test) {
        let folder = tempfile::tempdir().unwrap();
        case(folder.path());
    }
}

fn fill_and_empty(server: &mut Server, mebibytes_max: usize) {
    for round in 0..2 {
        server.fill(mebibytes_max);
        for _ in 0..20 {
            let number = server.files()[0];
            assert!(matches!(server.write(number), Ok(()) | Err(FsError::NoSpace)));
        }
        server.verify();
        server.kill_and_start();
        server.verify();
        let files = server.files();
        for number in files.iter().skip(round % 2).step_by(2) {
            server.remove(*number);
        }
        server.write_until_there_is_space();
        server.verify();
    }
}

#[test]
fn a_full_content_store_gets_space_by_removals() {
    with_disks("a_full_content_store_gets_space_by_removals", |folder| {
        let disk = Disk::mount(&folder.join("small"), 256);
        let folders = Folders { content: disk.0.join("content"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        fill_and_empty(&mut server, 400);
        server.close();
    });
}

/// With what is kept for such a case gone as well: the survivors share their objects with what is removed.
#[test]
fn removing_frees_space_though_not_a_byte_is_left() {
    with_disks("removing_frees_space_though_not_a_byte_is_left", |folder| {
        let disk = Disk::mount(&folder.join("small"), 512);
        let folders = Folders { content: disk.0.join("content"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        server.fill(600);
        disk.fill_but(0);
        // A start needs no room either.
        server.kill_and_start();
        let files = server.files();
        for number in files.iter().step_by(2) {
            server.remove(*number);
        }
        server.verify();
        // The other program keeps what it took.
        server.write_until_there_is_space();
        server.verify();
        server.kill_and_start();
        server.verify();
        server.close();
    });
}

#[test]
fn one_disk_for_everything_gets_space_by_removals() {
    with_disks("one_disk_for_everything_gets_space_by_removals", |folder| {
        let disk = Disk::mount(&folder.join("small"), 400);
        let mut server = Server::start(Folders::below(&disk.0));
        fill_and_empty(&mut server, 500);
        server.close();
    });
}

#[test]
fn a_metadata_disk_that_others_fill_still_ends_flushes_and_takes_removals() {
    with_disks("a_metadata_disk_that_others_fill_still_ends_flushes_and_takes_removals", |folder| {
        let disk = Disk::mount(&folder.join("small"), 96);
        let folders = Folders { metadata: disk.0.join("metadata"), ..Folders::below(folder) };
        let ballast = folders.metadata.join("metadata.ballast");
        let is_kept = || ballast.metadata().is_ok_and(|file| file.len() == BALLAST_BYTES);
        let mut server = Server::start(folders);
        assert!(is_kept());
        for _ in 0..200 {
            server.create().unwrap();
        }
        for number in 0..20 {
            server.write(number).unwrap();
        }
        disk.fill_but(0);
        // Nothing is left but what was kept, and the log has something that is to be done again.
        server.kill_and_start();
        assert_eq!(server.create(), Err(FsError::NoSpace));
        server.flush().unwrap();
        server.verify();
        for number in 20..30 {
            server.write(number).unwrap();
        }
        server.kill_and_start();
        server.verify();
        for number in 10..200 {
            server.remove(number);
        }
        server.flush().unwrap();
        assert_eq!(server.create(), Err(FsError::NoSpace));
        server.verify();
        disk.give_back();
        server.write_until_there_is_space();
        assert!(is_kept(), "the room is kept again");
        server.verify();
        server.close();
    });
}

#[test]
fn a_journal_that_gets_no_segment_goes_on_with_those_it_has() {
    with_disks("a_journal_that_gets_no_segment_goes_on_with_those_it_has", |folder| {
        let disk = Disk::mount(&folder.join("small"), 128);
        let folders = Folders { journal: disk.0.join("journal"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        let number = server.create().unwrap();
        server.write(number).unwrap();
        disk.fill_but(8 << 20);
        let mut taken = 0;
        for _ in 0..40 {
            match server.write(number) {
                Ok(()) => taken += 1,
                Err(error) => assert_eq!(error, FsError::NoSpace),
            }
        }
        assert!(taken >= 20, "{taken} of 40 MiB went through the segments that were there");
        server.verify();
        disk.fill_but(0);
        for _ in 0..20 {
            if let Err(error) = server.write(number) {
                assert_eq!(error, FsError::NoSpace);
            }
        }
        server.verify();
        disk.give_back();
        disk.fill_but(1 << 20);
        server.kill_and_start();
        server.verify();
        disk.give_back();
        server.write_until_there_is_space();
        server.verify();
        server.close();
    });
}

#[test]
fn a_full_disk_switches_the_disk_cache_off() {
    with_disks("a_full_disk_switches_the_disk_cache_off", |folder| {
        let disk = Disk::mount(&folder.join("small"), 8);
        let cache = FolderDiskCache::open(&DiskCacheOptions::new(disk.0.join("cache"), 64 << 20)).unwrap();
        for frame in 0..1_000 {
            let key = FrameKey { object: ObjectId(7), block: 0, frame };
            cache.insert(key, Bytes::from(vec![1; 32 << 10]));
            if frame % 100 == 0 {
                cache.wait_until_written();
            }
        }
        cache.wait_until_written();
        assert!(cache.usage().is_off, "{:?}", cache.usage());
        drop(cache);
        disk.fill_but(0);
        let cache = FolderDiskCache::open(&DiskCacheOptions::new(disk.0.join("other"), 64 << 20)).unwrap();
        cache.insert(FrameKey { object: ObjectId(7), block: 0, frame: 1 }, Bytes::from(vec![1; 32 << 10]));
        cache.wait_until_written();
        assert!(cache.usage().is_off, "{:?}", cache.usage());
    });
}

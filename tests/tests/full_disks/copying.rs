//! A disk that copies on write has no room for what is written over, once it is full.

use std::time::{Duration, Instant};

use dittofs_domain::error::FsError;

use crate::{
    disk::Disk,
    server::{Folders, LONG, Server},
    with_disks,
};

/// How long a share meets a full disk: longer than the journal waits before it tries again.
const FULL_FOR: Duration = Duration::from_secs(4);

/// Writes for a while; answers how many of the writes were refused for want of space. No other error is met.
fn write_for(server: &mut Server, number: u64, time: Duration) -> u32 {
    let begun = Instant::now();
    let mut refused = 0;
    while begun.elapsed() < time {
        match server.write(number) {
            Ok(()) => {}
            Err(error) => {
                assert!(matches!(error, FsError::NoSpace | FsError::Busy), "{error}");
                refused += u32::from(error == FsError::NoSpace);
            }
        }
    }
    refused
}

fn fill_up(server: &mut Server, disk: &Disk, number: u64) {
    for round in 0..3 {
        server.write(number).unwrap();
        // The last bytes, once what is held back until a commit of the file system is there.
        for _ in 0..3 {
            disk.fill_but(0);
            disk.sync();
        }
        let refused = write_for(server, number, FULL_FOR);
        println!("round {round}: {refused} writes found no space");
        assert!(refused > 0, "the disk was not full");
        server.verify();
        disk.give_back();
        disk.sync();
        server.write_again_once_there_is_space(number);
        server.verify();
    }
    server.kill_and_start();
    server.verify();
}

#[test]
fn a_journal_on_a_copying_disk_goes_on_once_there_is_room() {
    with_disks("copying::a_journal_on_a_copying_disk_goes_on_once_there_is_room", |folder| {
        let Some(disk) = Disk::mount_btrfs(&folder.join("image"), &folder.join("small"), 256) else { return };
        let folders = Folders { journal: disk.0.join("journal"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        let number = server.create().unwrap();
        fill_up(&mut server, &disk, number);
        server.close();
    });
}

#[test]
fn a_share_on_a_copying_disk_goes_on_once_there_is_room() {
    with_disks("copying::a_share_on_a_copying_disk_goes_on_once_there_is_room", |folder| {
        let Some(disk) = Disk::mount_btrfs(&folder.join("image"), &folder.join("small"), 512) else { return };
        let mut server = Server::start(Folders::below(&disk.0));
        let number = server.create().unwrap();
        fill_up(&mut server, &disk, number);
        server.write_until_there_is_space();
        server.close();
    });
}

/// Every second file of a disk that the share itself has filled: objects of 64 MiB that are half dead each.
fn remove_every_second(server: &mut Server) {
    let files = server.files();
    for number in files.iter().step_by(2) {
        server.remove(*number);
    }
    server.verify();
}

#[test]
fn removals_free_space_on_a_copying_disk() {
    with_disks("copying::removals_free_space_on_a_copying_disk", |folder| {
        let Some(disk) = Disk::mount_btrfs(&folder.join("image"), &folder.join("small"), 512) else { return };
        let folders = Folders { content: disk.0.join("content"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        for _ in 0..2 {
            server.fill(600);
            remove_every_second(&mut server);
            server.write_until_there_is_space();
            server.verify();
        }
        server.kill_and_start();
        server.verify();
        server.close();
    });
}

/// Then such a disk takes not even the news of what is not needed any more. Some room, and the rest comes back by itself.
#[test]
fn removals_free_space_on_a_copying_disk_that_was_full_to_the_last_byte_once_it_has_some_room() {
    const TEST: &str =
        "copying::removals_free_space_on_a_copying_disk_that_was_full_to_the_last_byte_once_it_has_some_room";
    with_disks(TEST, |folder| {
        let Some(disk) = Disk::mount_btrfs(&folder.join("image"), &folder.join("small"), 512) else { return };
        let folders = Folders { content: disk.0.join("content"), ..Folders::below(folder) };
        let mut server = Server::start(folders);
        let filled = server.fill(600);
        for _ in 0..3 {
            disk.fill_but(0);
            disk.sync();
        }
        remove_every_second(&mut server);
        let began = Instant::now();
        let number = server.files()[0];
        while began.elapsed() < FULL_FOR {
            assert_eq!(server.write(number), Err(FsError::NoSpace));
        }
        server.verify();
        disk.give_back();
        disk.sync();
        server.write_until_there_is_space();
        let (began, mut again) = (Instant::now(), 0);
        // Far more than the other program had.
        while again < filled / 3 {
            again += server.fill(600);
            assert!(began.elapsed() < LONG, "{again} of {filled} MiB");
        }
        server.verify();
        server.kill_and_start();
        server.verify();
        remove_every_second(&mut server);
        server.write_until_there_is_space();
        server.close();
    });
}

//! A disk that copies on write has no room for what is written over, once it is full.

use std::time::{Duration, Instant};

use dittofs_domain::error::FsError;

use crate::{
    disk::Disk,
    server::{Folders, Server},
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

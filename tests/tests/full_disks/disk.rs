//! Small file systems of their own, which others fill as well.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Set in the process that may mount: the name of the test that it runs.
const INSIDE: &str = "FULL_DISKS_INSIDE";
const HOG: &str = "of-another-program";

/// Whether the calling test may mount file systems. If not, it is run again in a process with mounts of its own, or
/// says why that can't be.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        return true;
    }
    let can = |program: &str| {
        let tried = Command::new("unshare").args(["--mount", program]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    if !is_root() || !can("true") {
        println!("skipped: mounting small file systems needs root, and `unshare`");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new("unshare");
    again.arg("--mount").arg(program).args([test, "--exact", "--nocapture"]).env(INSIDE, test);
    assert!(again.status().unwrap().success(), "{test} failed in a process with mounts of its own");
    false
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// A small file system, in memory or in a file. It goes with the process.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    /// One that copies on write: it needs room for what is written over, too. None where the machine can't have one.
    pub(crate) fn mount_btrfs(image: &Path, at: &Path, mebibytes: u64) -> Option<Disk> {
        fs::create_dir_all(at).unwrap();
        File::create(image).unwrap().set_len(mebibytes << 20).unwrap();
        let runs = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        // Data and metadata together: they fill up at the same time, and a small disk is not divided into parts.
        if !runs(Command::new("mkfs.btrfs").args(["-q", "--mixed"]).arg(image)) {
            println!("skipped: a disk that copies on write needs `mkfs.btrfs`, of btrfs-progs");
            return None;
        }
        if !runs(Command::new("mount").args(["-t", "btrfs", "-o", "loop"]).arg(image).arg(at)) {
            println!("skipped: this system can't mount btrfs from a file");
            return None;
        }
        Some(Disk(at.to_owned()))
    }

    pub(crate) fn mount(at: &Path, mebibytes: u64) -> Disk {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success());
        Disk(at.to_owned())
    }

    /// Another program fills it, but for so much.
    pub(crate) fn fill_but(&self, left: u64) {
        let mut hog = File::options().append(true).create(true).open(self.0.join(HOG)).unwrap();
        let zeros = vec![0; 64 << 10];
        loop {
            match hog.write_all(&zeros) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        // A disk that copies on write has no room for that either, where nothing is to be left.
        if left > 0 {
            let length = hog.metadata().unwrap().len();
            hog.set_len(length.saturating_sub(left)).unwrap();
        }
    }

    /// Makes the file system do what it holds back.
    pub(crate) fn sync(&self) {
        assert!(Command::new("sync").arg("--file-system").arg(&self.0).status().unwrap().success());
    }

    /// Gives back the bytes that it took.
    pub(crate) fn give_back(&self) {
        fs::remove_file(self.0.join(HOG)).unwrap();
    }
}

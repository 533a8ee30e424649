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

/// A small file system, in memory. It goes with the process.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
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
        let length = hog.metadata().unwrap().len();
        hog.set_len(length.saturating_sub(left)).unwrap();
    }

    /// It takes its bytes away.
    pub(crate) fn give_back(&self) {
        fs::remove_file(self.0.join(HOG)).unwrap();
    }
}

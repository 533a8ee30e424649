//! The user that the server runs as.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

/// A user. None: the one that runs the tests, who is not root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    /// The user for servers.
    pub(crate) fn of_server() -> Account {
        if user_of_this_process() != 0 {
            return Account(None);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let find = |name: &str| users.lines().find_map(|line| ids(line, name));
        Account(Some(find("postgres").or_else(|| find("nobody")).expect("there is a user that is not root")))
    }

    /// A program, to be run as this user.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }

    /// Gives a file or a folder to this user.
    pub(crate) fn own(&self, path: &Path) {
        if let Some((user, group)) = self.0 {
            std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// The number of this user.
    pub(crate) fn number(&self) -> u32 {
        self.0.map_or_else(user_of_this_process, |(user, _)| user)
    }
}

fn user_of_this_process() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

fn ids(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    if fields.next() != Some(name) {
        return None;
    }
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

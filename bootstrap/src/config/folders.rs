//! Where files are kept: the data folder, and the folders of stores and journal, none of which may lie in another.

use std::os::unix::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use super::problem::Report;

/// The facts that decide where data go if nobody has named a folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// Whether the root user runs the program.
    pub(super) is_root: bool,
    /// `XDG_DATA_HOME`.
    pub(super) data_home: Option<PathBuf>,
    /// `HOME`.
    pub(super) home: Option<PathBuf>,
}

/// The name of the local socket.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
const OF_ROOT: &str = "/var/lib/dittofs";
const OF_USER: &str = "dittofs";

impl Surroundings {
    fn data(&self) -> Option<PathBuf> {
        if self.is_root {
            return Some(PathBuf::from(OF_ROOT));
        }
        // A relative path in these variables is to be ignored (XDG Base Directory Specification).
        let absolute = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        let home = absolute(&self.data_home).or_else(|| Some(absolute(&self.home)?.join(".local/share")));
        Some(home?.join(OF_USER))
    }
}

/// Collects the folders that a configuration names, and refuses those that meet.
pub(super) struct Folders<'r> {
    /// The data folder, and whether somebody has named it.
    data: Option<PathBuf>,
    is_named: bool,
    claimed: Vec<(String, PathBuf)>,
    report: &'r Report,
}

impl<'r> Folders<'r> {
    /// `named` is the data folder as it was written; one that is relative is below the working folder.
    pub(super) fn new(named: Option<&Path>, surroundings: &Surroundings, report: &'r Report) -> Self {
        let data = match named {
            Some(named) => std::path::absolute(named).ok(),
            None => surroundings.data(),
        };
        let data = data.map(|data| lexical(&data));
        Self { data, is_named: named.is_some(), claimed: Vec::new(), report }
    }

    /// Takes a folder for what stands at `key`: where it is, absolute.
    pub(super) fn claim(&mut self, key: &str, written: &Path) -> Option<PathBuf> {
        if written.as_os_str().is_empty() {
            self.report.refuse(key, "is empty", "name a folder of its own");
            return None;
        }
        let Some(data) = &self.data else {
            let fix = "name it by --data or by the key data";
            self.report.refuse("data", "is missing, and there is no home folder to put it in", fix);
            return None;
        };
        let folder = lexical(&data.join(written));
        if data.starts_with(&folder) {
            let found = format!("{} is, or is around, the data folder {}", folder.display(), data.display());
            self.report.refuse(key, found, "name a folder of its own, such as one below the data folder");
            return None;
        }
        let meets = |(_, other): &&(String, PathBuf)| other.starts_with(&folder) || folder.starts_with(other);
        if let Some((other_key, other)) = self.claimed.iter().find(meets) {
            let found = match *other == folder {
                true => format!("{} is the folder of {other_key} too", folder.display()),
                false => format!("{} and {} of {other_key} lie within each other", folder.display(), other.display()),
            };
            self.report.refuse(key, found, "give each a folder of its own");
        }
        self.claimed.push((key.to_owned(), folder.clone()));
        Some(folder)
    }

    /// Where a file is that is not the server's own: absolute, and in none of the folders so far.
    pub(super) fn file(&self, key: &str, written: &Path) -> Option<PathBuf> {
        let Some(file) = std::path::absolute(self.data.as_deref().unwrap_or(Path::new("")).join(written)).ok() else {
            self.report.refuse(key, format!("{} has no place", written.display()), "write an absolute path");
            return None;
        };
        let file = lexical(&file);
        if let Some((other_key, other)) = self.claimed.iter().find(|(_, other)| file.starts_with(other)) {
            let found = format!("{} is in the folder {} of {other_key}", file.display(), other.display());
            self.report.refuse(key, found, "name a file outside of it");
            return None;
        }
        Some(file)
    }

    /// Whether there is a data folder: somebody has named it, or something needs it.
    pub(super) fn has_data(&self) -> bool {
        self.data.is_some() && (self.is_named || !self.claimed.is_empty())
    }

    /// The data folder; none where nobody named one and nothing needs one.
    pub(super) fn data(self) -> Option<PathBuf> {
        let data = self.data.filter(|_| self.is_named || !self.claimed.is_empty())?;
        if SocketAddr::from_pathname(control_socket(&data)).is_err() {
            // The system takes 104 to 108 bytes for the path of a socket.
            let found = format!("{} is too long: the local socket in it could not be made", data.display());
            self.report.refuse(
                "data",
                found,
                "name one with a shorter path (fewer than 90 bytes), by --data or by this key",
            );
        }
        Some(data)
    }
}

/// The local socket in a data folder, through which commands reach the running server.
pub(crate) fn control_socket(data: &Path) -> PathBuf {
    data.join(CONTROL_SOCKET)
}

/// The path without `.` and `..`, as far as that is known without looking.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests;

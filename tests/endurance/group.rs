//! The control group that the server is in, of version 1 or 2.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The group that bounds its memory.
pub(crate) struct Group {
    folder: PathBuf,
    is_v2: bool,
}

impl Group {
    pub(crate) fn new(folder: &Path) -> Group {
        Group { is_v2: folder.join("memory.max").exists(), folder: folder.to_owned() }
    }

    /// Bytes of memory that no file has.
    pub(crate) fn anonymous(&self) -> u64 {
        self.field("memory.stat", if self.is_v2 { "anon" } else { "total_rss" })
    }

    /// Bytes of memory now, with pages of files and the kernel's.
    pub(crate) fn now(&self) -> u64 {
        self.number(if self.is_v2 { "memory.current" } else { "memory.usage_in_bytes" })
    }

    /// The most bytes of memory that it had.
    pub(crate) fn most(&self) -> u64 {
        self.number(if self.is_v2 { "memory.peak" } else { "memory.max_usage_in_bytes" })
    }

    /// The bytes that it may have.
    pub(crate) fn limit(&self) -> u64 {
        self.number(if self.is_v2 { "memory.max" } else { "memory.limit_in_bytes" })
    }

    /// Processes that were ended for want of memory.
    pub(crate) fn kills(&self) -> u64 {
        self.field(if self.is_v2 { "memory.events" } else { "memory.oom_control" }, "oom_kill")
    }

    fn number(&self, file: &str) -> u64 {
        fs::read_to_string(self.folder.join(file)).unwrap().trim().parse().unwrap()
    }

    fn field(&self, file: &str, name: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join(file)).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {file}")).trim().parse().unwrap()
    }
}

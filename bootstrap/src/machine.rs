//! The resources that the machine gives to this process.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bytes of memory that the process may use: the machine's, or the least of the limits of its control groups (version 1
/// or 2). None where none of them can be read.
pub(crate) fn memory_bytes() -> Option<u64> {
    memory_below(Path::new("/"))
}

/// Raises the limit of file descriptors as far as the process may.
pub(crate) fn raise_descriptors() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // It fails only where the system allows fewer than the limit says; what was before is then kept.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Keeps the system from giving the process huge pages, which the allocator asks for. A huge page that has holes is filled
/// up again, so that memory which was given back stays: with three shares and 100 clients the server grew by 60 MiB a minute,
/// three times what it used, until its control group of 512 MiB ended it.
pub(crate) fn leave_huge_pages() {
    #[cfg(target_os = "linux")]
    // It fails only where the system has none.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// The file descriptors that the process may have; none: there is no limit.
pub(crate) fn descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

fn memory_below(root: &Path) -> Option<u64> {
    let machine = fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| total_of(&text));
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(|line| limit_files(root, line)).filter_map(|file| number_in(&file));
    limits.chain(machine).min()
}

fn total_of(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Files with the limits of a control group and of those that it is in. In a container its path may be that of the host,
/// which is not there: the topmost one is the container's then.
fn limit_files(root: &Path, line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, name) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    let group = Path::new(path.trim_start_matches('/'));
    group.ancestors().map(|group| root.join(mount).join(group).join(name)).collect()
}

/// None where the file is not there, or says `max`.
fn number_in(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;

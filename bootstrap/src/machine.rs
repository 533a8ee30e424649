//! What the machine gives to this process.

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
mod tests {
    use super::*;

    /// What is found on a machine of 8 GiB with these files.
    fn found(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        let meminfo = ("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n");
        for (path, text) in files.iter().chain([&meminfo]) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        memory_below(root.path())
    }

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_least_of_machine_and_control_groups_counts() {
        assert_eq!(found(&[]), Some(8 * GIB));
        let v2 = ("proc/self/cgroup", "0::/system.slice/dittofs.service\n");
        let service = "sys/fs/cgroup/system.slice/dittofs.service/memory.max";
        let slice = "sys/fs/cgroup/system.slice/memory.max";
        assert_eq!(found(&[v2, (service, "1073741824\n")]), Some(GIB));
        assert_eq!(found(&[v2, (service, "max\n"), (slice, "2147483648\n")]), Some(2 * GIB));
        assert_eq!(found(&[v2, (service, "max\n")]), Some(8 * GIB));
        // A container that sees its own group as the topmost.
        assert_eq!(found(&[v2, ("sys/fs/cgroup/memory.max", "536870912\n")]), Some(GIB / 2));
    }

    #[test]
    fn limits_of_version_1_count_too() {
        let v1 = ("proc/self/cgroup", "5:cpu,cpuacct:/x\n3:memory:/docker/ab\n1:name=systemd:/x\n");
        let limit = "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes";
        assert_eq!(found(&[v1, (limit, "1073741824\n")]), Some(GIB));
        assert_eq!(found(&[v1, (limit, "9223372036854771712\n")]), Some(8 * GIB));
        assert_eq!(found(&[v1, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n")]), Some(GIB));
    }

    #[test]
    fn descriptors_are_raised_to_the_hard_limit() {
        raise_descriptors();
        assert_eq!(descriptors(), getrlimit(Resource::Nofile).maximum);
    }
}

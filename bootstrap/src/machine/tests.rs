use super::*;

/// Returns the memory that is found on a machine of 8 GiB with these files.
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

#[cfg(target_os = "linux")]
#[test]
fn the_system_gives_no_huge_pages() {
    leave_huge_pages();
    assert_eq!(rustix::thread::transparent_huge_pages_are_disabled().ok(), Some(true));
}

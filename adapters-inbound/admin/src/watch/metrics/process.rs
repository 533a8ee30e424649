//! The process, as the system sees it.

use std::{
    fs,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::watch::exposition::Exposition;

/// The unit of processor times under `/proc`, in hertz: the same on all machines that Linux runs on today.
const USER_HZ: f64 = 100.0;

pub(super) fn put(out: &mut Exposition, started: Instant, started_at: SystemTime) {
    out.gauge("dittofs_build_info", "Always 1; its label is the running version.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.gauge("dittofs_uptime_seconds", "Time since the server started.").sample(&[], started.elapsed().as_secs_f64());
    let started_at = started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    out.gauge("process_start_time_seconds", "Start time, in seconds since 1970.").sample(&[], started_at.as_secs_f64());
    let mut resident = out.gauge("process_resident_memory_bytes", "Resident memory.");
    if let Some(bytes) = memory("VmRSS:") {
        resident.sample(&[], bytes);
    }
    let mut anonymous =
        out.gauge("dittofs_anonymous_memory_bytes", "Resident memory without mapped files, such as journals.");
    if let Some(bytes) = memory("RssAnon:") {
        anonymous.sample(&[], bytes);
    }
    let mut processor = out.counter("process_cpu_seconds_total", "CPU time used.");
    if let Some(seconds) = processor_seconds() {
        processor.sample(&[], seconds);
    }
    let mut files = out.gauge("process_open_fds", "Open files and sockets.");
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        files.sample(&[], entries.count());
    }
}

fn memory(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold spaces. After it: state, 10 other fields, then user and system time.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    let [user, system] = ticks[..] else { return None };
    Some(user.saturating_add(system) as f64 / USER_HZ)
}

//! The server as a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// One share in memory that takes everyone at their word: suites act as root and as other users.
pub const ONE_SHARE: &str = include_str!("../kernel/memory-share.yaml");

/// A running server, which ends with this value.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

/// How a server ended.
#[derive(Debug)]
pub struct Stopped {
    /// Its status.
    pub status: ExitStatus,
    /// From the signal to the end.
    pub after: Duration,
}

const LOG: &str = "log";
const POLL: Duration = Duration::from_millis(5);

impl Server {
    /// Starts `program` with this configuration, on a port that it chooses, and waits until it serves.
    pub fn start(program: &Path, configuration: &str) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dittofs.yaml");
        fs::write(&file, configuration).unwrap();
        let log = fs::File::create(folder.path().join(LOG)).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(file).arg("--data").arg(folder.path().join("data"));
        command.args(["--nfs", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let Some(port) = port_of(&line) else {
            // Its end is what matters here, whatever its status.
            let _ = child.wait();
            panic!("the server did not start: {}", fs::read_to_string(folder.path().join(LOG)).unwrap());
        };
        // What it prints later must not fill the pipe.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Server { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), folder }
    }

    /// Where it serves NFS and MOUNT.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to stop by SIGTERM, and waits for its end.
    pub fn stop(mut self) -> Stopped {
        let began = Instant::now();
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Stopped { status, after: began.elapsed() };
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not end");
            thread::sleep(POLL);
        }
    }

    /// What it has used of the processors, in ticks of 10 ms.
    pub fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name, in parentheses, may hold spaces. After it: state, 10 other fields, then user and system time.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// The bytes of memory that it holds now.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
            eprintln!("the server's log:\n{log}");
        }
    }
}

/// The port in the mount command that the server prints first.
fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once(",port=")?;
    rest.split(',').next()?.parse().ok()
}

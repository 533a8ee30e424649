//! The server as a process of its own.

mod home;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

pub use home::{Home, Refused};

/// One share in memory that takes everyone at their word: suites act as root and as other users.
pub const ONE_SHARE: &str = include_str!("../kernel/memory-share.yaml");

/// A running server, which ends with this value.
pub struct Server {
    child: Child,
    address: SocketAddr,
    mount_command: String,
    home: Home,
}

/// How a server ended.
#[derive(Debug)]
pub struct Stopped {
    /// Its status.
    pub status: ExitStatus,
    /// From the signal to the end.
    pub after: Duration,
}

const POLL: Duration = Duration::from_millis(5);

impl Server {
    /// Starts `program` with this configuration, on a port that it chooses, and waits until it serves.
    pub fn start(program: &Path, configuration: &str) -> Server {
        Home::new(program, Some(configuration)).start()
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it serves NFS and MOUNT.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mount command that it printed first.
    pub fn mount_command(&self) -> &str {
        &self.mount_command
    }

    /// Asks it to stop by SIGTERM, and waits for its end.
    pub fn stop(self) -> Stopped {
        self.terminate();
        self.wait()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Ends it by SIGKILL, in whatever it is doing.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Stopped {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Stopped { status, after: began.elapsed() };
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not end");
            thread::sleep(POLL);
        }
    }

    /// Returns the processor time that it has used, in ticks of 10 ms.
    pub fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name, in parentheses, may hold spaces. After it: state, 10 other fields, then user and system time.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// The bytes of memory that it holds now.
    pub fn resident_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most bytes of memory that it has held.
    pub fn resident_bytes_max(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The bytes of memory that it holds now and that the system can't take back by writing them to a file.
    pub fn anonymous_bytes(&self) -> u64 {
        self.memory("RssAnon:")
    }

    fn memory(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
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
            eprintln!("the server's log:\n{}", self.home.log());
        }
    }
}

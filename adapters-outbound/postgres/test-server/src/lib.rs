//! A real PostgreSQL server for tests: a cluster of its own in a temporary folder, on a port of the loopback
//! interface.
//!
//! PostgreSQL refuses to run as root, so where the tests do, it runs as the user `postgres`, or as `nobody`. A cluster
//! takes a second to make; it is made once for a machine, and copied for each server.
//!
//! The server ends with the process that started it, however that ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that has no server fails")]

mod account;
mod pgbouncer;
mod plain;
mod proxy;
mod template;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use account::Account;
pub use pgbouncer::Pgbouncer;
pub use plain::Plain;
pub use proxy::{Cut, Proxy, Stop};

/// The owner of the database.
pub const USER: &str = "dittofs";
/// That user's password.
pub const PASSWORD: &str = "correct horse";
/// The database.
pub const DATABASE: &str = "dittofs";

/// How long a server may take to answer after its start. Far more than it needs, for machines that are busy.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Why a start fails that is tried again: somebody else has the port; or processes of a server that crashed, which end
/// by themselves, have not ended yet, as on a machine that is busy.
const PASSING: [&str; 2] = ["could not bind", "is still in use"];

/// Ends the server when its input ends, which it does with the process that started it.
const WATCH: &str = r#""$@" >>"$LOG" 2>&1 </dev/null & pid=$!; echo "$pid"; read -r end
kill -CONT "$pid"; kill "-${end:-QUIT}" "$pid"; wait "$pid""#;

/// A server.
pub struct PostgresServer {
    folder: TempDir,
    account: Account,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
}

struct Running {
    watcher: Child,
    input: ChildStdin,
    pid: String,
}

impl PostgresServer {
    /// Starts a server with an empty database.
    pub fn start() -> PostgresServer {
        PostgresServer::with(&[])
    }

    /// Starts a server with settings of its own, each `name=value`.
    pub fn with(settings: &[&str]) -> PostgresServer {
        let account = Account::of_server();
        let folder = tempfile::tempdir().unwrap();
        account.own(folder.path());
        template::copy(&account, &folder.path().join("data"));
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = PostgresServer { folder, account, port: free_port(), settings, running: None };
        server.start_again();
        server
    }

    /// The port of 127.0.0.1 where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the database's owner connects to.
    pub fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{DATABASE}", PASSWORD.replace(' ', "%20"), self.port)
    }

    /// The database as `pg_dump` writes it.
    pub fn dump(&self) -> Vec<u8> {
        let output = Command::new(template::binary("pg_dump")).arg("--format=custom").arg(self.url()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Puts what was dumped into the database, which is empty.
    pub fn restore(&self, dump: &[u8]) {
        let mut restoring = Command::new(template::binary("pg_restore"));
        let restoring = restoring.args(["--exit-on-error", "--no-owner", "--dbname"]).arg(self.url());
        let mut restoring = restoring.stdin(Stdio::piped()).spawn().unwrap();
        restoring.stdin.take().unwrap().write_all(dump).unwrap();
        assert!(restoring.wait().unwrap().success());
    }

    /// The folder of its cluster.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Replaces the rules of who may connect how (`pg_hba.conf`), for servers that are started after it.
    pub fn admit(&self, rules: &str) {
        fs::write(self.data().join("pg_hba.conf"), rules).unwrap();
    }

    /// Changes settings, for servers that are started after it.
    pub fn set(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
    }

    /// Puts a file into the cluster's folder that only the server may read, as it demands of keys.
    pub fn put(&self, name: &str, content: &[u8]) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.data().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.account.own(&path);
    }

    /// Starts the server again, on the same port with the same data.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs");
        let until = Instant::now() + READY_WITHIN;
        loop {
            let before = self.log().len();
            self.launch();
            if self.is_ready(until) {
                return;
            }
            let log = self.log();
            let passes = PASSING.iter().any(|reason| log.get(before..).unwrap_or_default().contains(reason));
            assert!(passes && Instant::now() < until, "PostgreSQL did not start:\n{log}");
            self.end("QUIT");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends the server in order.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Ends the server as a crash does, all its processes at once: what it had acknowledged is in its log of changes.
    pub fn crash(&mut self) {
        let _gone = self.pid();
        self.signal_all("KILL");
        self.end("KILL");
        fs::remove_file(self.data().join("postmaster.pid")).ok();
    }

    /// Stops all its processes where they are; [`PostgresServer::resume`] lets them go on.
    pub fn pause(&self) {
        self.signal_all("STOP");
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.signal_all("CONT");
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn pid(&self) -> &str {
        &self.running.as_ref().expect("the server runs").pid
    }

    /// The processor time that its living processes have used, in ticks of 10 ms.
    pub fn processor_ticks(&self) -> u64 {
        self.processes().iter().map(|process| ticks(process)).sum()
    }

    /// Signals the main process first, so that it does not replace those that end.
    fn signal_all(&self, signal: &str) {
        self.processes().iter().for_each(|process| signal_process(signal, process));
    }

    fn processes(&self) -> Vec<String> {
        let main = self.pid().to_owned();
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned).collect();
        [vec![main], children].concat()
    }

    fn launch(&mut self) {
        let log = self.folder.path().join("log");
        let mut command = self.account.command("sh");
        command.arg("-c").arg(WATCH).arg("sh").arg(template::binary("postgres")).arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        let fixed = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB", "autovacuum=off"];
        let settings = fixed.iter().copied().chain([port.as_str()]).chain(self.settings.iter().map(String::as_str));
        settings.for_each(|setting| {
            command.arg("-c").arg(setting);
        });
        command.env("LOG", &log).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut watcher = command.spawn().expect("a shell can be started");
        let input = watcher.stdin.take().unwrap();
        let mut pid = String::new();
        BufReader::new(watcher.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        self.running = Some(Running { watcher, input, pid: pid.trim().to_owned() });
    }

    fn is_ready(&self, until: Instant) -> bool {
        let lock = self.data().join("postmaster.pid");
        while Instant::now() < until {
            let status = fs::read_to_string(&lock).unwrap_or_default();
            if status.lines().next() == Some(self.pid())
                && status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
            {
                return true;
            }
            // A process that has ended stays until its watcher, which waits for our word, has waited for it.
            let state = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn end(&mut self, signal: &str) {
        let Some(Running { mut watcher, mut input, .. }) = self.running.take() else { return };
        writeln!(input, "{signal}").ok();
        drop(input);
        watcher.wait().ok();
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.running.is_some() {
            // A paused process can't end.
            self.resume();
        }
        self.end("QUIT");
    }
}

fn signal_process(signal: &str, pid: &str) {
    // One that has ended meanwhile is none to tell.
    Command::new("kill").arg(format!("-{signal}")).arg(pid).stderr(Stdio::null()).status().unwrap();
}

/// The processor time of a process; nothing once it has ended.
fn ticks(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces. After it: state, 10 other fields, then user and system time.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether a path is there.
fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}

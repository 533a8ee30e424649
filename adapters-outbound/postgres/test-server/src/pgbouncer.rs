//! A pooler between clients and a server.

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{DATABASE, PASSWORD, PostgresServer, READY_WITHIN, USER, WATCH, free_port};

/// Where Debian has it, which is not in everybody's `PATH`.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// The pooler; it ends with this value, or with the process that started it.
pub struct Pgbouncer {
    folder: TempDir,
    port: u16,
    watcher: Child,
    input: Option<ChildStdin>,
}

impl Pgbouncer {
    /// Starts one that passes all clients on to a server as its owner, without asking for a password.
    /// - `mode`: to whom it gives a session for how long (`pool_mode`).
    /// - `ignored`: parameters of a client's start that it drops; others that it does not know it refuses
    ///   (`ignore_startup_parameters`).
    pub fn start(server: &PostgresServer, mode: &str, ignored: &str) -> Pgbouncer {
        assert!(Path::new(PROGRAM).exists(), "pgbouncer is not installed: apt-get install pgbouncer");
        let folder = tempfile::tempdir().unwrap();
        let (port, file) = (free_port(), folder.path().join("pgbouncer.ini"));
        let database = format!("host=127.0.0.1 port={} user={USER} password='{PASSWORD}'", server.port);
        let ignored = if ignored.is_empty() { String::new() } else { format!("ignore_startup_parameters = {ignored}") };
        let settings = format!(
            "[databases]\n{DATABASE} = {database}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\n{ignored}\n"
        );
        fs::write(&file, settings).unwrap();
        server.account.own(folder.path());
        server.account.own(&file);
        let mut command = server.account.command("sh");
        command.arg("-c").arg(WATCH).arg("sh").arg(PROGRAM).arg(&file).env("LOG", folder.path().join("log"));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watcher = command.spawn().expect("a shell can be started");
        let input = watcher.stdin.take();
        let pooler = Pgbouncer { folder, port, watcher, input };
        let until = Instant::now() + READY_WITHIN;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "pgbouncer did not start:\n{}", pooler.log());
            thread::sleep(Duration::from_millis(10));
        }
        pooler
    }

    /// The port of 127.0.0.1 where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        if let Some(mut input) = self.input.take() {
            writeln!(input, "KILL").ok();
        }
        self.watcher.wait().ok();
    }
}

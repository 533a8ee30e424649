//! A folder in which servers run, one after the other.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::Arc,
    thread,
};

use tempfile::TempDir;

use super::Server;

const LOG: &str = "log";
const CONFIGURATION: &str = "dittofs.yaml";

/// A folder with the data of a server, and with its configuration if it has one. Copies are the same folder, which goes
/// with the last of them.
#[derive(Clone)]
pub struct Home {
    folder: Arc<TempDir>,
    program: PathBuf,
    variables: Vec<(String, String)>,
}

/// How a server ended that did not come to serve.
#[derive(Debug)]
pub struct Refused {
    /// Its status.
    pub status: ExitStatus,
    /// The log that it wrote.
    pub log: String,
}

impl Home {
    /// An empty one; without a configuration the server does what it does by default.
    pub fn new(program: &Path, configuration: Option<&str>) -> Home {
        let home =
            Home { folder: Arc::new(tempfile::tempdir().unwrap()), program: program.to_owned(), variables: Vec::new() };
        if let Some(configuration) = configuration {
            home.configure(configuration);
        }
        home
    }

    /// The same folder; its programs have this variable of the environment.
    #[must_use]
    pub fn with_variable(mut self, variable: &str, value: &str) -> Home {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The folder around it all.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the next server another configuration.
    pub fn configure(&self, configuration: &str) {
        fs::write(self.folder.path().join(CONFIGURATION), configuration).unwrap();
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns the log of the newest server.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// Starts a server, on a port that it chooses, and waits until it serves: clients in user space too, which suites are.
    pub fn start(&self) -> Server {
        self.try_start(&[]).unwrap_or_else(|refused| panic!("the server did not start: {}", refused.log))
    }

    /// The same with more options; the server may refuse.
    pub fn try_start(&self, options: &[&str]) -> Result<Server, Refused> {
        self.launch(&[&["--insecure-ports"], options].concat())
    }

    /// A server that takes the source ports that its configuration says.
    pub fn start_as_configured(&self) -> Server {
        self.launch(&[]).unwrap_or_else(|refused| panic!("the server did not start: {}", refused.log))
    }

    fn launch(&self, options: &[&str]) -> Result<Server, Refused> {
        let log = fs::File::create(self.folder.path().join(LOG)).unwrap();
        let mut command = self.command(&["serve", "--nfs", "127.0.0.1:0"]);
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let Some(port) = port_of(&line) else {
            return Err(Refused { status: child.wait().unwrap(), log: self.log() });
        };
        // Lines that it prints later must not fill the pipe.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Server { child, address, mount_command: line.trim_end().to_owned(), home: self.clone() })
    }

    /// Runs another command of the program on this folder.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().unwrap()
    }

    /// The same, with something to read on its standard input.
    pub fn run_with(&self, words: &[&str], input: &str) -> Output {
        let mut command = self.command(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that refuses does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--data").arg(self.data());
        command.envs(self.variables.iter().map(|(variable, value)| (variable, value)));
        let configuration = self.folder.path().join(CONFIGURATION);
        if configuration.exists() {
            command.arg("--config").arg(configuration);
        }
        command
    }
}

/// The port in the mount command that the server prints first.
fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once(",port=")?;
    rest.split(',').next()?.parse().ok()
}

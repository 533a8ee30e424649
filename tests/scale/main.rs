//! Does the time per entry grow with their number? Creates, lists and removes many files in one directory and many
//! directories, wide and deep, over NFS; prints the time per entry of each step by tenths of the run, and the server's
//! memory per node. Fails where the last tenth of a step took more than three times the first, an entry.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod steps;
mod tenths;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use dittofs_tests::{
    rpc::{Credential, RpcConnection},
    server::{ONE_SHARE, Server},
};
use steps::Steps;

/// The server keeps replies up to a bound, which a short run does not reach before it measures.
const REPLIES_KEPT_BYTES: u64 = 32 << 20;

/// How much of everything, and whose.
#[derive(Parser)]
struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Files in one directory.
    #[arg(long, default_value_t = 1_000_000)]
    files: usize,
    /// Directories: half of them in one directory, half in chains.
    #[arg(long, default_value_t = 200_000)]
    directories: usize,
    /// Directories in a chain.
    #[arg(long, default_value_t = 100)]
    depth: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let server = Server::start(&options.program, ONE_SHARE);
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    let root = connection.mount("/export");
    let began = Instant::now();
    let empty = server.resident_bytes();
    let mut memory = Memory { before: empty, server: &server };
    println!("{:<22} {:>9} {:>69} {:>10}", "step", "entries", "us per entry, by tenths of the run", "last/first");

    let mut steps = Steps::new(&server, connection, root);
    let wide = options.directories / 2;
    let chains = (options.directories - wide) / options.depth;
    let files = steps.make_files(options.files);
    memory.print("files", options.files);
    let broad = steps.make_wide(wide);
    memory.print("directories", wide);
    let deep = steps.make_deep(chains, options.depth);
    memory.print("directories, deep", chains * options.depth);
    steps.list_flat("list files", &files, options.files);
    steps.list_flat("list wide", &broad, wide);
    steps.list_deep(&deep);
    steps.remove_files(&files, options.files);
    steps.remove_wide(&broad, wide);
    steps.remove_deep(deep);

    let most = memory.before;
    steps.make_files_again(&files, options.files);
    let again = server.resident_bytes();

    let nodes = options.files + wide + chains * options.depth;
    println!("{nodes} nodes in {:.1} s", began.elapsed().as_secs_f64());
    println!(
        "memory: {} MiB empty, {} MiB with all, {} MiB with the files again",
        empty >> 20,
        most >> 20,
        again >> 20
    );
    let mut failures: Vec<String> =
        steps.slow().iter().map(|step| format!("{step}: slower at the end than three times the start")).collect();
    if again > most + most / 4 + REPLIES_KEPT_BYTES {
        failures.push("what removed nodes took is not used again".to_owned());
    }
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The growth of the server's memory.
struct Memory<'s> {
    before: u64,
    server: &'s Server,
}

impl Memory<'_> {
    fn print(&mut self, what: &str, nodes: usize) {
        let now = self.server.resident_bytes();
        let more = now.saturating_sub(self.before);
        let each = more / nodes.max(1) as u64;
        println!("memory: {} MiB with {nodes} {what} more: {each} bytes a node", now >> 20);
        self.before = now;
    }
}

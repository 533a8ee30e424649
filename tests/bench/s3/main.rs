//! How fast is a share whose content is behind a network? An S3 server of this process, before it a proxy that makes each
//! request wait, and the real server; measured beside what the same store gives without the server. Writes a report.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod limits;
mod phases;
mod sampler;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy},
    report::Report,
    s3::S3Server,
};
use phases::Rig;

const HEAD: &str = "# Performance with content in S3

Written by `tests/bench/s3.sh`; do not edit.

The server is a release build, with its content in an S3 server (`s3s-fs`) on the same machine. A
proxy between them delays each request, then passes on the whole request, and later the whole
answer. Client, server, proxy and store share the machine's cores, which limit the rates. The limits
are the rates of the same store through the same proxy to the same HTTP client without the server,
at the best of several depths.";

/// Measures a server whose content is behind a network.
#[derive(Parser)]
pub(crate) struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Where the report goes.
    #[arg(long)]
    output: PathBuf,
    /// Mebibytes of the file.
    #[arg(long, default_value_t = 1_024)]
    mib: u64,
    /// Random reads.
    #[arg(long, default_value_t = 4_000)]
    reads: usize,
    /// Small files.
    #[arg(long, default_value_t = 20_000)]
    files: usize,
    /// How often reads are measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Milliseconds that each request waits in the proxy.
    #[arg(long, default_value_t = 20)]
    delay: u64,
    /// Lines for the head of the report.
    #[arg(long)]
    fact: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let delay = Duration::from_millis(options.delay);
    proxy.rule(move |_| Fate::Delay(delay));
    let mut facts = options.fact.clone();
    facts.push(format!("Each request waits {} ms", options.delay));
    let mut report = Report::new(HEAD, &facts);
    let mut rig = Rig::new(&options, &proxy, &mut report);
    rig.sequential_write();
    rig.cold_reads();
    rig.small_files();
    drop(rig);
    std::fs::write(&options.output, report.text()).unwrap();
    print!("{}", report.table());
    if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

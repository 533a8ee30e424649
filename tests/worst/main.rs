//! Measures what the worst clients do to a neighbour, and to the server's memory: prints how long the neighbour's
//! GETATTRs took beside each, and the most memory that the server held. Fails where a bound is exceeded, if one is
//! given.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use dittofs_tests::{
    server::{Home, Server},
    worst::{self, Latencies},
};
use nfs3_types::nfs3::nfs_fh3;

/// Which server, and how bad its clients are.
#[derive(Parser)]
struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Its configuration.
    #[arg(long)]
    configuration: PathBuf,
    /// Entries of the giant directory.
    #[arg(long, default_value_t = 200_000)]
    entries: usize,
    /// Slices of the file that is written byte by byte.
    #[arg(long, default_value_t = 400_000)]
    slices: usize,
    /// How long listings go on.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Fail if the neighbour's 99th percentile beside any of them is above this.
    #[arg(long)]
    p99_ms_max: Option<u64>,
    /// Fail if the server held more memory than this.
    #[arg(long)]
    resident_mib_max: Option<u64>,
}

/// The measurements.
struct Report {
    worst: Duration,
}

impl Report {
    fn print(&mut self, what: &str, latencies: &Latencies, server: &Server) {
        let ms = |share| latencies.quantile(share).as_secs_f64() * 1e3;
        println!(
            "{what:<44} {:>8} {:>9.2} {:>9.2} {:>9.2} {:>8}",
            latencies.calls(),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            server.resident_bytes_max() >> 20
        );
        self.worst = self.worst.max(latencies.quantile(0.99));
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let configuration = std::fs::read_to_string(&options.configuration).unwrap();
    let server = Home::new(&options.program, Some(&configuration)).start();
    let mut report = Report { worst: Duration::ZERO };
    println!("{:<44} {:>8} {:>9} {:>9} {:>9} {:>8}", "beside", "calls", "p50 ms", "p99 ms", "max ms", "peak MiB");
    let root = worst::connect(server.address()).mount("/export");
    let (alone, ()) = worst::beside(server.address(), &root, || thread::sleep(Duration::from_secs(3)));
    report.print("nobody", &alone, &server);
    listings(&options, &server, &root, &mut report);
    slices(&options, &server, &root, &mut report);
    holders(&server, &root, &mut report);
    let resident = server.resident_bytes_max() >> 20;
    let p99 = options.p99_ms_max.is_none_or(|max| report.worst <= Duration::from_millis(max));
    if p99 && options.resident_mib_max.is_none_or(|max| resident <= max) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn listings(options: &Options, server: &Server, root: &nfs_fh3, report: &mut Report) {
    let address = server.address();
    let mut connection = worst::connect(address);
    worst::fill(&mut connection, root, options.entries);
    let lasting = Duration::from_secs(options.seconds);
    for (what, shape, counts) in [
        ("a listing of a giant directory", (1, 1), (1 << 20, 1 << 20)),
        ("dircount 0 with a maxcount of 1 MiB", (8, 32), (0, 1 << 20)),
        ("listings of 1 MiB from 200 connections", (200, 4), (1 << 20, 1 << 20)),
    ] {
        let list = || worst::list_again_and_again(address, root, shape, counts, Instant::now() + lasting);
        let (latencies, replies) = worst::beside(address, root, list);
        report.print(&format!("{what} ({replies})"), &latencies, server);
    }
}

fn slices(options: &Options, server: &Server, root: &nfs_fh3, report: &mut Report) {
    let address = server.address();
    let mut connection = worst::connect(address);
    let file = worst::make_file(&mut connection, root, "slices");
    let (latencies, ()) = worst::beside(address, &file, || {
        worst::write_slices(&mut connection, &file, options.slices);
        worst::read_again_and_again(address, &file, 200, 32);
    });
    report.print("reads over unflushed single bytes", &latencies, server);
    let (latencies, ()) = worst::beside(address, &file, || {
        worst::commit(&mut connection, &file);
        // Until the flusher has gone through it.
        thread::sleep(Duration::from_secs(20));
    });
    report.print("a flush of single bytes, same file", &latencies, server);
}

fn holders(server: &Server, root: &nfs_fh3, report: &mut Report) {
    let address = server.address();
    let mut connection = worst::connect(address);
    let file = worst::make_file(&mut connection, root, "file");
    let write = || worst::write_at_full_depth(address, &file, 100, 32);
    let (latencies, ()) = worst::beside(address, root, write);
    report.print("100 connections that write 1 MiB, 32 deep", &latencies, server);
    let (latencies, held) = worst::beside(address, root, || {
        let held = worst::half_records(address, &file, 1000);
        thread::sleep(Duration::from_secs(8));
        held
    });
    report.print("1000 connections with half a record", &latencies, server);
    drop(held);
    let (latencies, held) = worst::beside(address, root, || {
        let held = worst::replies_not_taken(address, &file, 300, 64);
        thread::sleep(Duration::from_secs(8));
        held
    });
    report.print("300 connections that take no replies", &latencies, server);
    drop(held);
}

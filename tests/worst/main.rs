//! Measures what the worst clients do to a neighbour, and to the server's memory: prints how long the neighbour's
//! GETATTRs took beside each, and the most memory that the server held. Fails where a bound is exceeded, if one is
//! given, and where the server does not survive.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use dittofs_tests::{
    server::{Home, Server},
    worst,
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
    /// Fail if the server held more anonymous memory than this. Mapped pages of files don't count: the system takes them
    /// back where it is short of memory.
    #[arg(long)]
    anonymous_mib_max: Option<u64>,
}

/// Between two looks at the server's memory.
const SAMPLE: Duration = Duration::from_millis(10);

/// The measurements.
struct Report<'s> {
    server: &'s Server,
    /// The most anonymous bytes since the last line.
    peak: &'s AtomicU64,
    /// The most anonymous bytes of all lines.
    most: u64,
    /// The highest 99th percentile.
    worst: Duration,
}

impl Report<'_> {
    /// Has a neighbour ask for attributes of a node while clients are at their worst, and prints what it saw. The clients
    /// tell with their result what there is to say of it.
    fn beside<R>(&mut self, clients: &str, of: &nfs_fh3, worst: impl FnOnce() -> (R, String)) -> R {
        self.peak.store(0, Ordering::Relaxed);
        let (latencies, (result, note)) = worst::beside(self.server.address(), of, worst);
        let ms = |share| latencies.quantile(share).as_secs_f64() * 1e3;
        let peak = self.peak.load(Ordering::Relaxed);
        println!(
            "{:<52} {:>8} {:>8.2} {:>8.2} {:>8.2} {:>9} {:>9}",
            format!("{clients}{note}"),
            latencies.calls(),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            peak >> 20,
            self.server.resident_bytes_max() >> 20
        );
        self.most = self.most.max(peak);
        self.worst = self.worst.max(latencies.quantile(0.99));
        result
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let configuration = std::fs::read_to_string(&options.configuration).unwrap();
    let server = Home::new(&options.program, Some(&configuration)).start();
    let (peak, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut report = Report { server: &server, peak: &peak, most: 0, worst: Duration::ZERO };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                peak.fetch_max(server.anonymous_bytes(), Ordering::Relaxed);
                thread::sleep(SAMPLE);
            }
        });
        measure(&options, &mut report);
        is_over.store(true, Ordering::Relaxed);
    });
    let (worst, most) = (report.worst, report.most >> 20);
    assert!(server.stop().status.success(), "the server does not stop as it should");
    let p99 = options.p99_ms_max.is_none_or(|max| worst <= Duration::from_millis(max));
    if p99 && options.anonymous_mib_max.is_none_or(|max| most <= max) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(options: &Options, report: &mut Report<'_>) {
    println!(
        "{:<52} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "beside", "calls", "p50 ms", "p99 ms", "max ms", "anon MiB", "peak MiB"
    );
    let root = worst::connect(report.server.address()).mount("/export");
    report.beside("nobody", &root, || (thread::sleep(Duration::from_secs(3)), String::new()));
    listings(options, &root, report);
    slices(options, &root, report);
    holders(&root, report);
}

fn listings(options: &Options, root: &nfs_fh3, report: &mut Report<'_>) {
    let address = report.server.address();
    let mut connection = worst::connect(address);
    worst::fill(&mut connection, root, options.entries);
    let lasting = Duration::from_secs(options.seconds);
    for (clients, shape, counts) in [
        ("a listing of a giant directory", (1, 1), (1 << 20, 1 << 20)),
        ("dircount 0 with a maxcount of 1 MiB", (8, 32), (0, 1 << 20)),
        ("listings of 1 MiB from 200 connections", (200, 4), (1 << 20, 1 << 20)),
    ] {
        report.beside(clients, root, || {
            let replies = worst::list_again_and_again(address, root, shape, counts, Instant::now() + lasting);
            ((), format!(" ({replies})"))
        });
    }
}

fn slices(options: &Options, root: &nfs_fh3, report: &mut Report<'_>) {
    let address = report.server.address();
    let mut connection = worst::connect(address);
    let file = worst::make_file(&mut connection, root, "slices");
    report.beside("writes of single bytes", &file, || {
        (worst::write_slices(&mut connection, &file, options.slices), String::new())
    });
    report.beside("reads over unflushed single bytes", &file, || {
        (worst::read_again_and_again(address, &file, 200, 32), String::new())
    });
    report.beside("a flush of single bytes, same file", &file, || {
        worst::commit(&mut connection, &file);
        // Until the flusher has gone through it.
        (thread::sleep(Duration::from_secs(20)), String::new())
    });
}

fn holders(root: &nfs_fh3, report: &mut Report<'_>) {
    let address = report.server.address();
    let mut connection = worst::connect(address);
    let file = worst::make_file(&mut connection, root, "file");
    report.beside("100 connections that write 1 MiB, 32 deep", root, || {
        let shed = worst::write_at_full_depth(address, &file, 100, 32);
        ((), format!(" (shed {shed})"))
    });
    let hold = |held: Vec<std::net::TcpStream>| {
        thread::sleep(Duration::from_secs(8));
        (held, String::new())
    };
    drop(
        report.beside("1000 connections with half a record", root, || hold(worst::half_records(address, &file, 1000))),
    );
    drop(report.beside("300 connections that take no replies", root, || {
        hold(worst::replies_not_taken(address, &file, 300, 64))
    }));
}

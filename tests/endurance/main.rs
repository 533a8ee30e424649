//! Three shares and many clients for a long time on a server with the bounds of a small pod: prints what they did,
//! what memory it took, and whether all was as it was written. Fails where anything was not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod caller;
mod client;
mod group;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::{
    s3::{self, S3Server},
    server::{Home, Server},
};
use nfs3_types::nfs3::NFS_PROGRAM;

use caller::Counts;
use client::Client;
use group::Group;

/// Works on a server for a long time.
#[derive(Parser)]
struct Options {
    /// The server's program, which runs in the control group.
    #[arg(long)]
    program: PathBuf,
    /// The control group's folder, where its memory can be read.
    #[arg(long)]
    group: PathBuf,
    /// How long the clients work.
    #[arg(long, default_value_t = 3_600)]
    seconds: u64,
    /// Connections, over all shares.
    #[arg(long, default_value_t = 100)]
    clients: u32,
    /// The shares that clients work on, all by default.
    #[arg(long)]
    share: Vec<String>,
    /// A line on the way after so many seconds.
    #[arg(long, default_value_t = 60)]
    every: u64,
}

const SHARES: [&str; 3] = ["/remote", "/near", "/local"];
/// Between two looks at the server's memory.
const SAMPLE: Duration = Duration::from_millis(250);
/// The database's memory is not the server's. Vacuum goes on, as in any database.
const DATABASE_SETTINGS: [&str; 3] = ["autovacuum=on", "shared_buffers=128MB", "max_wal_size=512MB"];
/// How long the server may take to write what was not flushed, with half a core.
const STOP: Duration = Duration::from_secs(300);

fn configuration(database: &PostgresServer, bucket: &S3Server) -> String {
    format!(
        "metadata:\n  stores:\n    \
         m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {}, user: {USER}, database: {DATABASE}, \
         password: \"{PASSWORD}\", outlives_machine: true, connect_timeout_seconds: 20 }} }}\n    \
         r: {{ type: redb, redb: {{ path: metadata, cache: 32MiB, row_cache: 16MiB }} }}\n\
         content:\n  stores:\n    \
         b: {{ type: s3, s3: {} }}\n    \
         f: {{ type: fs, fs: {{ path: content }} }}\n    \
         g: {{ type: fs, fs: {{ path: content-of-redb }} }}\n\
         journal: {{ size: 256MiB }}\n\
         cache: {{ memory: 64MiB, readahead: 32MiB }}\n\
         shares:\n\
         - {{ name: /remote, id: 21, metadata_store: m, content_store: b, squash: none, durability: remote }}\n\
         - {{ name: /near, id: 22, metadata_store: m, content_store: f, squash: none, durability: local }}\n\
         - {{ name: /local, id: 23, metadata_store: r, content_store: g, squash: none }}\n\
         adapters: {{ limits: {{ connections_per_address: 512 }} }}\n",
        database.port(),
        s3::options(bucket.address(), "files")
    )
}

fn main() -> ExitCode {
    let options = Options::parse();
    let group = Group::new(&options.group);
    let (database, bucket) = (PostgresServer::with(&DATABASE_SETTINGS), S3Server::start());
    let home = Home::new(&options.program, Some(&configuration(&database, &bucket)));
    let mut server = home.start();
    let (counts, anonymous) = (Counts::new(), AtomicU64::new(0));
    let shares: Vec<&str> = match options.share.as_slice() {
        [] => SHARES.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    };
    let began = Instant::now();
    thread::scope(|scope| {
        for number in 0..options.clients {
            let (counts, address) = (&counts, server.address());
            let share = shares[number as usize % shares.len()];
            scope.spawn(move || Client::new(address, share, number, counts).work());
        }
        watch(&options, &group, &mut server, &counts, &anonymous, began);
        counts.is_gone.store(!server.is_running(), Ordering::Relaxed);
        counts.is_over.store(true, Ordering::Relaxed);
    });
    let worked = began.elapsed();
    anonymous.fetch_max(group.anonymous(), Ordering::Relaxed);
    let (most, is_alive) = (group.most(), server.is_running());
    let (ended, stopping) = if is_alive { stop(server) } else { (false, Duration::ZERO) };
    let check = home.run(&["check"]);
    let report = String::from_utf8_lossy(&check.stdout);
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{} clients on {} shares, {:.0} s: {} calls ({:.0}/s), p50 {} ms, p99 {} ms, slowest {} ms",
        options.clients,
        shares.len(),
        worked.as_secs_f64(),
        count(&counts.calls),
        count(&counts.calls) as f64 / worked.as_secs_f64(),
        counts.quantile(0.5),
        counts.quantile(0.99),
        count(&counts.slowest)
    );
    print_slowest(&counts, &shares);
    println!(
        "{} MiB written, {} MiB read; {} errors, {} wrong, {} put off (JUKEBOX), {} connections opened again",
        count(&counts.bytes_written) >> 20,
        count(&counts.bytes_read) >> 20,
        count(&counts.errors),
        count(&counts.wrong),
        count(&counts.put_off),
        count(&counts.reconnected)
    );
    println!(
        "memory of {} MiB: most anonymous {} MiB, most with pages of files {} MiB, after the check {} MiB; {} kills",
        group.limit() >> 20,
        count(&anonymous) >> 20,
        most >> 20,
        group.most() >> 20,
        group.kills()
    );
    let end = if ended { "clean" } else { "NOT clean" };
    println!("the stop: {end}, {:.1} s; check: {}", stopping.as_secs_f64(), report.trim_end().replace('\n', "; "));
    let is_good = count(&counts.errors) + count(&counts.wrong) + group.kills() == 0;
    if is_good && ended && check.status.success() {
        return ExitCode::SUCCESS;
    }
    println!("{}\nthe end of the server's log:\n{}", String::from_utf8_lossy(&check.stderr), end_of(&home.log()));
    ExitCode::FAILURE
}

/// What a server that stalls shows first.
fn print_slowest(counts: &Counts, shares: &[&str]) {
    for share in shares {
        let slowest = |procedure: NFS_PROGRAM| counts.slowest_of(share, procedure as u32);
        println!(
            "{share}: the slowest WRITE {} ms, COMMIT {} ms, CREATE {} ms, REMOVE {} ms, READ {} ms",
            slowest(NFS_PROGRAM::NFSPROC3_WRITE),
            slowest(NFS_PROGRAM::NFSPROC3_COMMIT),
            slowest(NFS_PROGRAM::NFSPROC3_CREATE),
            slowest(NFS_PROGRAM::NFSPROC3_REMOVE),
            slowest(NFS_PROGRAM::NFSPROC3_READ)
        );
    }
}

/// Samples the memory until the time is over or the server has ended.
fn watch(
    options: &Options,
    group: &Group,
    server: &mut Server,
    counts: &Counts,
    anonymous: &AtomicU64,
    began: Instant,
) {
    let mut lines = 0;
    while began.elapsed() < Duration::from_secs(options.seconds) && server.is_running() {
        anonymous.fetch_max(group.anonymous(), Ordering::Relaxed);
        if began.elapsed().as_secs() / options.every > lines {
            lines += 1;
            println!(
                "{:>5} s: {:>8} calls, {} errors, {} wrong, anonymous {} MiB (most {}), all {} MiB",
                began.elapsed().as_secs(),
                counts.calls.load(Ordering::Relaxed),
                counts.errors.load(Ordering::Relaxed),
                counts.wrong.load(Ordering::Relaxed),
                group.anonymous() >> 20,
                anonymous.load(Ordering::Relaxed) >> 20,
                group.now() >> 20
            );
        }
        thread::sleep(SAMPLE);
    }
}

/// Ends the server in order; answers whether it did.
fn stop(mut server: Server) -> (bool, Duration) {
    let began = Instant::now();
    server.terminate();
    while server.is_running() {
        if began.elapsed() > STOP {
            server.kill();
            return (false, began.elapsed());
        }
        thread::sleep(SAMPLE);
    }
    (server.wait().status.success(), began.elapsed())
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

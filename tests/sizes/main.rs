//! Files of real sizes, written as programs write them, against a copy in the file system below: what was committed is
//! read back from stores that a new server opens, and `dittofs check` finds nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod patterns;

use std::{path::PathBuf, time::Instant};

use clap::{Parser, ValueEnum};
use dittofs_tests::{
    model::Random,
    s3::{self, S3Server},
    server::Home,
};

use client::Mirrored;
use patterns::PATTERNS;

/// Writes files of real sizes, and compares what is read back.
#[derive(Parser)]
struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Where content is kept.
    #[arg(long, value_enum, default_value = "folder")]
    store: Store,
    /// How many files; the patterns take turns.
    #[arg(long, default_value_t = 50)]
    files: u64,
    /// The greatest file.
    #[arg(long, default_value_t = 2_048)]
    mib_max: u64,
    /// Another one gives other sizes, places and pauses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    Folder,
    /// A server of S3 in this process, over HTTP.
    S3,
}

const MIB_MIN: u64 = 64;

fn configuration(content: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {content} }} }}\n\
         cache: {{ memory: 64MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n"
    )
}

fn main() {
    let options = Options::parse();
    let bucket = matches!(options.store, Store::S3).then(S3Server::start);
    let content = match &bucket {
        Some(bucket) => format!("{{ type: s3, s3: {} }}", s3::options(bucket.address(), "sizes")),
        None => "{ type: fs, fs: { path: content } }".to_owned(),
    };
    let home = Home::new(&options.program, Some(&configuration(&content)));
    let mut server = home.start();
    let (mut bytes, began) = (0, Instant::now());
    for number in 0..options.files {
        let mut random = Random::new(options.seed << 32 | number);
        let (name, pattern) = PATTERNS[(number % PATTERNS.len() as u64) as usize];
        // As many between 64 and 128 MiB as between 1 and 2 GiB.
        let doublings = u64::from((options.mib_max / MIB_MIN).max(1).ilog2());
        let mib = (MIB_MIN << random.below(doublings + 1)) + random.below(MIB_MIN);
        let mut file = Mirrored::new(server.address(), home.path(), number, mib.min(options.mib_max));
        let start = Instant::now();
        pattern(&mut file, &mut random);
        file.commit();
        let wrote = start.elapsed();
        // Cold: by a server that has neither caches nor, after a stop, a journal.
        let is_killed = number % 2 == 0;
        if is_killed {
            server.kill();
        } else {
            assert!(server.stop().status.success(), "{name}: the stop");
        }
        server = home.start();
        bytes += file.written();
        file.compare(server.address());
        println!(
            "{number:>4} {name:<16} {mib:>5} MiB, {:>6} MiB written in {:>5.1} s, {}, the same",
            file.written() >> 20,
            wrote.as_secs_f64(),
            if is_killed { "killed " } else { "stopped" },
        );
        file.remove();
    }
    assert!(server.stop().status.success());
    let check = home.run(&["check"]);
    let report = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{report}{}", String::from_utf8_lossy(&check.stderr));
    println!(
        "{} files, {} MiB written, {:.0} s: all as they were written; check: {}",
        options.files,
        bytes >> 20,
        began.elapsed().as_secs_f64(),
        report.lines().last().unwrap_or_default()
    );
}

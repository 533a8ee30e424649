//! A PostgreSQL server and an S3 server of this process, for suites that run a server outside of it: writes the
//! configuration of a share over them, says `ready`, and goes on until its input ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::Read,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use clap::Parser;
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::s3::{self, S3Server};

/// Runs the stores of a share at the tier `remote`.
#[derive(Parser)]
struct Options {
    /// Where the configuration goes.
    #[arg(long)]
    config: PathBuf,
    /// Kills the database again and again, each time after so many milliseconds.
    #[arg(long)]
    kill_every: Option<u64>,
}

fn main() {
    let options = Options::parse();
    let (mut database, bucket) = (PostgresServer::start(), S3Server::start());
    let port = database.port();
    let configuration = format!(
        "metadata: {{ stores: {{ m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {port}, user: {USER}, \
         database: {DATABASE}, password: \"{PASSWORD}\", outlives_machine: true, connect_timeout_seconds: 20 }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: s3, s3: {} }} }} }}\n\
         journal: {{ size: 512MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none, secure_ports: false, \
         durability: remote }}]\n",
        s3::options(bucket.address(), "files")
    );
    fs::write(&options.config, configuration).unwrap();
    println!("ready");
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    let waiting = thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        IS_OVER.store(true, Ordering::Release);
    });
    let mut kills = 0;
    if let Some(every) = options.kill_every {
        while !IS_OVER.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(every));
            database.crash();
            thread::sleep(Duration::from_millis(100));
            database.start_again();
            kills += 1;
        }
    }
    waiting.join().unwrap();
    println!("{kills} kills of the database");
}

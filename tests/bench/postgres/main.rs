//! What does metadata in PostgreSQL cost? A server of this process behind a line that delays each request, as a network
//! does: the store alone, and the whole server through NFS, beside the least that the same line and database can give.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod line;
mod over_nfs;
mod port;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use dittofs_postgres_test_server::PostgresServer;
use dittofs_tests::report::Report;
use line::Line;

const HEAD: &str = "# Performance with metadata in PostgreSQL

Written by `tests/bench/postgres.sh`; do not edit.

The server is a release build. PostgreSQL runs on the same machine with its usual durability, behind a line that
delays each request. Clients, server, line and database share the machine's cores, which limits what many clients
reach together. All figures of a round are taken one after another, and the median of the rounds counts. `SELECT 1`
and an `INSERT` of one row go over a connection of their own through the same line.";

/// Measures a server whose metadata are in PostgreSQL.
#[derive(Parser)]
pub(crate) struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Where the report goes.
    #[arg(long)]
    output: PathBuf,
    /// Calls of one figure.
    #[arg(long, default_value_t = 400)]
    calls: u64,
    /// Entries of the directory that is listed.
    #[arg(long, default_value_t = 10_000)]
    entries: u64,
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Microseconds that each request waits in the line.
    #[arg(long, default_value_t = 1_000)]
    delay: u64,
    /// Lines for the head of the report.
    #[arg(long)]
    fact: Vec<String>,
}

/// Longer than it takes to flush the small files of a round.
const QUIET: Duration = Duration::from_secs(15);

/// Clients that work at a time.
const CLIENTS: u64 = 16;

/// What follows from the figures of one round, by their names.
type OfRound<'f> = dyn Fn(&dyn Fn(&str) -> f64) -> f64 + 'f;

/// Figures by name, one of each round.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<&'static str, Vec<f64>>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, figure: f64) {
        self.0.entry(name).or_default().push(figure);
    }

    /// The median over the rounds of what follows from figures of one round.
    fn median(&self, of: impl Fn(&dyn Fn(&str) -> f64) -> f64) -> f64 {
        let rounds = self.0.values().map(Vec::len).min().unwrap_or(0);
        let mut all: Vec<f64> = (0..rounds).map(|round| of(&|name| self.0[name][round])).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut facts = options.fact.clone();
    facts.push(format!("Each request to the database waits {} us, each request to S3 20 ms", options.delay));
    let mut report = Report::new(HEAD, &facts);
    let database = PostgresServer::start();
    let line = Line::to(database.port(), Duration::from_micros(options.delay));
    let mut figures = Figures::default();
    let port = port::Rig::new(&options, &database, &line);
    let mut over_nfs = over_nfs::Rig::new(&options, &line);
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        port.round(round, &mut figures);
        over_nfs.round(round, &mut figures);
        // What was committed goes on to objects, which is not to be measured with the next round.
        std::thread::sleep(QUIET);
    }
    show(&figures, &mut report);
    std::fs::write(&options.output, report.text()).unwrap();
    if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(figures: &Figures, report: &mut Report) {
    for name in ["SELECT 1", "INSERT", "look-up", "create", "LOOKUP", "CREATE"] {
        report.note(format!("{name}, µs"), format!("{:.0}", figures.median(|of| of(name))));
    }
    let mut at_most = |what: &str, most: f64, of: &OfRound<'_>| {
        let found = figures.median(of);
        report.judge(what, format!("{found:.2}"), format!("at most {most:.2}"), found <= most);
    };
    at_most("look-up at the port / SELECT 1", 1.1, &|of| of("look-up") / of("SELECT 1"));
    at_most("LOOKUP over NFS / SELECT 1", 1.25, &|of| of("LOOKUP") / of("SELECT 1"));
    at_most("create at the port / (SELECT 1 + INSERT)", 1.2, &|of| of("create") / (of("SELECT 1") + of("INSERT")));
    at_most("CREATE over NFS / (SELECT 1 + INSERT)", 1.3, &|of| of("CREATE") / (of("SELECT 1") + of("INSERT")));
    let mut at_least = |what: String, least: f64, of: &OfRound<'_>| {
        let found = figures.median(of);
        report.judge(what, format!("{found:.1}"), format!("at least {least}"), found >= least);
    };
    let creating = format!("{CLIENTS} clients creating in one directory / one");
    at_least(format!("{creating}, at the port"), 7.0, &|of| of("create") * of("creates a second") / 1e6);
    at_least(format!("{creating}, over NFS"), 5.5, &|of| of("CREATE") * of("CREATEs a second") / 1e6);
    at_least("READDIRPLUS, entries a second".to_owned(), 50_000.0, &|of| of("READDIRPLUS entries a second"));
    let small =
        format!("create, write 4 KiB, COMMIT at `remote`, S3 at 20 ms, {CLIENTS} clients: files a second for each");
    at_least(small, 20.0, &|of| of("small files a second") / CLIENTS as f64);
    report.note("files a second of one such client", format!("{:.1}", figures.median(|of| of("small files of one"))));
    for (what, name) in [
        ("LOOKUP", "CPU of LOOKUP"),
        ("CREATE", "CPU of CREATE"),
        ("CREATE, 16 clients", "CPU of CREATEs"),
        ("a small file at `remote`, 16 clients", "CPU of small files"),
    ] {
        report.note(
            format!("the server's processor time for {what}, µs"),
            format!("{:.0}", figures.median(|of| of(name))),
        );
    }
    for (what, name) in [("look-up", "database for look-up"), ("create", "database for create")] {
        report.note(format!("the database's for a {what}, µs"), format!("{:.0}", figures.median(|of| of(name))));
    }
}

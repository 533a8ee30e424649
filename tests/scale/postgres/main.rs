//! Does metadata in PostgreSQL scale? Millions of files, loaded by statements, are looked up and listed through the
//! server; then a hundred thousand files are flushed again and again, and the tables are looked at.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod load;
mod look;
mod publish;
mod tables;

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use clap::{Parser, ValueEnum};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::report::Report;

const HEAD: &str = "# Scale with metadata in PostgreSQL

Written by `tests/scale/postgres.sh`; do not edit.

The server is a release build. PostgreSQL, the server and the clients share the machine's cores; there is no network in
between. **Files:** names of 46 bytes without capital letters, a tenth of all files in one directory, a thousand in each
of the others. The files are loaded by statements, as restoring a dump loads them, and PostgreSQL has vacuumed and
analysed them. Cold means that neither PostgreSQL nor the system has any page of them in memory. **Flushes:** each
publishes a new place of a file's bytes, as the server does it: a view, then a plan that changes the file's row, the row
of its map, a reference and an object. Which file comes next is random.";

/// Measures metadata in PostgreSQL with many files, and after many flushes.
#[derive(Parser)]
pub(crate) struct Options {
    /// The server's program.
    #[arg(long)]
    program: PathBuf,
    /// Where the report goes.
    #[arg(long)]
    output: PathBuf,
    /// What is measured.
    #[arg(long, value_enum, default_values_t = [Part::Files, Part::Flushes])]
    parts: Vec<Part>,
    /// Files; the directory that is listed has a tenth of them.
    #[arg(long, default_value_t = 10_000_000)]
    files: u64,
    /// Look-ups of one figure.
    #[arg(long, default_value_t = 5_000)]
    look_ups: u64,
    /// Flushes that are published.
    #[arg(long, default_value_t = 2_000_000)]
    flushes: u64,
    /// Files that they are of.
    #[arg(long, default_value_t = 100_000)]
    flushed_files: u64,
    /// Looks files up and lists them at real-time priority, as root may, so that other work on the machine only gets
    /// what is left.
    #[arg(long)]
    real_time: bool,
    /// Settings of PostgreSQL for the flushes, besides those of the tables; each `name=value`.
    #[arg(long)]
    setting: Vec<String>,
    /// Lines for the head of the report.
    #[arg(long)]
    fact: Vec<String>,
}

/// Parts of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Many files.
    Files,
    /// Many flushes.
    Flushes,
}

/// The share that is measured.
const SHARE: u64 = 21;

/// The database as the configuration names it.
fn database_options(database: &PostgresServer) -> String {
    let port = database.port();
    format!("{{ host: 127.0.0.1, port: {port}, user: {USER}, database: {DATABASE}, password: \"{PASSWORD}\" }}")
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::new(HEAD, &options.fact);
    if options.parts.contains(&Part::Files) {
        files(&options, &mut report);
        // The other part takes long.
        std::fs::write(&options.output, report.text()).unwrap();
    }
    if options.parts.contains(&Part::Flushes) {
        publish::measure(&options, &mut report);
    }
    std::fs::write(&options.output, report.text()).unwrap();
    if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(options: &Options, report: &mut Report) {
    let mut database = PostgresServer::with(&load::SETTINGS);
    let home = look::home(options, &database);
    // It makes the tables and the share.
    assert!(home.start().stop().status.success());
    let layout = load::Layout::new(options.files);
    load::load(&database, &layout, report);
    tables::note_bytes_a_file(&database, &layout, report);
    if options.real_time {
        schedule(&["-r", "-p", "5"]);
    }
    look::measure(options, &mut database, &home, &layout, report);
    if options.real_time {
        schedule(&["-o", "-p", "0"]);
    }
}

/// Gives this process another priority, and what it starts from now on.
fn schedule(how: &[&str]) {
    let mut chrt = Command::new("chrt");
    let done = chrt.arg("-a").args(how).arg(std::process::id().to_string()).status();
    assert!(done.unwrap().success(), "only root may do that");
}

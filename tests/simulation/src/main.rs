//! Runs seeds of the simulation, and says what went wrong in them, and how often.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use clap::Parser;
use dittofs_simulation::{BUGS, Boundary, Crossings, Fault, FaultCounts, Options, Scales, Tiers, run};

/// Runs the core over simulated stores, with faults and crashes. One seed, one run.
#[derive(Parser)]
struct Arguments {
    /// Which seeds: FROM..TO.
    #[arg(long, value_parser = seeds, default_value = "0..500")]
    seeds: (u64, u64),
    /// Only this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Operations of the clients, in each run.
    #[arg(long, default_value_t = 200)]
    operations: u64,
    /// Runs at a time.
    #[arg(long, default_value_t = 1)]
    jobs: u64,
    /// Prints everything that happens.
    #[arg(long)]
    trace: bool,
    /// Lets the machine never stop.
    #[arg(long)]
    no_crashes: bool,
    /// The scale of the share: production, tiny or mixed.
    #[arg(long, value_parser = scales, default_value = "mixed")]
    scale: Scales,
    /// The tier of the share: journal, stores or mixed.
    #[arg(long, value_parser = tiers, default_value = "mixed")]
    tier: Tiers,
    /// Breaks a rule on purpose.
    #[arg(long)]
    bug: Option<String>,
    /// Goes on after so many failures.
    #[arg(long, default_value_t = 1)]
    failures: u64,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("FROM..TO is expected")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is no number"));
    Ok((number(from)?, number(to)?))
}

fn scales(text: &str) -> Result<Scales, String> {
    match text {
        "production" => Ok(Scales::Production),
        "tiny" => Ok(Scales::Tiny),
        "mixed" => Ok(Scales::Mixed),
        _ => Err("production, tiny or mixed is expected".into()),
    }
}

fn tiers(text: &str) -> Result<Tiers, String> {
    match text {
        "journal" => Ok(Tiers::Journal),
        "stores" => Ok(Tiers::Stores),
        "mixed" => Ok(Tiers::Mixed),
        _ => Err("journal, stores or mixed is expected".into()),
    }
}

#[derive(Default)]
struct Sums {
    faults: FaultCounts,
    crossings: Crossings,
    runs: u64,
    operations: u64,
    events: u64,
    failures: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let bug = arguments.bug.as_deref().map(|name| {
        let found = BUGS.iter().find(|bug| bug.name == name);
        found.unwrap_or_else(|| panic!("no seeded bug is called {name}")).bug
    });
    let options = Options {
        operations: arguments.operations,
        crashes: !arguments.no_crashes,
        scales: arguments.scale,
        tiers: arguments.tier,
        bug,
        trace: arguments.trace,
    };
    let (from, to) = arguments.seed.map_or(arguments.seeds, |seed| (seed, seed + 1));
    let (next, sums, start) = (AtomicU64::new(from), Mutex::new(Sums::default()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| work(&next, to, &options, arguments.failures, &sums));
        }
    });
    let sums = sums.into_inner().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    for fault in Fault::ALL {
        println!("{:>12}  {fault:?}", sums.faults.of(*fault));
    }
    for boundary in Boundary::ALL {
        println!("{:>12}  boundary {boundary:?}", sums.crossings.of(*boundary));
    }
    let Sums { runs, operations, events, failures, .. } = sums;
    println!("{runs} runs, {operations} operations, {events} events, {failures} failures in {seconds:.1} s");
    println!("{:.1} runs/s, {:.0} operations/s", runs as f64 / seconds, operations as f64 / seconds);
    if failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn work(next: &AtomicU64, to: u64, options: &Options, failures_max: u64, sums: &Mutex<Sums>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= to || sums.lock().unwrap().failures >= failures_max {
            return;
        }
        let result = run(seed, options);
        let mut sums = sums.lock().unwrap();
        sums.runs += 1;
        match result {
            Ok(report) => {
                sums.faults.add(&report.faults);
                sums.crossings.add(&report.crossings);
                sums.operations += report.operations;
                sums.events += report.events;
            }
            Err(failure) => {
                sums.failures += 1;
                println!("{failure}");
            }
        }
    }
}

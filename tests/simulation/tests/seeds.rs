//! Seeds that run in every build, and that a seed always runs in the same way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use dittofs_simulation::{Boundary, Crossings, Fault, FaultCounts, Options, Scales, run};

const SEEDS_PER_TEST: u64 = 125;

fn run_seeds(part: u64) {
    let mut faults = FaultCounts::default();
    for seed in part * SEEDS_PER_TEST..(part + 1) * SEEDS_PER_TEST {
        let report = run(seed, &Options::default()).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.operations >= 200, "seed {seed} has only {} operations", report.operations);
        faults.add(&report.faults);
    }
    let missing: Vec<&Fault> = Fault::ALL.iter().filter(|fault| faults.of(**fault) == 0).collect();
    assert!(missing.is_empty(), "faults that never happened: {missing:?}");
}

#[test]
fn first_part_of_the_seeds_holds() {
    run_seeds(0);
}

#[test]
fn second_part_of_the_seeds_holds() {
    run_seeds(1);
}

#[test]
fn third_part_of_the_seeds_holds() {
    run_seeds(2);
}

#[test]
fn fourth_part_of_the_seeds_holds() {
    run_seeds(3);
}

#[test]
fn at_the_smallest_scale_every_boundary_is_crossed_once_a_seed() {
    const SEEDS: u64 = 100;
    let mut crossings = Crossings::default();
    for seed in 10_000..10_000 + SEEDS {
        let options = Options { scales: Scales::Tiny, ..Options::default() };
        crossings.add(&run(seed, &options).unwrap_or_else(|failure| panic!("{failure}")).crossings);
    }
    for boundary in Boundary::ALL {
        println!("{:>8} {boundary:?}", crossings.of(*boundary));
    }
    let rare: Vec<&Boundary> = Boundary::ALL.iter().filter(|boundary| crossings.of(**boundary) < SEEDS).collect();
    assert!(rare.is_empty(), "boundaries that were rarely crossed: {rare:?}");
}

#[test]
fn a_seed_runs_twice_in_the_same_way() {
    let options = Options::default();
    let trace = |seed| run(seed, &options).unwrap_or_else(|failure| panic!("{failure}"));
    for seed in 1_000..1_010 {
        assert_eq!(trace(seed), trace(seed), "seed {seed}");
    }
}

#[test]
fn different_seeds_run_differently() {
    let options = Options::default();
    let trace = |seed| run(seed, &options).unwrap_or_else(|failure| panic!("{failure}")).trace;
    assert_ne!(trace(1_000), trace(1_001));
}

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::*;
use crate::rpc::{Call, Procedure, Program};

struct Fruit;

const PROCEDURES: [Procedure; 2] = [Procedure::sure("NULL"), Procedure::new("PEEL")];

#[async_trait]
impl Program for Fruit {
    fn number(&self) -> u32 {
        7
    }

    fn versions(&self) -> &'static [u32] {
        &[1]
    }

    fn operations(&self) -> Operations {
        Operations { protocol: "fruit", procedures: &PROCEDURES, statuses: &[(0, "OK"), (5, "ROTTEN")] }
    }

    async fn call(&self, _: Call) -> Reply {
        Reply::silence()
    }
}

fn counts() -> FrontCounts {
    FrontCounts::new(&Programs::new(vec![Arc::new(Fruit)]))
}

/// Returns the counts that are not zero.
fn counted(counts: &FrontCounts) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    counts.add_to(&mut all);
    let lines = all.iter().flat_map(|row| {
        let some = row.results.iter().filter(|(_, count)| *count > 0);
        some.map(|(result, count)| (format!("{} {} {result}", row.protocol, row.procedure), *count))
    });
    lines.collect()
}

#[test]
fn replies_are_counted_by_procedure_and_result() {
    let counts = counts();
    let peel = counts.slot(7, 1);
    for reply in [Reply::success(&0u32), Reply::success(&0u32), Reply::success(&5u32), Reply::success(&6u32)] {
        counts.count(peel, &reply);
    }
    for reply in [Reply::garbage_args(), Reply::silence(), Reply::rpc_mismatch(), Reply::prog_mismatch(1, 1)] {
        counts.count(peel, &reply);
    }
    // The first word in the reply of a procedure without a status is no status.
    counts.count(counts.slot(7, 0), &Reply::success(&5u32));
    counts.count(counts.slot(7, 2), &Reply::proc_unavail());
    counts.count(counts.slot(7, u32::MAX), &Reply::proc_unavail());
    counts.count(counts.slot(8, 1), &Reply::prog_unavail());
    let expected = [
        ("rpc UNKNOWN PROG_UNAVAIL", 1),
        ("fruit NULL OK", 1),
        ("fruit PEEL OK", 2),
        ("fruit PEEL ROTTEN", 1),
        ("fruit PEEL OTHER", 1),
        ("fruit PEEL DENIED", 1),
        ("fruit PEEL DROPPED", 1),
        ("fruit PEEL PROG_MISMATCH", 1),
        ("fruit PEEL GARBAGE_ARGS", 1),
        ("fruit UNKNOWN PROC_UNAVAIL", 2),
    ];
    assert_eq!(counted(&counts), expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn counts_of_several_fronts_are_added() {
    let (one, other) = (counts(), counts());
    one.count(one.slot(7, 1), &Reply::success(&0u32));
    other.count(other.slot(7, 1), &Reply::success(&0u32));
    other.note(&[(other.slot(7, 1), Instant::now())], Instant::now() + Duration::from_secs(1));
    let mut all = Vec::new();
    one.add_to(&mut all);
    other.add_to(&mut all);
    let peel = all.iter().find(|row| row.procedure == "PEEL").unwrap();
    assert_eq!((peel.results[0], peel.latencies.count()), (("OK", 2), 1));
    assert_eq!(all.len(), 4, "no row comes twice");
}

#[test]
fn a_call_lasts_from_its_receive_until_its_reply_is_handed_on() {
    let counts = counts();
    let mut meter = Meter::new(&counts);
    meter.received(100);
    let begun = meter.begin(7, 1);
    std::thread::sleep(Duration::from_millis(20));
    meter.received(50);
    meter.end(begun, &Reply::success(&0u32));
    let mut all = Vec::new();
    counts.add_to(&mut all);
    assert!(all.iter().all(|row| row.latencies.count() == 0), "it is not handed on yet");
    meter.count_finished();
    meter.count_finished();
    let mut all = Vec::new();
    counts.add_to(&mut all);
    let latencies = all.iter().find(|row| row.procedure == "PEEL").unwrap().latencies;
    assert_eq!(latencies.count(), 1);
    assert!(latencies.nanoseconds >= 20_000_000, "{latencies:?}");
    assert_eq!(counts.bytes_received.read(), 150);
}

/// Prints what counting costs a call; `docs/decisions/0021-metrics.md` has figures of an optimized build.
#[test]
fn counting_a_call_costs_next_to_nothing() {
    const CALLS: u32 = 200_000;
    let counts = FrontCounts::new(&Programs::new(vec![Arc::new(Fruit), Arc::new(Fruit)]));
    let reply = Reply::success(&0u32);
    for batch in [1, 8, 64] {
        let mut meter = Meter::new(&counts);
        let began = Instant::now();
        for _ in 0..CALLS / batch {
            meter.received(100);
            for _ in 0..batch {
                let begun = std::hint::black_box(meter.begin(7, 1));
                meter.end(begun, std::hint::black_box(&reply));
            }
            meter.count_finished();
        }
        let nanoseconds = began.elapsed().as_nanos() as f64 / f64::from(CALLS);
        println!("{nanoseconds:.1} ns a call, {batch} at a time");
        assert!(nanoseconds < 5_000.0, "{nanoseconds}");
    }
}

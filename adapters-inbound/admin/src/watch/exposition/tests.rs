use std::time::Duration;

use dittofs_domain::counters::Latencies;

use super::*;

#[test]
fn samples_have_their_labels_escaped() {
    let mut exposition = Exposition::default();
    let mut family = exposition.counter("things_total", "Things.");
    family.sample(&[], 1);
    family.sample(&[("a", "x"), ("b", "q\"\\\n")], 2.5);
    let expected = "# HELP things_total Things.\n# TYPE things_total counter\n\
                    things_total 1\nthings_total{a=\"x\",b=\"q\\\"\\\\\\n\"} 2.5\n";
    assert_eq!(exposition.into_text(), expected);
}

#[test]
fn buckets_are_cumulative_and_end_with_all() {
    let latencies = Latencies::default();
    for microseconds in [1, 2, 2, 30_000_000] {
        latencies.note(Duration::from_micros(microseconds));
    }
    let mut exposition = Exposition::default();
    exposition.histogram("took_seconds", "Time.").latencies(&[("x", "y")], &latencies.read());
    let text = exposition.into_text();
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(lines[0], "took_seconds_bucket{x=\"y\",le=\"0.000001024\"} 1");
    assert_eq!(lines[1], "took_seconds_bucket{x=\"y\",le=\"0.000002048\"} 3");
    let rest = &lines[lines.len() - 4..];
    let expected = [
        "took_seconds_bucket{x=\"y\",le=\"17.179869184\"} 3",
        "took_seconds_bucket{x=\"y\",le=\"+Inf\"} 4",
        "took_seconds_sum{x=\"y\"} 30.000005",
        "took_seconds_count{x=\"y\"} 4",
    ];
    assert_eq!(rest, expected);
}

#[test]
fn seconds_are_written_without_a_tail() {
    for (nanoseconds, text) in [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (20_000_000_000, "20")] {
        assert_eq!(seconds(nanoseconds), text);
    }
}

//! The text format of Prometheus, version 0.0.4.

use std::{
    borrow::Cow,
    fmt::{Display, Write},
};

use dittofs_domain::counters::LatencyCounts;

/// The kind of metric that a family is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A text that families are written to.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

/// A metric, whose samples differ in their labels.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: Cow<'static, str>,
}

pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    pub(super) fn family(&mut self, kind: Kind, name: impl Into<Cow<'static, str>>, help: &str) -> Family<'_> {
        let name = name.into();
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        put(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.text, name }
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Counter, name, help)
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Gauge, name, help)
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(Kind::Histogram, name, help)
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// The samples of a histogram, whose buckets are cumulative.
    pub(super) fn latencies(&mut self, labels: Labels<'_>, counts: &LatencyCounts) {
        let mut below = 0;
        for (bound, count) in LatencyCounts::bounds().zip(counts.buckets) {
            below += count;
            self.line("_bucket", labels, Some(&seconds(bound)), below);
        }
        let count = counts.count();
        self.line("_bucket", labels, Some("+Inf"), count);
        self.line("_sum", labels, None, seconds(counts.nanoseconds));
        self.line("_count", labels, None, count);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        put(self.text, format_args!("{}{suffix}", self.name));
        let mut before = '{';
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        for (name, value) in all {
            put(self.text, format_args!("{before}{name}=\""));
            escape(value, self.text);
            self.text.push('"');
            before = ',';
        }
        put(self.text, format_args!("{} {value}\n", if before == ',' { "}" } else { "" }));
    }
}

/// Nanoseconds as seconds, to the last digit.
fn seconds(nanoseconds: u64) -> String {
    let (whole, part) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let text = format!("{whole}.{part:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests;

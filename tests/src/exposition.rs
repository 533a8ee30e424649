//! Reads the text format of Prometheus (0.0.4), more strictly than Prometheus does: what is not as it should be panics.

mod sample;

use std::collections::{BTreeMap, BTreeSet};

pub use sample::Sample;

/// A metric: its kind, what it is, and its samples.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// For people.
    pub help: String,
    /// In the order of the text; those of a histogram with their suffixes.
    pub samples: Vec<Sample>,
}

/// All metrics by name.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    /// The families.
    pub families: BTreeMap<String, Family>,
}

impl Exposition {
    /// Reads a text.
    pub fn parse(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let mut current: Option<String> = None;
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
                assert!(is_name(name), "not a name: {line}");
                assert!(help.ends_with('.') && help.len() > 4, "no sentence: {line}");
                let kind = lines.next().and_then(|line| line.strip_prefix(&format!("# TYPE {name} ")));
                let kind = kind.unwrap_or_else(|| panic!("no type after: {line}"));
                let family = Family { kind: kind.to_owned(), help: help.to_owned(), samples: Vec::new() };
                assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
                current = Some(name.to_owned());
                continue;
            }
            let sample = Sample::parse(line);
            let name = current.as_ref().unwrap_or_else(|| panic!("a sample before all families: {line}"));
            let family = families.get_mut(name).unwrap();
            let suffix = sample.name.strip_prefix(name.as_str()).unwrap_or_else(|| panic!("{line} among {name}"));
            let suffixes: &[&str] = if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{line} among {name}");
            family.samples.push(sample);
        }
        let read = Exposition { families };
        read.check();
        read
    }

    fn check(&self) {
        let mut series = BTreeSet::new();
        for (name, family) in &self.families {
            match family.kind.as_str() {
                "counter" => assert!(name.ends_with("_total"), "{name} is a counter"),
                "gauge" => assert!(!name.ends_with("_total"), "{name} is a gauge"),
                "histogram" => check_histogram(name, family),
                other => panic!("{name} is a {other}"),
            }
            for sample in &family.samples {
                assert!(series.insert((&sample.name, &sample.labels)), "{sample:?} comes twice");
                assert!(sample.value.is_finite() && sample.value >= 0.0, "{sample:?}");
                let names = |sample: &Sample| {
                    sample.labels.keys().filter(|name| *name != "le").cloned().collect::<Vec<String>>()
                };
                assert_eq!(names(sample), names(&family.samples[0]), "{name} has samples with other labels");
            }
        }
    }

    /// The value of the sample with exactly these labels; 0 where there is none of a metric that there is.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let family = self.families.get(name).or_else(|| self.families.get(base?));
        let family = family.unwrap_or_else(|| panic!("there is no metric {name}"));
        let found = family.samples.iter().find(|sample| {
            sample.name == name
                && sample.labels.len() == labels.len()
                && labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|known| known == value))
        });
        found.map_or(0.0, |sample| sample.value)
    }
}

/// Buckets rise, the last one holds all, and every set of labels has a sum and a count.
fn check_histogram(name: &str, family: &Family) {
    let mut groups: BTreeMap<BTreeMap<String, String>, Vec<&Sample>> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        groups.entry(labels).or_default().push(sample);
    }
    for (labels, samples) in groups {
        let of = |suffix: &str| -> Vec<&Sample> {
            let wanted = format!("{name}{suffix}");
            samples.iter().copied().filter(|sample| sample.name == wanted).collect()
        };
        let buckets: Vec<(f64, f64)> = of("_bucket").iter().map(|sample| (sample.bound(), sample.value)).collect();
        let (sums, counts) = (of("_sum"), of("_count"));
        assert_eq!((sums.len(), counts.len()), (1, 1), "{name} {labels:?}");
        assert!(buckets.len() > 1, "{name} {labels:?} has no buckets");
        let rise = |(a, b): (&(f64, f64), &(f64, f64))| a.0 < b.0 && a.1 <= b.1;
        assert!(buckets.iter().zip(&buckets[1..]).all(rise), "{name} {labels:?}: {buckets:?}");
        assert_eq!(*buckets.last().unwrap(), (f64::INFINITY, counts[0].value), "{name} {labels:?}");
        assert!((sums[0].value > 0.0) == (counts[0].value > 0.0), "{name} {labels:?}");
    }
}

pub(crate) fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

//! A line with a number.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

use super::is_name;

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric's name, with the suffix of a histogram's part.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The number.
    pub value: f64,
}

impl Sample {
    pub(super) fn parse(line: &str) -> Sample {
        let mut rest = line.chars().peekable();
        let name = word(&mut rest, &['{', ' ']);
        assert!(is_name(&name), "not a name: {line}");
        let mut labels = BTreeMap::new();
        if rest.next_if_eq(&'{').is_some() {
            loop {
                let label = word(&mut rest, &['=']);
                assert!(is_name(&label) && !label.starts_with("__"), "not a label: {line}");
                assert_eq!((rest.next(), rest.next()), (Some('='), Some('"')), "{line}");
                assert!(labels.insert(label, quoted(&mut rest, line)).is_none(), "a label comes twice: {line}");
                match rest.next() {
                    Some(',') => {}
                    Some('}') => break,
                    other => panic!("{other:?} after a label: {line}"),
                }
            }
        }
        assert_eq!(rest.next(), Some(' '), "{line}");
        let number: String = rest.collect();
        let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        assert!(is_plain, "not a plain number: {line}");
        Sample { name, labels, value: number.parse().unwrap_or_else(|error| panic!("{error}: {line}")) }
    }

    /// The bound of a bucket.
    pub(super) fn bound(&self) -> f64 {
        match self.labels.get("le").map(String::as_str) {
            Some("+Inf") => f64::INFINITY,
            Some(bound) => bound.parse().unwrap(),
            None => panic!("a bucket without a bound: {self:?}"),
        }
    }
}

fn word(rest: &mut Peekable<Chars<'_>>, ends: &[char]) -> String {
    std::iter::from_fn(|| rest.next_if(|c| !ends.contains(c))).collect()
}

fn quoted(rest: &mut Peekable<Chars<'_>>, line: &str) -> String {
    let mut value = String::new();
    loop {
        match rest.next() {
            Some('"') => return value,
            Some('\\') => value.push(match rest.next() {
                Some('n') => '\n',
                Some(c @ ('\\' | '"')) => c,
                other => panic!("\\{other:?}: {line}"),
            }),
            Some(c) => value.push(c),
            None => panic!("a label has no end: {line}"),
        }
    }
}

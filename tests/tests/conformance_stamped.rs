//! No case of a suite is forgotten: each one is in the list that its macro stamps.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

fn sources(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_case_of_a_suite_is_stamped() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance"), &mut files);
    let lines = || files.iter().flat_map(|text| text.lines());
    let cases: Vec<&str> =
        lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split(['(', '<']).next()).collect();
    assert!(cases.len() > 100, "only {} cases were found", cases.len());
    for case in cases {
        let stamped = lines().any(|line| line.trim() == format!("{case},"));
        assert!(stamped, "{case} is in no suite's list");
    }
}

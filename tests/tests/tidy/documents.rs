//! Documents name what exists: each invariant its test, each link its file.

use std::path::Path;

use crate::assert_none;
use crate::sources::{FILES, ROOT, read};

const ARCHITECTURE: &str = "docs/architecture.md";
const SEEDED_BUGS: &str = "docs/seeded-bugs.md";
const SEMANTICS: &str = "docs/semantics.md";

/// An invariant as a row of the table: `| 1 | what holds | `path/to/file.rs::name_of_test` |`. The column of tests is
/// headed `test`; it may name several.
struct Invariant {
    number: String,
    tests: Vec<String>,
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    assert!(
        ROOT.join(ARCHITECTURE).is_file(),
        "{ARCHITECTURE} is missing: it must list the invariants and their tests"
    );
    let invariants = invariants(&read(ARCHITECTURE));
    assert!(!invariants.is_empty(), "{ARCHITECTURE} has no table with a column headed `test`");
    let mut found = Vec::new();
    for (invariant, number) in invariants.iter().zip(1..) {
        if invariant.number != number.to_string() {
            found.push(format!("the row after invariant {} is numbered `{}`", number - 1, invariant.number));
        }
        if invariant.tests.is_empty() {
            found.push(format!("invariant {number} names no test"));
        }
        let faults = invariant.tests.iter().filter_map(|test| fault_of(test));
        found.extend(faults.map(|fault| format!("invariant {number}: {fault}")));
    }
    assert_none("invariants whose test can't be found", &found);
}

#[test]
fn every_promise_of_durability_names_a_test_that_exists() {
    let rows = invariants(&read(SEMANTICS));
    assert!(!rows.is_empty(), "{SEMANTICS} has no table with a column headed `test`");
    let mut found = Vec::new();
    for row in &rows {
        if row.tests.is_empty() {
            found.push(format!("`{}` names no test", row.number));
        }
        found.extend(row.tests.iter().filter_map(|test| fault_of(test)));
    }
    assert_none("promises whose test can't be found", &found);
}

#[test]
fn every_seeded_bug_is_listed_with_the_test_that_finds_it() {
    let text = read(SEEDED_BUGS);
    let rows = invariants(&text);
    let mut found: Vec<String> = rows.iter().flat_map(|row| &row.tests).filter_map(|test| fault_of(test)).collect();
    found.extend(rows.iter().filter(|row| row.tests.is_empty()).map(|row| format!("{} names no test", row.number)));
    let listed = |name: &str| rows.iter().any(|row| row.number.contains(&format!("`{name}`")));
    let missing = seeded_bugs().into_iter().filter(|name| !listed(name));
    found.extend(missing.map(|name| format!("{name} is not in {SEEDED_BUGS}")));
    assert_none("seeded bugs without a test", &found);
}

/// Names of bugs: of the simulation's table, and variants of the enums of adapters.
fn seeded_bugs() -> Vec<String> {
    let simulated = read("tests/simulation/src/bugs.rs");
    let names = simulated.lines().filter_map(|line| line.strip_prefix("    \"")?.split('"').next());
    let mut all: Vec<String> = names.map(str::to_owned).collect();
    for file in ["adapters-outbound/journal/src/mmap/bugs.rs", "adapters-outbound/redb/src/bugs.rs"] {
        let text = read(file);
        let variants = text.split("enum Bug {").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default();
        let variants = variants.lines().filter_map(|line| line.trim().strip_suffix(','));
        all.extend(variants.filter(|name| name.chars().all(char::is_alphanumeric)).map(str::to_owned));
    }
    assert!(all.len() > 20, "the tables of bugs are not found: {all:?}");
    all
}

/// Returns what is wrong with `path/to/file.rs::name_of_test`.
fn fault_of(test: &str) -> Option<String> {
    let Some((path, name)) = test.split_once("::") else {
        return Some(format!("`{test}` is not of the form `path/to/file.rs::name_of_test`"));
    };
    if !FILES.iter().any(|file| file == path) {
        return Some(format!("there is no file {path}"));
    }
    let text = read(path);
    // Tests that a macro makes are named in its table.
    let declared = text.contains(&format!("fn {name}(")) || text.contains(&format!("\n    {name}: "));
    (!declared).then(|| format!("there is no `fn {name}` in {path}"))
}

/// The rows of every table with a column headed `test`.
fn invariants(text: &str) -> Vec<Invariant> {
    let mut rows = Vec::new();
    let mut column = None;
    for line in text.lines() {
        let Some(cells) = cells(line) else {
            column = None;
            continue;
        };
        let is_rule = cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)));
        match column {
            None => column = cells.iter().position(|cell| cell.eq_ignore_ascii_case("test")),
            Some(_) if is_rule => {}
            Some(at) => rows.push(Invariant {
                number: cells.first().map_or(String::new(), |cell| cell.trim_end_matches('.').to_owned()),
                tests: cells.get(at).map_or(Vec::new(), |cell| quoted(cell)),
            }),
        }
    }
    rows
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    Some(inner.split('|').map(str::trim).collect())
}

/// Returns the texts between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn links_between_documents_lead_to_files() {
    let mut found = Vec::new();
    for name in FILES.iter().filter(|name| name.ends_with(".md")) {
        let folder = ROOT.join(name).parent().map(Path::to_owned).unwrap_or_default();
        for rest in read(name).split("](").skip(1) {
            let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !folder.join(target).exists() {
                found.push(format!("{name}: {target}"));
            }
        }
    }
    assert_none("links that lead nowhere", &found);
}

#[test]
fn tables_of_invariants_are_read() {
    let text = "| other | table |\n|---|---|\n| 1 | x |\n\n| # | invariant | Test |\n|--:|---|---|\n\
                | 1 | holds | `a.rs::one`, `b.rs::two` |\n| 2. | too | none |\n\ntext\n";
    let read: Vec<(String, Vec<String>)> =
        invariants(text).into_iter().map(|invariant| (invariant.number, invariant.tests)).collect();
    let expected = [("1", vec!["a.rs::one", "b.rs::two"]), ("2", vec![])];
    let expected = expected.map(|(n, tests)| (n.to_owned(), tests.into_iter().map(str::to_owned).collect()));
    assert_eq!(read, expected);
}

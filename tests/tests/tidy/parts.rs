//! The core stays in parts: structs with few fields, types with few methods, each in a folder of its own, and no circles
//! between neighbours.

use std::collections::{BTreeMap, BTreeSet};

use crate::assert_none;
use crate::sources::{SOURCES, Source};

const CORE: &str = "application/src";
const FIELDS_MAX: usize = 12;
const METHODS_MAX: usize = 40;

fn core() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| source.is_below(CORE) && !source.is_test())
}

/// The path of a module below the crate's root: `volume::flusher::gather`.
fn module(source: &Source) -> Vec<&str> {
    let path = source.path.trim_start_matches(CORE).trim_start_matches('/').trim_end_matches(".rs");
    path.split('/').filter(|part| *part != "lib").collect()
}

#[test]
fn no_struct_of_the_core_has_many_fields() {
    let mut found = Vec::new();
    for source in core() {
        for (name, body) in items(&source.code, "struct ") {
            let fields = body.lines().filter(|line| is_field(line)).count();
            if fields > FIELDS_MAX {
                found.push(format!("{}: {name} has {fields} fields", source.path));
            }
        }
    }
    assert_none(&format!("structs with more than {FIELDS_MAX} fields"), &found);
}

#[test]
fn no_type_of_the_core_has_many_methods() {
    let mut methods: BTreeMap<String, usize> = BTreeMap::new();
    for source in core() {
        for (name, body) in inherent(&source.code) {
            *methods.entry(name).or_default() += body.lines().filter(|line| is_method(line)).count();
        }
    }
    let found: Vec<String> = methods
        .iter()
        .filter(|(_, methods)| **methods > METHODS_MAX)
        .map(|(name, methods)| format!("{name} has {methods} methods"))
        .collect();
    assert_none(&format!("types with more than {METHODS_MAX} methods"), &found);
}

#[test]
fn methods_of_the_core_stand_in_the_folder_of_their_type() {
    let mut homes: BTreeMap<String, Vec<Vec<&str>>> = BTreeMap::new();
    for source in core() {
        for keyword in ["struct ", "enum "] {
            for (name, _) in items(&source.code, keyword) {
                homes.entry(name).or_default().push(module(source));
            }
        }
    }
    let mut found = Vec::new();
    for source in core() {
        for (name, _) in inherent(&source.code) {
            let is_home = |home: &Vec<&str>| module(source).starts_with(home);
            if homes.get(&name).is_some_and(|homes| !homes.iter().any(is_home)) {
                found.push(format!("{}: methods of {name}", source.path));
            }
        }
    }
    assert_none("methods outside of the folder of their type", &found);
}

#[test]
fn no_neighbours_of_the_core_use_each_other_in_a_circle() {
    let modules: BTreeSet<Vec<&str>> = core().map(module).collect();
    // Of each folder: which of the modules in it uses which other one.
    let mut uses: BTreeMap<Vec<&str>, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for source in core() {
        let from = module(source);
        for path in paths(&source.code, &from) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let Some(to) = (0..=path.len()).rev().map(|length| &path[..length]).find(|path| modules.contains(*path))
            else {
                continue;
            };
            let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                let other = modules.iter().flatten().find(|name| *name == other).copied().unwrap_or_default();
                uses.entry(from[..shared].to_vec()).or_default().entry(one).or_default().insert(other);
            }
        }
    }
    let mut found = Vec::new();
    for (folder, uses) in &uses {
        for start in uses.keys() {
            if reachable(uses, start).contains(start) {
                found.push(format!("{}: {start}", folder.join("::")));
            }
        }
    }
    assert_none("modules that use each other in a circle", &found);
}

/// Returns the modules that a module leads to, step by step.
fn reachable<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![start];
    while let Some(module) = next.pop() {
        for to in uses.get(module).into_iter().flatten() {
            if reached.insert(*to) {
                next.push(to);
            }
        }
    }
    reached
}

/// The items of a file that begin with a keyword and have a body in braces: their names and bodies.
fn items<'a>(code: &'a str, keyword: &str) -> Vec<(String, &'a str)> {
    let starts = code.match_indices(keyword).filter(|(at, _)| {
        let line = &code[code[..*at].rfind('\n').map_or(0, |at| at + 1)..*at];
        line.is_empty() || line.starts_with("pub")
    });
    let named = starts.map(|(at, _)| {
        let rest = &code[at + keyword.len()..];
        (rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(), body(rest))
    });
    named.collect()
}

/// The `impl` blocks of no trait: the type and the body of each.
fn inherent(code: &str) -> Vec<(String, &str)> {
    let starts = code.match_indices("impl").filter(|(at, _)| *at == 0 || code[..*at].ends_with('\n'));
    let blocks = starts.filter_map(|(at, _)| {
        let rest = &code[at..];
        let head = &rest[..rest.find('{')?];
        if head.contains(" for ") {
            return None;
        }
        let generic =
            head.strip_prefix("impl").filter(|rest| rest.starts_with('<')).and_then(|rest| rest.split_once("> "));
        let name =
            generic.map_or_else(|| head.split_whitespace().nth(1), |(_, rest)| rest.split_whitespace().next())?;
        let name = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        Some((name, body(rest)))
    });
    blocks.collect()
}

/// Up to the closing brace at the start of a line; empty for what has none before the next `;`.
fn body(rest: &str) -> &str {
    match (rest.find('{'), rest.find(';')) {
        (Some(open), semicolon) if semicolon.is_none_or(|at| open < at) => {
            &rest[open..rest.find("\n}").unwrap_or(open)]
        }
        _ => "",
    }
}

fn is_field(line: &str) -> bool {
    let Some(line) = line.strip_prefix("    ").filter(|line| !line.starts_with(' ')) else { return false };
    let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or("", |(_, rest)| rest));
    let name = line.split(':').next().unwrap_or_default();
    line.contains(": ")
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_numeric())
}

fn is_method(line: &str) -> bool {
    let Some(line) = line.strip_prefix("    ").filter(|line| !line.starts_with([' ', '}'])) else { return false };
    line.split('(').next().is_some_and(|head| head.split_whitespace().any(|word| word == "fn"))
        || line.starts_with("pub(") && line.contains(" fn ")
}

/// The paths that a file names from the crate's root or its own: those of its `use` items, and others that begin with
/// `crate` or `super`.
fn paths(code: &str, from: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ").filter(|(at, _)| *at == 0 || code[..*at].ends_with(['\n', ' '])) {
        let tree: String = code[at + 4..].chars().take_while(|c| *c != ';').filter(|c| !c.is_whitespace()).collect();
        flatten(&tree, String::new(), &mut found);
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            found.push(code[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect());
        }
    }
    found.iter().map(|path| absolute(path, from)).collect()
}

/// The paths of a tree of a `use` item.
fn flatten(tree: &str, prefix: String, found: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        found.push(prefix + tree);
        return;
    };
    let (mut depth, mut part) = (0, String::new());
    for c in rest.strip_suffix('}').unwrap_or(rest).chars().chain([',']) {
        match c {
            ',' if depth == 0 => flatten(&std::mem::take(&mut part), format!("{prefix}{head}"), found),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                part.push(c);
            }
        }
    }
}

fn absolute(path: &str, from: &[&str]) -> Vec<String> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut base: Vec<&str> = from.to_vec();
    match parts.first().copied() {
        Some("crate") => {
            parts.remove(0);
            base.clear();
        }
        Some("super") => {
            while parts.first() == Some(&"super") {
                parts.remove(0);
                base.pop();
            }
        }
        _ => {}
    }
    base.into_iter().chain(parts).map(str::to_owned).collect()
}

#[test]
fn fields_methods_and_paths_are_told_from_other_lines() {
    let code = "pub(crate) struct One<'a> {\n    a: u8,\n    pub(super) b: Vec<&'a str>,\n}\n\nimpl<'a> One<'a> {\n    fn c() {\n        \
                let d: u8 = 1;\n    }\n\n    pub(in crate::x) async fn e(\n        f: u8,\n    ) {\n    }\n}\nimpl T for One<'_> {\n    fn g() {}\n}\n";
    let (name, fields) = items(code, "struct ").remove(0);
    assert_eq!((name.as_str(), fields.lines().filter(|line| is_field(line)).count()), ("One", 2));
    let blocks = inherent(code);
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].1.lines().filter(|line| is_method(line)).count(), 2);
    let found = paths("use crate::{a::B, c};\nuse super::d::{self, E};\nlet x = super::f();\n", &["v", "w"]);
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    assert!(
        ["a::B", "c", "v::d::self", "v::d::E", "v::f"].iter().all(|path| found.iter().any(|found| found == path)),
        "{found:?}"
    );
}

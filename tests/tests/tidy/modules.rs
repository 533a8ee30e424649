//! Files are reached, and their names say what is in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::assert_none;
use crate::dependencies::METADATA;
use crate::sources::{ROOT, SOURCES, positions};

const BANNED_NAMES: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "misc", "stuff", "shared", "manager", "manager2"];

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let found: Vec<String> = SOURCES
        .iter()
        .filter(|source| {
            let mut parts = source.path.trim_end_matches(".rs").split('/');
            parts.any(|part| BANNED_NAMES.contains(&part))
        })
        .map(|source| source.path.clone())
        .collect();
    assert_none("files whose name says nothing", &found);
}

#[test]
fn modules_stand_beside_their_folder() {
    let mods = SOURCES.iter().filter(|source| source.path.ends_with("/mod.rs"));
    let found: Vec<String> = mods.map(|source| source.path.clone()).collect();
    assert_none("`mod.rs` files, which should be `name.rs` beside `name/`", &found);
}

#[test]
fn tests_stand_in_files_of_their_own() {
    let mut found = Vec::new();
    for source in SOURCES.iter().filter(|source| !source.is_test()) {
        let inline = positions(&source.code, "mod").filter(|at| {
            let rest = source.code[at + 3..].trim_start();
            rest.strip_prefix("tests").is_some_and(|rest| rest.trim_start().starts_with('{'))
        });
        found.extend(inline.map(|_| source.path.clone()));
    }
    assert_none("files with a module of tests inside", &found);
}

#[test]
fn every_source_file_is_reached() {
    let mut reached = BTreeSet::new();
    for package in METADATA.workspace_packages() {
        for target in &package.targets {
            reach(target.src_path.as_std_path(), true, &mut reached);
        }
    }
    // The one program outside of the workspace.
    reach(&ROOT.join("tests/smb/second-client/src/main.rs"), true, &mut reached);
    let dead = SOURCES.iter().filter(|source| !reached.contains(&ROOT.join(&source.path)));
    let found: Vec<String> = dead.map(|source| source.path.clone()).collect();
    assert_none("files that no `mod` leads to", &found);
}

/// Adds a file and all that its `mod` items lead to.
fn reach(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let Some(source) = SOURCES.iter().find(|source| ROOT.join(&source.path) == file) else {
        return;
    };
    let folder = file.parent().expect("a file is in a folder");
    let stem = file.file_stem().expect("a file has a name");
    let base = if is_root || stem == "mod" { folder.to_owned() } else { folder.join(stem) };
    for name in declared_modules(&source.code) {
        reach(&base.join(format!("{name}.rs")), false, reached);
        reach(&base.join(&name).join("mod.rs"), false, reached);
    }
    for path in declared_paths(&source.text) {
        reach(&folder.join(path), true, reached);
    }
}

fn declared_modules(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for at in positions(code, "mod") {
        let rest = code[at + 3..].trim_start().trim_start_matches("r#");
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() && rest[name.len()..].trim_start().starts_with(';') {
            names.push(name);
        }
    }
    names
}

fn declared_paths(text: &str) -> Vec<&str> {
    let attributes = text.split("#[path = \"").skip(1);
    attributes.filter_map(|rest| rest.split('"').next()).collect()
}

//! Calls and words that some layers, or all of them, may not have.

use crate::assert_none;
use crate::sources::{FILES, SOURCES, Source, line_at, positions, read};

/// Time, randomness, tasks and I/O come to these crates through ports or arguments.
const CORE: [&str; 3] = ["domain", "ports", "application"];
const BANNED_IN_CORE: [&str; 18] = [
    "SystemTime::now",
    "Instant::now",
    "tokio::spawn",
    "tokio::time",
    "tokio::task",
    "tokio::fs",
    "tokio::net",
    "spawn_blocking",
    "thread::spawn",
    "thread::sleep",
    "rand::",
    "getrandom",
    "RandomState::new",
    "std::fs",
    "std::process",
    "std::env",
    "TcpStream",
    "UdpSocket",
];
const BANNED_IN_DOMAIN: [&str; 6] = ["async", "await", "tokio", "tracing", "std::io", "std::thread"];
const BANNED_EVERYWHERE: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
/// The only crate that talks to the system in ways that the compiler can't check, and a name that the allocator looks for.
const UNSAFE_ALLOWED: [&str; 2] = ["adapters-outbound/journal", "bootstrap/src/allocator.rs"];

fn found_in(source: &Source, banned: &[&str]) -> Vec<String> {
    let hits = banned.iter().flat_map(|word| positions(&source.code, word).map(move |at| (at, word)));
    hits.map(|(at, word)| format!("{}:{}: {word}", source.path, line_at(&source.code, at))).collect()
}

#[test]
fn the_core_takes_time_randomness_tasks_and_io_through_ports() {
    let core = |source: &&Source| CORE.iter().any(|folder| source.is_below(folder)) && !source.is_test();
    let found: Vec<String> = SOURCES.iter().filter(core).flat_map(|source| found_in(source, &BANNED_IN_CORE)).collect();
    assert_none("calls that domain, ports and application may not make", &found);
}

#[test]
fn the_domain_is_synchronous_and_silent() {
    let domain = |source: &&Source| source.is_below("domain") && !source.is_test();
    let found: Vec<String> =
        SOURCES.iter().filter(domain).flat_map(|source| found_in(source, &BANNED_IN_DOMAIN)).collect();
    assert_none("words that the domain may not contain", &found);
}

#[test]
fn a_planted_call_is_found() {
    let plant = |code: &str| Source { path: "domain/src/planted.rs".into(), text: code.into(), code: code.into() };
    for word in BANNED_IN_CORE {
        assert_eq!(found_in(&plant(&format!("fn f() {{\n {word}();\n}}")), &BANNED_IN_CORE).len(), 1, "{word}");
    }
    assert_eq!(found_in(&plant("async fn f() {}"), &BANNED_IN_DOMAIN), ["domain/src/planted.rs:1: async"]);
}

#[test]
fn nothing_is_left_open() {
    let mut found: Vec<String> = SOURCES.iter().flat_map(|source| found_in(source, &BANNED_EVERYWHERE)).collect();
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
    for source in SOURCES.iter() {
        for mark in marks {
            let lines = positions(&source.text, mark).map(|at| line_at(&source.text, at));
            found.extend(lines.map(|line| format!("{}:{line}: {mark}", source.path)));
        }
    }
    assert_none("work that was left open", &found);
}

/// One that is made elsewhere forgets what all puts have to say, such as the type of the content.
#[test]
fn the_options_of_puts_to_object_stores_are_made_in_one_place() {
    const OPERATOR: &str = "adapters-outbound/object-store/src";
    const OPTIONS: &str = "adapters-outbound/object-store/src/operator/found.rs";
    let words = ["WriteOptions", "write_with", "writer_with", "operator.write(", "operator.writer("];
    let elsewhere = |source: &&Source| source.is_below(OPERATOR) && source.path != OPTIONS;
    let found: Vec<String> = SOURCES.iter().filter(elsewhere).flat_map(|source| found_in(source, &words)).collect();
    assert_none("puts with options of their own", &found);
}

#[test]
fn unsafe_code_is_in_the_journal_and_in_the_allocators_options_only() {
    let elsewhere =
        |source: &&Source| !UNSAFE_ALLOWED.iter().any(|allowed| source.path == *allowed || source.is_below(allowed));
    let found: Vec<String> =
        SOURCES.iter().filter(elsewhere).flat_map(|source| found_in(source, &["unsafe", "unsafe_code"])).collect();
    assert_none("unsafe code elsewhere", &found);
}

/// Paths and hosts of the machine that something was made on mean nothing on any other.
#[test]
fn no_file_names_the_machine_it_was_made_on() {
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("index.cra", "tes.io"),
        concat!("static.cra", "tes.io"),
        concat!("deb.deb", "ian.org"),
    ];
    let mut found = Vec::new();
    for name in FILES.iter().filter(|name| *name != "Cargo.lock") {
        let text = read(name);
        for word in machine {
            for (at, _) in text.match_indices(word) {
                let before = text[..at].chars().next_back().unwrap_or(' ');
                // Part of a longer path, such as `target/…`, `$dir/…` or `{dir}/…`.
                if before.is_alphanumeric() || "_-.})$*".contains(before) {
                    continue;
                }
                found.push(format!("{name}:{}: {word}", line_at(&text, at)));
            }
        }
    }
    assert_none("files that name a machine", &found);
}

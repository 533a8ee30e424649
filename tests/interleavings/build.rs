//! Copies sources whose interleavings are explored, with the explored locks and atomics in the place of the usual ones; and
//! each of them once more with a step that is broken on purpose, which the tests must notice.
//!
//! So the program itself knows nothing of these tests, and nothing has to be built twice for them.
#![allow(clippy::expect_used, reason = "a build without its sources fails")]

use std::{env, fs, path::Path};

/// A step that is broken: what stands there, and what is put in its place.
struct Fault {
    name: &'static str,
    from: &'static str,
    to: &'static str,
}

const PENDING: &str = "application/src/volume/pending.rs";
const KEYED: &str = "application/src/keyed.rs";
const FLIGHTS: &str = "application/src/volume/blocks/flights.rs";
const CACHE: &str = "adapters-outbound/redb/src/cache.rs";

const FAULTS: [(&str, Fault); 8] = [
    (
        PENDING,
        Fault {
            name: "pending_changes_unseen",
            from: "(self.changed_last(node).load(Ordering::Acquire) <= version.0).then_some(pending)",
            to: "(self.changed_last(node).load(Ordering::Acquire) <= u64::MAX - version.0).then_some(pending)",
        },
    ),
    (
        PENDING,
        Fault {
            name: "pending_taken_twice",
            from: "        let Some(pending) = self.shard(node).write().remove(&node) else { return Vec::new() };\n        \
                   self.nodes.fetch_sub(1, Ordering::AcqRel);",
            to: "        self.nodes.fetch_sub(1, Ordering::AcqRel);\n        \
                 let Some(pending) = self.shard(node).write().remove(&node) else { return Vec::new() };",
        },
    ),
    (
        PENDING,
        Fault {
            name: "pending_always_stable",
            from: "        pending.lock().generation += 1;\n        Some(WriteGuard(pending))",
            to: "        Some(WriteGuard(pending))",
        },
    ),
    (
        KEYED,
        Fault {
            name: "keyed_forgets_waiters",
            from: "Arc::strong_count(lock) == 1",
            to: "Arc::strong_count(lock) >= 1",
        },
    ),
    (KEYED, Fault { name: "keyed_keeps_locks", from: "            shard.remove(&self.key);", to: "" }),
    (FLIGHTS, Fault { name: "flights_never_end", from: "        self.flight.end.close();", to: "" }),
    (
        CACHE,
        Fault {
            name: "cache_keeps_old_rows",
            from: "if self.is_at(epoch) { shard.put(hash, kind, key, row) } else { None }",
            to: "shard.put(hash, kind, key, row)",
        },
    ),
    (CACHE, Fault { name: "cache_never_stops", from: "        self.epoch.store(odd, Ordering::SeqCst);\n", to: "" }),
];

fn main() {
    for (name, path) in [("pending", PENDING), ("keyed", KEYED), ("flights", FLIGHTS), ("cache", CACHE)] {
        write(name, &explored(path));
    }
    for (path, Fault { name, from, to }) in &FAULTS {
        let text = explored(path);
        // The tests say so if there is no such step any more.
        let broken = if text.matches(from).count() == 1 { text.replace(from, to) } else { text };
        write(name, &broken);
    }
    let keys = source("adapters-outbound/redb/src/keys.rs");
    let redo = source("adapters-outbound/redb/src/redo.rs");
    let reader = source("adapters-outbound/redb/src/codec/reader.rs");
    let tables = source("adapters-outbound/redb/src/tables.rs");
    let kinds = tables.find("/// Which records a table holds.").zip(tables.find("/// Keys and values are bytes"));
    let (from, to) = kinds.expect("the kinds of records stand in the tables' source");
    for (name, text) in [("keys", &*keys), ("redo", &*redo), ("reader", &*reader), ("kinds", &tables[from..to])] {
        write(name, &included(text));
    }
}

fn write(name: &str, text: &str) {
    let out = env::var("OUT_DIR").expect("cargo says where to");
    fs::write(Path::new(&out).join(format!("{name}.rs")), text).expect("the copy can be written");
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A source as a part of another file: without the description of the file, and without its own tests.
fn included(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    lines.collect::<Vec<_>>().join("\n").replace("#[cfg(test)]\nmod tests;", "")
}

/// A source with its submodule inside, and with what is explored.
fn explored(path: &str) -> String {
    let mut text = included(&source(path));
    for (of, module) in [(CACHE, "shard"), (PENDING, "node")].into_iter().filter(|(of, _)| *of == path) {
        let inside = included(&source(&of.replace(".rs", &format!("/{module}.rs"))));
        text = text.replace(&format!("mod {module};"), &format!("mod {module} {{ {inside} }}"));
    }
    text.replace("pub(in crate::volume)", "pub(crate)")
        .replace("use std::", "use crate::explored::std::")
        .replace("use parking_lot::", "use crate::explored::parking_lot::")
}

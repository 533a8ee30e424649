//! What the tables take on the disk, as the database says itself.

use std::collections::BTreeMap;

use dittofs_postgres_test_server::{Plain, PostgresServer};
use dittofs_tests::report::Report;

use crate::load::Layout;

const MIB: f64 = (1u64 << 20) as f64;

/// Bytes of each table, with its rows that are kept apart, and of each index.
pub(crate) async fn sizes(person: &mut Plain) -> BTreeMap<String, u64> {
    let sizes = "SELECT c.relname || ' ' || CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid) ELSE \
                 pg_relation_size(c.oid) END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname = 'dittofs' AND c.relkind IN ('r', 'i')";
    let pairs = person.texts(sizes).await;
    let pair = |line: &String| {
        let (name, bytes) = line.split_once(' ').unwrap();
        (name.to_owned(), bytes.parse().unwrap())
    };
    pairs.iter().map(pair).collect()
}

/// Notes the bytes that a file takes.
pub(crate) fn note_bytes_a_file(database: &PostgresServer, layout: &Layout, report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sizes = runtime.block_on(async { sizes(&mut Plain::connect(database).await).await });
    let each = |names: &[&str]| {
        let sum: u64 = names.iter().map(|name| sizes.get(*name).copied().unwrap_or_default()).sum();
        sum as f64 / layout.files as f64
    };
    let all = ["node", "node_pkey", "node_truncation", "entry", "entry_pkey", "entry_cookie", "entry_folded"];
    for name in all {
        report.note(format!("bytes a file in `{name}`"), format!("{:.0}", each(&[name])));
    }
    let found = each(&all);
    report.judge("bytes a file, but for its map", format!("{found:.0}"), "at most 560", found <= 560.0);
}

/// The state of the tables after some flushes.
pub(crate) struct State {
    sizes: BTreeMap<String, u64>,
    /// Updates, those that needed no new index entry, dead rows, and runs of vacuum; by table.
    updates: BTreeMap<String, [u64; 4]>,
}

const MEASURED: [&str; 8] =
    ["node", "node_pkey", "map", "map_pkey", "object", "object_pkey", "reference", "reference_pkey"];

impl State {
    pub(crate) async fn of(person: &mut Plain) -> State {
        // Each session reports what it did once in a while.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let updates = "SELECT relname || ' ' || n_tup_upd || ' ' || n_tup_hot_upd || ' ' || n_dead_tup || ' ' || \
                       autovacuum_count FROM pg_stat_user_tables WHERE schemaname = 'dittofs'";
        let lines = person.texts(updates).await;
        let numbers = |line: &String| {
            let mut words = line.split(' ');
            let name = words.next().unwrap().to_owned();
            let numbers: Vec<u64> = words.map(|word| word.parse().unwrap()).collect();
            (name, <[u64; 4]>::try_from(numbers).unwrap())
        };
        State { sizes: sizes(person).await, updates: lines.iter().map(numbers).collect() }
    }

    fn mib(&self, name: &str) -> f64 {
        self.sizes[name] as f64 / MIB
    }

    /// One line on the way.
    pub(crate) fn line(&self) -> String {
        let sizes: Vec<String> = MEASURED.iter().map(|name| format!("{name} {:.1}", self.mib(name))).collect();
        format!("MiB: {}", sizes.join(", "))
    }

    /// Notes what has changed since an earlier state.
    pub(crate) fn note(&self, before: &State, midway: &State, report: &mut Report) {
        for name in MEASURED {
            let (first, middle, last) = (before.mib(name), midway.mib(name), self.mib(name));
            report.note(
                format!("`{name}`: MiB before, halfway, after"),
                format!("{first:.1}, {middle:.1}, {last:.1} ({:+.0} %)", (last / first - 1.0) * 100.0),
            );
        }
        let since = |name: &str, which: usize| self.updates[name][which].saturating_sub(before.updates[name][which]);
        for name in ["node", "map", "object"] {
            let (all, hot) = (since(name, 0), since(name, 1));
            report.note(
                format!("updates of `{name}`, and those that needed no new index entry (HOT)"),
                format!("{all}, {:.1} %", hot as f64 * 100.0 / all.max(1) as f64),
            );
        }
        for name in ["node", "map", "object", "reference"] {
            let (dead, runs) = (self.updates[name][2], since(name, 3));
            report
                .note(format!("runs of autovacuum over `{name}`, and dead rows at the end"), format!("{runs}, {dead}"));
        }
    }
}

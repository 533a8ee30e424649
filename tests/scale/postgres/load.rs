//! Files that are put into the tables by statements.

use std::time::Instant;

use dittofs_domain::{FoldTable, Name};
use dittofs_postgres_test_server::{Plain, PostgresServer};
use dittofs_tests::report::Report;

use crate::SHARE;

/// Loading writes no log of changes that nobody needs; the rest is what a server of this size has.
pub(crate) const SETTINGS: [&str; 8] = [
    "autovacuum=on",
    "shared_buffers=512MB",
    "maintenance_work_mem=1GB",
    "max_parallel_maintenance_workers=1",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=1GB",
    "checkpoint_timeout=15min",
];

/// Files in each directory but the large one.
const EACH: u64 = 1_000;
/// Ids from here on are ours; an even one is a node's, and the next one its cookie.
const FIRST: u64 = 1_000_000_000;
/// Files that one statement loads.
const BATCH: u64 = 500_000;
const COLUMNS: &str = "share, id, size, allocated, atime, mtime, ctime, birth, change, permission_version, \
    content_version, content_seq, times_seq, parent, parent_cookie, atime_nanos, mtime_nanos, ctime_nanos, birth_nanos, \
    uid, gid, links, since, mode, kind, flags";
/// The last one is the folded name: null, since all names here are their own. Its default would say that it is not
/// known yet, and the next start would fold all of them.
const OF_ENTRIES: &str = "share, directory, cookie, node, since, space, name, folded";

/// Which files are in which directories.
pub(crate) struct Layout {
    /// All files.
    pub(crate) files: u64,
    /// Those in the large directory.
    pub(crate) large: u64,
    /// Directories, the large one among them; it is the first.
    pub(crate) directories: u64,
}

impl Layout {
    pub(crate) fn new(files: u64) -> Layout {
        let large = files / 10;
        Layout { files, large, directories: 1 + (files - large).div_ceil(EACH) }
    }

    /// The directory of a file.
    pub(crate) fn directory_of(&self, file: u64) -> u64 {
        if file < self.large { 0 } else { 1 + (file - self.large) / EACH }
    }
}

/// The name of a directory.
pub(crate) fn directory_name(directory: u64) -> String {
    format!("directory-{directory:010}")
}

/// The name of a file: 46 bytes, whose order is not that of the ids.
pub(crate) fn file_name(file: u64) -> String {
    let mixed = file * 2_654_435_761 % (1 << 32);
    format!("photo-{mixed:010}-{file:024}.jpeg")
}

/// Puts all files into the tables, with indexes made last, and all sums as if the server had made them.
pub(crate) fn load(database: &PostgresServer, layout: &Layout, report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let mut person = Plain::connect(database).await;
        person.carry_out("SET search_path = dittofs; SET synchronous_commit = off").await;
        for name in [directory_name(0), file_name(0)] {
            assert_eq!(FoldTable::NEWEST.fold(&Name::new(name.as_bytes()).unwrap()), None, "{name} is not folded");
        }
        let made_again = drop_indexes(&mut person).await;
        directories(&mut person, layout).await;
        let mut first = 0;
        while first < layout.files {
            files(&mut person, layout, first, (first + BATCH).min(layout.files)).await;
            first += BATCH;
        }
        for statement in made_again {
            person.carry_out(&statement).await;
        }
        sums(&mut person, layout).await;
        assert_folded(&mut person).await;
        eprintln!("loaded, {:.0} s", began.elapsed().as_secs_f64());
        person.carry_out("VACUUM (ANALYZE) node").await;
        person.carry_out("VACUUM (ANALYZE) entry").await;
    });
    report.note("files", layout.files.to_string());
    report.note("loaded, vacuumed and analysed, s", format!("{:.0}", began.elapsed().as_secs_f64()));
}

/// Drops the indexes of nodes and entries; returns the statements that make them again.
async fn drop_indexes(person: &mut Plain) -> Vec<String> {
    let keys = "SELECT 'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || conname || ' ' || \
                pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' \
                AND conrelid IN ('node'::regclass, 'entry'::regclass)";
    let indexes =
        "SELECT indexdef FROM pg_indexes WHERE indexname IN ('entry_cookie', 'entry_folded', 'node_truncation')";
    let made_again = [person.texts(keys).await, person.texts(indexes).await].concat();
    assert_eq!(made_again.len(), 5, "{made_again:?}");
    person
        .carry_out(
            "ALTER TABLE node DROP CONSTRAINT node_pkey; ALTER TABLE entry DROP CONSTRAINT entry_pkey; \
             DROP INDEX entry_cookie, entry_folded, node_truncation",
        )
        .await;
    made_again
}

/// The next start must have no names to fold: it would make each row anew, and the measurement begin with that.
async fn assert_folded(person: &mut Plain) {
    let unfolded = "SELECT (EXISTS (SELECT FROM entry WHERE folded IS NOT NULL) \
                    OR EXISTS (SELECT FROM share WHERE folding IS NULL))::text";
    assert_eq!(person.texts(unfolded).await, ["false"], "names are not as the server has them");
}

async fn directories(person: &mut Plain, layout: &Layout) {
    let (last, now) = (layout.directories - 1, "extract(epoch FROM now())::int8");
    let nodes = format!(
        "INSERT INTO node ({COLUMNS}) SELECT {SHARE}, {FIRST} + 2 * i, 0, 0, {now}, {now}, {now}, {now}, 1, 0, 0, 0, 0, \
         3, {FIRST} + 2 * i + 1, 0, 0, 0, 0, 0, 0, 2, 1, 493, 2, 0 FROM generate_series(0::int8, {last}) i"
    );
    let entries = format!(
        "INSERT INTO entry ({OF_ENTRIES}) SELECT {SHARE}, 3, {FIRST} + 2 * i + 1, {FIRST} + 2 * i, 1, 0, \
         ('directory-' || lpad(i::text, 10, '0'))::bytea, NULL FROM generate_series(0::int8, {last}) i"
    );
    person.carry_out(&nodes).await;
    person.carry_out(&entries).await;
}

async fn files(person: &mut Plain, layout: &Layout, first: u64, end: u64) {
    let Layout { large, directories, .. } = *layout;
    let (last, now, files) = (end - 1, "extract(epoch FROM now())::int8", FIRST + 2 * directories);
    let directory = format!("{FIRST} + 2 * CASE WHEN i < {large} THEN 0 ELSE 1 + (i - {large}) / {EACH} END");
    let nodes = format!(
        "INSERT INTO node ({COLUMNS}) SELECT {SHARE}, {files} + 2 * i, 0, 0, {now}, {now}, {now}, {now}, 1, 0, 0, 0, 0, \
         {directory}, {files} + 2 * i + 1, 0, 0, 0, 0, 1000, 1000, 1, 1, 420, 1, 0 \
         FROM generate_series({first}::int8, {last}) i"
    );
    let entries = format!(
        "INSERT INTO entry ({OF_ENTRIES}) SELECT {SHARE}, {directory}, {files} + 2 * i + 1, {files} + 2 * i, 1, 0, \
         ('photo-' || lpad((i * 2654435761 % 4294967296)::text, 10, '0') || '-' || lpad(i::text, 24, '0') \
         || '.jpeg')::bytea, NULL FROM generate_series({first}::int8, {last}) i"
    );
    person.carry_out(&nodes).await;
    person.carry_out(&entries).await;
}

/// What the share counts; each node and each name counts for 512 bytes.
async fn sums(person: &mut Plain, layout: &Layout) {
    let (nodes, directories) = (layout.files + layout.directories, layout.directories);
    let next = FIRST + 2 * nodes;
    let statements = format!(
        "UPDATE stat SET nodes = nodes + {nodes}, bytes = bytes + 1024::int8 * {nodes} \
         WHERE share = {SHARE} AND shard = (SELECT min(shard) FROM stat WHERE share = {SHARE}); \
         UPDATE node SET links = links + {directories} WHERE share = {SHARE} AND id = 3; \
         UPDATE counter SET next = {next} WHERE share = {SHARE} AND what = 1"
    );
    person.carry_out(&statements).await;
}

//! How the database finds rows, as it says itself: by whole keys, whatever it knows of the tables.
//!
//! `auto_explain` writes the plan of each statement into the log, also of those inside the function.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    ChangeId, Cookie, Epoch, NodeId, NodeKind, ObjectId, OpId, PlaceId,
    content::MapRow,
    node::NodeFlags,
    plan::{
        Change, Expectation, MapQuery, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Reference, Space,
        UnlinkedReason,
    },
    users::{MachineId, SealedSecret, User, UserName},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::{Counter, MetadataStore, Revision, StoredUser};
use dittofs_postgres_test_server::PostgresServer;
use sqlx::Executor;

use crate::{
    fixture::{Fixture, child, options, time},
    migrations::by_hand,
};

const SETTINGS: [&str; 6] = [
    "session_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_nested_statements=on",
    "auto_explain.log_analyze=off",
    "log_min_messages=log",
    "work_mem=64MB",
];

/// Columns of an index that a look-up must name at least.
const KEYS: [(&str, usize); 15] = [
    ("node_pkey", 2),
    ("entry_pkey", 2),
    ("entry_cookie", 4),
    // By two of them entries are found that have no folded name yet.
    ("entry_folded", 2),
    ("map_pkey", 2),
    ("xattr_pkey", 2),
    ("object_pkey", 2),
    ("reference_pkey", 2),
    ("op_pkey", 2),
    ("unlinked_pkey", 2),
    ("counter_pkey", 2),
    ("node_truncation", 1),
    ("stat_pkey", 1),
    ("account_pkey", 1),
    ("machine_pkey", 1),
];

/// One statement and its plan.
struct Explained<'a>(Vec<&'a str>);

impl Explained<'_> {
    /// Statements of the log, but for those that look after other things than rows of shares.
    fn all(log: &str) -> Vec<Explained<'_>> {
        let mut all: Vec<Explained<'_>> = Vec::new();
        for line in log.lines() {
            match all.last_mut() {
                _ if line.contains("  plan:") => all.push(Explained(Vec::new())),
                Some(Explained(lines)) if line.starts_with('\t') => lines.push(line),
                _ => {}
            }
        }
        let others =
            ["pg_stat_activity", "schema_version", "current_setting", "ctid = ANY", "generate_series", "pg_catalog"];
        all.retain(|Explained(lines)| !lines.iter().any(|line| others.iter().any(|other| line.contains(other))));
        all
    }

    fn text(&self) -> String {
        self.0.join("\n")
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let text = self.text();
        for (line, next) in self.0.iter().zip(self.0.iter().skip(1).map(Some).chain([None])) {
            let is_op = text.contains("FROM op") && !text.contains("DELETE");
            let forbidden = ["Seq Scan", "Hash", "Merge", "Bitmap", "Sort", "Materialize", "Filter:"];
            // An operation may be found under several ways; and a column that says whether numbers are used up is no
            // key.
            let is_allowed = (is_op && (line.contains("Sort") || line.contains("Filter:")))
                || line.contains("Conflict Filter:")
                || (line.contains("Filter:") && (text.contains("UPDATE counter") || text.contains("up.id <> 3")))
                || (line.contains("Filter: ((revision") || line.contains("Filter: (revision"));
            if forbidden.iter().any(|word| line.contains(word)) && !is_allowed {
                faults.push(format!("{}\n{text}", line.trim()));
            }
            let used = KEYS.iter().find(|(index, _)| line.contains(&format!("using {index} ")));
            if let Some((index, least)) = used {
                let condition = next.filter(|next| next.contains("Index Cond:"));
                let columns = condition.map_or(0, |next| next.matches(" AND ").count() + 1);
                if columns < *least {
                    faults.push(format!("{columns} columns of {index}\n{text}"));
                }
                if *index == "entry_pkey" && text.contains("name = ") && columns < 4 && !text.contains("space = 0") {
                    faults.push(format!("a name is looked for by {columns} columns\n{text}"));
                }
            }
        }
        faults
    }
}

/// Every kind of call.
async fn work(fixture: &Fixture, round: u128) {
    let share = &fixture.share;
    let text = format!("round{round}");
    let op = OpId(round << 8);
    let (plan, directory) = fixture.addition(NodeId::ROOT, &text, NodeKind::Directory);
    fixture.apply(plan, Some(op)).await.unwrap();
    let (plan, file) = fixture.addition(directory, "f", NodeKind::File);
    fixture.apply(plan, Some(OpId(op.0 | 1))).await.unwrap();
    let object = ObjectId(round << 64 | 5);
    let record =
        ObjectRecord { id: object, state: ObjectState::Writing, owner: Epoch(1), bytes: 1, place: PlaceId::HOME };
    let mut plan = Plan::at(time(3));
    plan.change(Change::PutObject(record));
    fixture.apply(plan, None).await.unwrap();
    let mut plan = Plan::at(time(4));
    plan.require(Expectation::ObjectUsable { object, epoch: Epoch(1) });
    plan.require(Expectation::ObjectState { object, state: ObjectState::Writing });
    plan.require(Expectation::Unreferenced(object)).require(Expectation::Empty(file));
    plan.change(Change::InsertReference(Reference::live(object, file, 0)));
    plan.change(Change::PutRow { node: file, page: 0, row: MapRow::Holes { version: Default::default(), pages: 3 } });
    plan.change(Change::PutUnlinked { node: file, reason: UnlinkedReason::Open });
    plan.change(Change::UpdateNode(file, NodeUpdate::changed())).change(Change::RaiseTopology);
    fixture.apply(plan, None).await.unwrap();
    let (mut plan, _) = fixture.addition(directory, "Capital", NodeKind::File);
    plan.require(Expectation::FoldedAbsent(child(directory, "CAPITAL")));
    fixture.apply(plan, None).await.unwrap();
    let folded = fixture.view(Query::child(directory, child(directory, "CAPITAL")).in_any_case()).await.folded;
    assert_eq!(folded[0].entries.len(), 1);
    work_on_xattrs(fixture, file).await;
    let map = Some(MapQuery { node: file, first_page: 1, last_page: 9, rows_max: 5 });
    let whole = Query { map, ancestors_of: Some(directory), ..Query::child(file, child(directory, "f")) };
    for query in [Query::node(file), Query::child(directory, child(directory, "f")), whole.asking(Some(op))] {
        fixture.view(query).await;
    }
    for records in [false, true] {
        share.list(directory, Space::Children, Cookie::START, 100, records).await.unwrap();
    }
    let listed = share.list(NodeId::ROOT, Space::Children, Cookie::START, 1, false).await.unwrap();
    share.name_of(NodeId::ROOT, listed.entries[0].cookie).await.unwrap();
    for counter in [Counter::Ids, Counter::Trees] {
        share.allocate(counter, 1).await.unwrap();
        share.allocate(counter, 0).await.unwrap();
    }
    share.unlinked(NodeId(0), 10).await.unwrap();
    share.pending_truncations(NodeId(0), 10).await.unwrap();
    share.objects(None, 10).await.unwrap();
    share.references(object, 10).await.unwrap();
    share.references_after(Some(Reference::live(object, NodeId(0), 0)), 10).await.unwrap();
    share.nodes(file, 10).await.unwrap();
    share.node_ids(file, 10).await.unwrap();
    share.statistics().await.unwrap();
    share.put_record(&share.record().await.unwrap()).await.unwrap();
    work_on_users(fixture).await;
    let mut plan = Plan::at(time(5));
    plan.change(Change::DeleteReference(Reference::live(object, file, 0))).change(Change::DeleteObject(object));
    plan.change(Change::DeleteRow { node: file, page: 0 }).change(Change::DeleteUnlinked(file));
    plan.change(Change::UpdateNode(file, NodeUpdate::changed()));
    fixture.apply(plan, None).await.unwrap();
    fixture.apply(Fixture::removal(directory, "f", file), None).await.unwrap();
}

/// The same of extended attributes.
async fn work_on_xattrs(fixture: &Fixture, file: NodeId) {
    let name = XattrName::new(Bytes::from_static(b"n")).unwrap();
    let set = XattrChange::Set { name, value: Bytes::from_static(b"v"), how: SetHow::Either };
    let xattrs = Xattrs::initial(&[set]).unwrap().map(Arc::new);
    for (version, xattrs) in [(None, xattrs.clone()), (Some(ChangeId(1)), xattrs.clone()), (Some(ChangeId(1)), None)] {
        let mut plan = Plan::at(time(4));
        plan.require(Expectation::XattrsAre { node: file, version });
        plan.change(Change::PutXattrs { node: file, xattrs: xattrs.clone() });
        fixture.apply(plan, None).await.unwrap();
        assert_eq!(fixture.view(Query::xattrs(file)).await.xattrs, xattrs);
    }
    fixture.share.xattr_bytes(NodeId(0), 10).await.unwrap();
    let update = NodeUpdate { xattr_bytes: Some(7), set_flags: NodeFlags::XATTRS, ..NodeUpdate::changed() };
    let mut plan = Plan::at(time(4));
    plan.change(Change::PutXattrs { node: file, xattrs }).change(Change::UpdateNode(file, update));
    fixture.apply(plan, None).await.unwrap();
}

/// The same of users.
async fn work_on_users(fixture: &Fixture) {
    let users = fixture.store.users();
    users.machine(MachineId([1, 2, 3])).await.unwrap();
    let (name, secret) = (UserName::new("Alice").unwrap(), SealedSecret::new(b"sealed").unwrap());
    let user = User { name: name.clone(), uid: 1, gid: u32::MAX - 1, groups: vec![2, 3], disabled: true, secret };
    let stored = |revision| StoredUser { user: user.clone(), revision: Revision(revision) };
    users.put(&stored(1), None).await.unwrap();
    users.put(&stored(2), Some(Revision(1))).await.unwrap();
    assert_eq!(users.user(&name).await.unwrap(), Some(stored(2)));
    assert_eq!(users.users(None, 10).await.unwrap(), [stored(2)]);
    users.remove(&name, Revision(2)).await.unwrap();
}

/// Adds so many files to the root, and as many rows of maps, as a person would: the store is not asked.
async fn fill(server: &PostgresServer, round: usize, files: u64, statistics: bool) {
    let mut person = by_hand(server).await;
    let share = "(SELECT id FROM share)";
    let first = 1_000_000_000 * round;
    let columns = "share, id, size, allocated, atime, mtime, ctime, birth, change, permission_version, content_version, \
                   content_seq, times_seq, parent, parent_cookie, atime_nanos, mtime_nanos, ctime_nanos, birth_nanos, uid, \
                   gid, links, since, mode, kind, flags";
    for text in [
        "SET search_path = dittofs".to_owned(),
        format!(
            "INSERT INTO node ({columns}) SELECT {share}, {first} + i, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, {first} + i, \
             0, 0, 0, 0, 0, 0, 1, 1, 420, 1, 0 FROM generate_series(1, {files}) i"
        ),
        format!(
            "INSERT INTO entry SELECT {share}, 3, {first} + i, {first} + i, 1, 0, ('file-{round}-' || i)::bytea \
             FROM generate_series(1, {files}) i"
        ),
        format!("INSERT INTO map SELECT {share}, {first} + i, 0, 0, 1, 1, NULL FROM generate_series(1, {files}) i"),
        format!(
            "INSERT INTO reference SELECT {share}, {first} + i, 0, 0, decode(md5((i / 100)::text), 'hex') \
             FROM generate_series(1, {files}) i"
        ),
    ] {
        person.execute(text.as_str()).await.unwrap();
    }
    if statistics {
        person.execute("ANALYZE").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_found_by_whole_keys_whatever_the_planner_knows() {
    let server = PostgresServer::with(&SETTINGS);
    let mut faults = Vec::new();
    let mut seen = 0;
    // Nothing; little, with and without statistics; much that it has statistics of the little for; and with its own.
    for (round, (files, statistics)) in
        [(0, false), (0, true), (300, false), (0, true), (60_000, false), (0, true)].into_iter().enumerate()
    {
        if round > 0 && (files > 0 || statistics) {
            fill(&server, round, files, statistics).await;
        }
        let begin = server.log().len();
        let fixture = Fixture::new(&options(&server)).await;
        work(&fixture, round as u128 + 1).await;
        if round == 5 {
            fixture.store.remove_share(crate::fixture::SHARE).await.unwrap();
        }
        let log = server.log().split_off(begin);
        let explained = Explained::all(&log);
        seen = explained.len();
        faults.extend(explained.iter().flat_map(Explained::faults).map(|fault| format!("round {round}: {fault}")));
    }
    assert!(seen > 60, "only {seen} plans are in the log");
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults[..faults.len().min(5)].join("\n\n"));
}

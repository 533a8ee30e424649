//! Every statement that is sent to the database.
//!
//! Each is written so that the planner can only look rows up by the columns of a key: an inner look-up is
//! `CROSS JOIN LATERAL (… LIMIT 1)`, a list is `unnest`. A test reads the plans.

mod accounts;

use std::sync::LazyLock;

use dittofs_domain::plan::FOLDED_MAX;

use crate::{node, share_row};
pub(crate) use accounts::{ADD_USER, CHANGE_USER, MACHINE, MAKE_MACHINE, REMOVE_USER, USER, USERS};

/// Shows what a new session and its server are like.
pub(crate) const CHECK: &str = "SELECT pg_backend_pid(),
    (SELECT (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity WHERE pid = pg_backend_pid()),
    current_setting('dittofs.session', true), current_setting('server_version_num')::int4, pg_is_in_recovery(),
    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
    current_setting('server_encoding'), current_setting('synchronous_standby_names') <> ''";

/// Ends sessions; returns those that are still there.
pub(crate) const END_SESSIONS: &str = "SELECT a.pid, pg_terminate_backend(a.pid)
FROM unnest($1::int4[], $2::int8[]) AS lost (process, started)
JOIN pg_stat_activity a ON a.pid = lost.process 
    AND (extract(epoch FROM a.backend_start) * 1000000)::int8 = lost.started";

pub(crate) const APPLY: &str = "SELECT o_tag, o_n, o_a, o_b, NULL::bytea,
    (o_node).id, (o_node).size, (o_node).allocated, (o_node).atime, (o_node).mtime, (o_node).ctime, (o_node).birth,
    (o_node).change, (o_node).permission_version, (o_node).content_version, (o_node).content_seq, (o_node).times_seq,
    (o_node).parent, (o_node).parent_cookie, (o_node).atime_nanos, (o_node).mtime_nanos, (o_node).ctime_nanos,
    (o_node).birth_nanos, (o_node).uid, (o_node).gid, (o_node).links, (o_node).since, (o_node).mode, (o_node).kind,
    (o_node).flags, (o_node).device, (o_node).create_verifier, (o_node).truncation_offset, (o_node).truncation_version,
    (o_node).truncation_end, (o_node).dos_attributes, (o_node).target, (o_node).exclusions,
    (o_node).acl, (o_node).xattr_bytes
FROM standing_1($1, $13, $14) s (share)
CROSS JOIN LATERAL apply_4(s.share, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// Takes a lock of the session, if it is free.
pub(crate) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1)";

pub(crate) const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";

/// Who has a lock of the session: its process in the database, and what it says of itself.
pub(crate) const HOLDER: &str =
    "SELECT l.pid, coalesce((SELECT address FROM instance WHERE share = $2 LIMIT 1), 'another server')
FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
    AND l.classid::int8 << 32 | l.objid::int8 = $1";

pub(crate) const CLAIM: &str = "SELECT o_number, o_at FROM claim_1($1, $2, $3)";

/// The shares of claims, and whether they are fenced; none of those that are no longer there.
pub(crate) const STANDING: &str = "SELECT q.share, i.is_fenced FROM unnest($1::int8[], $2::int8[]) q (share, number)
CROSS JOIN LATERAL (SELECT is_fenced FROM instance WHERE share = q.share AND epoch = q.number LIMIT 1) i";

pub(crate) const REMOVE_CLAIM: &str = "DELETE FROM instance WHERE share = $1 AND epoch = $2 RETURNING 1";

pub(crate) const NAME_OF: &str = "SELECT name FROM entry
WHERE (share + 0) = $1 AND (directory + 0) = $2 AND (space + 0) = 0 AND cookie = $3 LIMIT 1";

pub(crate) const ALLOCATE: &str = "UPDATE counter SET next = next + $3::int8
WHERE share = $1 AND what = $2 AND next <= $4::int8 - $3::int8 RETURNING next";

pub(crate) const COUNTER: &str = "SELECT next FROM counter WHERE share = $1 AND what = $2";

pub(crate) const UNLINKED: &str =
    "SELECT node, reason FROM unlinked WHERE share = $1 AND node > $2 ORDER BY node LIMIT $3";

pub(crate) const TRUNCATIONS: &str =
    "SELECT id FROM node WHERE share = $1 AND id > $2 AND truncation_offset IS NOT NULL ORDER BY id LIMIT $3";

pub(crate) const OBJECTS: &str =
    "SELECT id, state, owner, bytes, place FROM object WHERE share = $1 AND id > $2 ORDER BY id LIMIT $3";

pub(crate) const REFERENCES: &str = "SELECT node, chunk FROM reference WHERE share = $1 AND object = $2
ORDER BY node, chunk, until LIMIT $3";

pub(crate) const REFERENCES_AFTER: &str = "SELECT object, node, chunk, until FROM reference
WHERE share = $1 AND (object, node, chunk, until) > ($2, $3, $4, $5) ORDER BY object, node, chunk, until LIMIT $6";

pub(crate) const NODE_IDS: &str = "SELECT id FROM node WHERE share = $1 AND id > $2 ORDER BY id LIMIT $3";

/// The nodes for which extended attributes are kept, and what these count for.
pub(crate) const XATTR_BYTES: &str =
    "SELECT node, bytes FROM xattr WHERE share = $1 AND node > $2 ORDER BY node LIMIT $3";

pub(crate) const STATISTICS: &str =
    "SELECT coalesce(sum(bytes), 0)::int8, coalesce(sum(nodes), 0)::int8 FROM stat WHERE share = $1";

/// The tables that have rows of a share, as they are emptied: but for that of claims, which ends it.
pub(crate) const TABLES_OF_SHARE: [&str; 13] = [
    "op",
    "lease",
    "reference",
    "map",
    "unlinked",
    "entry",
    "object",
    "xattr",
    "node",
    "stat",
    "counter",
    "topology",
    "share",
];

/// Takes some rows of a share away, by the table's name.
pub(crate) fn removal(table: &str) -> String {
    let key = if table == "share" { "id" } else { "share" };
    format!(
        "DELETE FROM {table} USING standing_1($1, $2, $3)
        WHERE {table}.ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {key} = $1 LIMIT 8192)) RETURNING 1"
    )
}

/// By which table a share folds names, if that is done, and whether a server of the release before has made entries
/// since.
pub(crate) const FOLDING: &str = "SELECT s.folding,
    (SELECT true FROM entry WHERE (0 + share) = $1 AND folded = '\\x00' LIMIT 1) FROM share s WHERE s.id = $1";

/// Entries in the order of their names.
pub(crate) const ENTRIES_AFTER: &str = "SELECT directory, space, name FROM entry
WHERE share = $1 AND (directory, space, name) > ($2, $3, $4) ORDER BY directory, space, name LIMIT $5";

/// Entries whose folded names are not known yet.
pub(crate) const ENTRIES_UNFOLDED: &str = "SELECT directory, space, name FROM entry
WHERE (0 + share) = $1 AND folded = '\\x00' LIMIT $2";

/// Gives entries their folded names.
pub(crate) const FOLD_ENTRIES: &str = "SELECT fold_1(s.share, $2, $3, $4, $5) FROM standing_1($1, $6, $7) s (share)";

/// Notes that all entries of a share have theirs.
pub(crate) const PUT_FOLDING: &str =
    "UPDATE share SET folding = $2 FROM standing_1($1, $3, $4) WHERE id = $1 RETURNING 1";

/// Forgets operations of a share that count no longer: here. Another server that has taken the share since counts anew.
pub(crate) const FORGET_OPERATIONS: &str = "DELETE FROM op USING standing_1($1, $3, $4)
WHERE share = $1 AND at < (extract(epoch FROM clock_timestamp()) * 1000)::int8 - $2::int8";

fn columns_of_node(of: &str) -> String {
    let columns: Vec<String> = node::COLUMNS.iter().map(|(name, _)| format!("{of}.{name}")).collect();
    columns.join(", ")
}

fn no_columns_of_node() -> String {
    let columns: Vec<String> = node::COLUMNS.iter().map(|(_, kind)| format!("NULL::{kind}")).collect();
    columns.join(", ")
}

/// All shares.
pub(crate) static SHARES: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM share ORDER BY id", share_row::COLUMNS.join(", ")));

/// One share.
pub(crate) static SHARE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM share WHERE id = $1", share_row::COLUMNS.join(", ")));

/// A new share with its root: all its rows, or none if its id or its name is there already. The arguments are the
/// columns of the share, and those of the root.
pub(crate) static NEW_SHARE: LazyLock<String> = LazyLock::new(|| {
    let columns = share_row::COLUMNS;
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let root = node::COLUMNS.iter().enumerate();
    let root: Vec<String> = root.map(|(index, (_, kind))| format!("${}::{kind}", columns.len() + 1 + index)).collect();
    let names: Vec<&str> = node::COLUMNS.iter().map(|(name, _)| *name).collect();
    format!(
        "WITH made AS (INSERT INTO share ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING id),
            moves AS (INSERT INTO topology SELECT id, 0 FROM made),
            numbers AS (
                INSERT INTO counter SELECT id, first, what
                FROM made, (VALUES (4::int8, 1::int2), (1, 2), (1, 3), (1, 4)) q (first, what)
            ),
            sums AS (INSERT INTO stat SELECT id, 0, 1, 0 FROM made)
        INSERT INTO node (share, {}) SELECT made.id, {} FROM made RETURNING 1",
        columns.join(", "),
        values.join(", "),
        names.join(", "),
        root.join(", ")
    )
});

/// Replaces the row of a share; no row if it is not there. The last two arguments are the proof of a claim.
pub(crate) static PUT_SHARE: LazyLock<String> = LazyLock::new(|| {
    let values = share_row::COLUMNS.iter().enumerate().skip(1);
    let value = |(index, column): (usize, &&str)| match *column {
        share_row::FOLDING => format!("{column} = coalesce(share.{column}, ${})", index + 1),
        column => format!("{column} = ${}", index + 1),
    };
    let values: Vec<String> = values.map(value).collect();
    let (number, lock) = (share_row::COLUMNS.len() + 1, share_row::COLUMNS.len() + 2);
    let standing = format!("standing_1($1, ${number}, ${lock})");
    format!("UPDATE share SET {} FROM {standing} WHERE id = $1 RETURNING 1", values.join(", "))
});

/// Nodes in their order.
pub(crate) static NODES: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM node n WHERE share = $1 AND id > $2 ORDER BY id LIMIT $3", columns_of_node("n"))
});

const LISTED: &str = "(SELECT cookie, node, name FROM entry
    WHERE (share + 0) = $1 AND (directory + 0) = $2 AND (space + 0) = $3 AND cookie > $4 ORDER BY cookie LIMIT $5) e";

/// Entries of a directory.
pub(crate) static LIST: LazyLock<String> =
    LazyLock::new(|| format!("SELECT e.cookie, e.node, e.name FROM {LISTED} ORDER BY e.cookie"));

/// The same, with their nodes.
pub(crate) static LIST_WITH_NODES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT e.cookie, e.node, e.name, {} FROM {LISTED}
        LEFT JOIN LATERAL (SELECT * FROM node WHERE share = $1 AND id = e.node LIMIT 1) n ON true ORDER BY e.cookie",
        columns_of_node("n")
    )
});

/// How many keys a part of a query has. A single one has statements of its own, with its values for arguments: taking
/// three arrays apart costs the database more than the whole look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    None,
    One,
    Many,
}

impl Keys {
    pub(crate) fn of(count: usize) -> Keys {
        match count {
            0 => Keys::None,
            1 => Keys::One,
            _ => Keys::Many,
        }
    }

    /// Keys with these columns as a relation `q`, in which `n` numbers them from 1 on; nothing without any.
    fn relation(self, columns: &[(&str, &str)], mut argument: impl FnMut() -> String) -> Option<String> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let mut values = |suffix: &str| {
            let values: Vec<String> =
                columns.iter().map(|(_, kind)| format!("{}::{kind}{suffix}", argument())).collect();
            values.join(", ")
        };
        match self {
            Keys::None => None,
            Keys::One => Some(format!("(VALUES ({}, 1::int8)) q ({names}, n)", values(""))),
            Keys::Many => Some(format!("unnest({}) WITH ORDINALITY q ({names}, n)", values("[]"))),
        }
    }
}

const KEY_OF_NODE: [(&str, &str); 1] = [("id", "int8")];

const KEY_OF_ENTRY: [(&str, &str); 3] = [("directory", "int8"), ("space", "int2"), ("name", "bytea")];

/// The parts of a query, which have a statement for each combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) nodes: Keys,
    pub(crate) entries: Keys,
    pub(crate) folded: Keys,
    pub(crate) ancestors: bool,
    pub(crate) map: bool,
    pub(crate) xattrs: bool,
    pub(crate) op: bool,
}

/// The meaning of a row of a view.
pub(crate) mod tag {
    pub(crate) const TOPOLOGY: i16 = 0;
    pub(crate) const NODE: i16 = 1;
    pub(crate) const ENTRY: i16 = 2;
    pub(crate) const ANCESTOR: i16 = 3;
    pub(crate) const ROW: i16 = 4;
    pub(crate) const OPERATION: i16 = 5;
    pub(crate) const ALIKE: i16 = 6;
    /// Only of plans.
    pub(crate) const OUTCOME: i16 = 7;
    pub(crate) const XATTRS: i16 = 8;
}

impl Shape {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Shape> {
        (0..27 << 4_usize).map(|number| {
            let [nodes, entries, folded] =
                [1, 3, 9].map(|place| [Keys::None, Keys::One, Keys::Many][(number >> 4) / place % 3]);
            let [ancestors, map, xattrs, op] = [1, 2, 4, 8].map(|bit| number & bit != 0);
            Shape { nodes, entries, folded, ancestors, map, xattrs, op }
        })
    }

    fn number(self) -> usize {
        let keys =
            [self.folded, self.entries, self.nodes].into_iter().fold(0, |number, keys| number * 3 + keys as usize);
        let parts = [self.op, self.xattrs, self.map, self.ancestors];
        parts.into_iter().fold(keys, |number, part| number << 1 | usize::from(part))
    }

    /// The statement: arguments are the share, and then those of each part, in the order of the fields.
    pub(crate) fn statement(self) -> &'static str {
        static ALL: LazyLock<Vec<String>> = LazyLock::new(|| Shape::all().map(view).collect());
        ALL.get(self.number()).map_or("", String::as_str)
    }
}

/// Whether a node is a directory without entries.
const IS_EMPTY: &str = "CASE WHEN n.kind = 2 AND (
    SELECT 1 FROM entry c WHERE c.share = $1 AND c.directory = n.id AND c.space = 0 LIMIT 1
) IS NULL THEN 1::int8 ELSE 0::int8 END";

/// A statement whose rows are: a tag, three numbers, bytes, and a node's columns.
fn view(shape: Shape) -> String {
    let mut last = 1;
    let mut argument = || {
        last += 1;
        format!("${last}")
    };
    let (node, no_node) = (columns_of_node("n"), no_columns_of_node());
    let mut parts = vec![format!(
        "SELECT 0::int2, NULL::int8, n, NULL::int8, NULL::bytea, {no_node} FROM topology WHERE share = $1"
    )];
    let mut begin = String::new();
    if let Some(keys) = shape.nodes.relation(&KEY_OF_NODE, &mut argument) {
        parts.push(format!(
            "SELECT 1::int2, q.n, NULL::int8, NULL::int8, NULL::bytea, {node} FROM {keys}
            CROSS JOIN LATERAL (SELECT * FROM node WHERE share = $1 AND id = q.id LIMIT 1) n"
        ));
    }
    if let Some(keys) = shape.entries.relation(&KEY_OF_ENTRY, &mut argument) {
        parts.push(format!(
            "SELECT 2::int2, q.n, e.cookie, {IS_EMPTY}, NULL::bytea, {node} FROM {keys}
            CROSS JOIN LATERAL (
                SELECT node, cookie FROM entry
                WHERE share = $1 AND directory = q.directory AND space = q.space AND name = q.name LIMIT 1
            ) e
            CROSS JOIN LATERAL (SELECT * FROM node WHERE share = $1 AND id = e.node LIMIT 1) n"
        ));
    }
    if let Some(keys) = shape.folded.relation(&KEY_OF_ENTRY, &mut argument) {
        parts.push(alike(&keys, &node));
    }
    if shape.ancestors {
        let directory = argument();
        // Distinct rows only, so that a circle ends.
        begin = format!(
            "WITH RECURSIVE up (id, parent) AS (
                SELECT id, parent FROM node WHERE share = $1 AND id = {directory}
                UNION
                SELECT n.id, n.parent FROM up
                CROSS JOIN LATERAL (SELECT id, parent FROM node WHERE share = $1 AND id = up.parent LIMIT 1) n
                WHERE up.id <> 3
            ) "
        );
        parts.push(format!("SELECT 3::int2, NULL::int8, up.id, up.parent, NULL::bytea, {no_node} FROM up"));
    }
    if shape.map {
        let (file, first, end, rows) = (argument(), argument(), argument(), argument());
        parts.push(rows_of_map([&file, &first, &end, &rows], &no_node));
    }
    if shape.xattrs {
        let node = argument();
        parts.push(format!(
            "SELECT 8::int2, NULL::int8, NULL::int8, NULL::int8, x.packed, {no_node} FROM (
                SELECT packed FROM xattr WHERE share = $1 AND node = {node} LIMIT 1
            ) x"
        ));
    }
    if shape.op {
        let (op, opened, age) = (argument(), argument(), argument());
        parts.push(operation(&op, &opened, &age, &node));
    }
    format!("{begin}{}", parts.join("\nUNION ALL\n"))
}

/// The entries of folded names: that of just this name, and those of the index.
fn alike(keys: &str, node: &str) -> String {
    format!(
        "SELECT 6::int2, q.n, e.cookie, {IS_EMPTY}, e.name, {node} FROM {keys}
        CROSS JOIN LATERAL (
            (
                SELECT node, cookie, name FROM entry
                WHERE share = $1 AND directory = q.directory AND space = q.space AND name = q.name LIMIT 1
            ) UNION ALL (
                SELECT node, cookie, name FROM entry
                WHERE (0 + share) = $1 AND folded = q.name AND (0 + directory) = q.directory
                    AND (0 + space) = q.space
                ORDER BY cookie LIMIT {FOLDED_MAX}
            )
        ) e
        CROSS JOIN LATERAL (SELECT * FROM node WHERE share = $1 AND id = e.node LIMIT 1) n"
    )
}

/// Rows of a file's map, from the last one on that begins at a page or before it.
fn rows_of_map([file, first, end, rows]: [&str; 4], no_node: &str) -> String {
    format!(
        "SELECT 4::int2, m.page, m.version, m.pages, m.extents, {no_node} FROM (
            SELECT page, version, pages, extents FROM map
            WHERE share = $1 AND node = {file} AND page <= {end} AND page >= coalesce(
                (
                    SELECT page FROM map
                    WHERE share = $1 AND node = {file} AND page <= {first} ORDER BY page DESC LIMIT 1
                ),
                {first}
            ) ORDER BY page LIMIT {rows}
        ) m"
    )
}

/// The outcome of an operation; `apply_4` has the same conditions.
fn operation(op: &str, opened: &str, age: &str, node: &str) -> String {
    let cut = format!("(extract(epoch FROM statement_timestamp()) * 1000)::int8 - {age}::int8");
    format!(
        "SELECT 5::int2, NULL::int8, o.made, NULL::int8, NULL::bytea, {node} FROM (
            SELECT made FROM op
            WHERE share = $1
                AND id >= substring({op}::bytea FROM 1 FOR 14) || '\\x0000'::bytea
                AND id <= substring({op}::bytea FROM 1 FOR 14) || '\\xffff'::bytea
                AND (at > {cut} OR (at <= {opened}::int8 AND {opened}::int8 > {cut}))
                AND (id = {op} OR at <= {opened}::int8)
            ORDER BY id = {op} DESC LIMIT 1
        ) o
        LEFT JOIN LATERAL (SELECT * FROM node WHERE share = $1 AND id = o.made LIMIT 1) n ON true"
    )
}

/// Every statement.
#[cfg(test)]
pub(crate) fn all() -> Vec<String> {
    let fixed = [
        APPLY,
        NAME_OF,
        ALLOCATE,
        COUNTER,
        UNLINKED,
        TRUNCATIONS,
        OBJECTS,
        REFERENCES,
        REFERENCES_AFTER,
        NODE_IDS,
        XATTR_BYTES,
        STATISTICS,
        TRY_LOCK,
        UNLOCK,
        HOLDER,
        CLAIM,
        STANDING,
        REMOVE_CLAIM,
        END_SESSIONS,
        FORGET_OPERATIONS,
        FOLDING,
        ENTRIES_AFTER,
        ENTRIES_UNFOLDED,
        FOLD_ENTRIES,
        PUT_FOLDING,
    ];
    let made = [&SHARES, &SHARE, &NEW_SHARE, &PUT_SHARE, &NODES, &LIST, &LIST_WITH_NODES];
    let fixed = fixed.into_iter().map(str::to_owned).chain(made.into_iter().map(|text| text.to_string()));
    let removals = TABLES_OF_SHARE.into_iter().map(removal);
    fixed.chain(removals).chain(Shape::all().map(|shape| shape.statement().to_owned())).collect()
}

#[cfg(test)]
mod tests;

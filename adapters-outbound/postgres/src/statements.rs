//! Every statement that is sent to the database.
//!
//! Each is written so that the planner can only look rows up by the columns of a key: an inner look-up is
//! `CROSS JOIN LATERAL (… LIMIT 1)`, a list is `unnest`. A test reads the plans.

mod accounts;
mod view;

use std::sync::LazyLock;

use crate::{node, share_row};
pub(crate) use accounts::{ADD_USER, CHANGE_USER, MACHINE, MAKE_MACHINE, REMOVE_USER, USER, USERS};
pub(crate) use view::{Keys, Shape, tag};

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

//! The statements of views, one for each combination of what a query asks for.

use std::{collections::HashMap, sync::LazyLock};

use dittofs_domain::plan::FOLDED_MAX;

use super::{columns_of_node, no_columns_of_node};

/// How many keys a part of a query has. A single one has statements of its own, with its values for arguments: taking
/// three arrays apart costs the database more than the whole look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// The statement: arguments are the share, and then those of each part, in the order of the fields.
    pub(crate) fn statement(self) -> &'static str {
        static ALL: LazyLock<HashMap<Shape, String>> =
            LazyLock::new(|| Shape::all().map(|shape| (shape, view(shape))).collect());
        ALL.get(&self).map_or("", String::as_str)
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

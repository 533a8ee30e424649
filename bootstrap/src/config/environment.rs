//! Variables of the environment, each of which overrides one field of the tree.
//!
//! A variable's value stays the text that it is, so that a secret of digits is not taken for a number. Where a number,
//! a flag, a list or a mapping is wanted, the text is read as one.

use std::collections::BTreeMap;

use figment::value::{Dict, Empty, Tag, Value};

use super::tree;

/// Environment variables that begin so override single fields; `__` stands between levels.
pub const PREFIX: &str = "DITTOFS_";
const LEVEL: &str = "__";

/// The sections of a configuration. A variable that leads into one of them is ours, whatever it looks like.
pub(super) const SECTIONS: [&str; 11] =
    ["adapters", "cache", "content", "data", "journal", "locks", "log", "metadata", "shares", "system_store", "users"];

/// The outcome of applying the environment to the tree.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    /// From the key to the variable that set it.
    pub(super) variables: BTreeMap<String, String>,
    /// Variables that lead nowhere, with the reason.
    pub(super) astray: Vec<(String, String)>,
}

/// Sets a field for each `DITTOFS_…` variable. List items are addressed by number
/// (`DITTOFS_SHARES__0__READ_ONLY=true`).
pub(super) fn lay_over(tree: &mut Dict, environment: impl IntoIterator<Item = (String, String)>) -> Overrides {
    let mut overrides = Overrides::default();
    let (short, environment): (Vec<_>, Vec<_>) = environment.into_iter().partition(|(name, text)| is_short(name, text));
    let ours = environment.into_iter().filter_map(|(variable, text)| {
        let parts = levels(&variable)?;
        Some((parts, variable, text))
    });
    let mut ours: Vec<(Vec<String>, String, String)> = ours.collect();
    // The environment has no order. What sets a whole list comes before what sets an item of it, and the second item of
    // a list after the first.
    ours.sort_by_key(|(parts, variable, _)| {
        (parts.iter().map(|part| rank(part)).collect::<Vec<_>>(), variable.clone())
    });
    for (parts, variable, text) in ours {
        overrides.set(tree, &parts, variable, &text);
    }
    // Which store they mean shows only now.
    for (variable, text) in short {
        match parts_of_short(tree, &variable) {
            Ok(parts) => overrides.set(tree, &parts, variable, &text),
            Err(reason) => overrides.astray.push((variable, reason)),
        }
    }
    overrides
}

/// Variables that begin so set options of the one PostgreSQL store, whatever it is called.
const SHORT: &str = "DITTOFS_METADATA_POSTGRES_";

/// Whether it is one of those. An orchestrator sets some of that form, too, for a service whose name begins so; its
/// ports are addresses.
fn is_short(variable: &str, text: &str) -> bool {
    variable.strip_prefix(SHORT).is_some_and(|rest| match rest {
        "PORT" => text.trim().parse::<u16>().is_ok(),
        _ => !rest.contains(LEVEL) && !is_of_a_service(rest),
    })
}

/// The levels that a short variable names.
fn parts_of_short(tree: &Dict, variable: &str) -> Result<Vec<String>, String> {
    let stores = tree.get("metadata").and_then(|metadata| metadata.as_dict()?.get("stores")?.as_dict().cloned());
    let is_postgres = |store: &Value| {
        store.as_dict().is_some_and(|store| store.get("type").and_then(Value::as_str) == Some("postgres"))
    };
    let stores: Vec<String> =
        stores.into_iter().flatten().filter(|(_, store)| is_postgres(store)).map(|(name, _)| name).collect();
    let option = variable.strip_prefix(SHORT).unwrap_or(variable).to_ascii_lowercase();
    match stores.as_slice() {
        [store] => Ok(["metadata", "stores", store, "postgres", &option].map(str::to_owned).into()),
        [] => Err("no metadata store is of type `postgres`".to_owned()),
        several => Err(format!(
            "the metadata stores {} are all of type `postgres`: write DITTOFS_METADATA__STORES__NAME__POSTGRES__{}",
            several.join(", "),
            option.to_ascii_uppercase()
        )),
    }
}

impl Overrides {
    /// Sets one field.
    fn set(&mut self, tree: &mut Dict, parts: &[String], variable: String, text: &str) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match set_in_dict(tree, &parts, text) {
            Ok(key) => {
                let key = key.trim_start_matches('.').to_owned();
                self.variables.insert(key, variable);
            }
            Err(reason) => self.astray.push((variable, reason)),
        }
    }
}

/// The levels that a variable names; none where it is not ours.
fn levels(variable: &str) -> Option<Vec<String>> {
    let rest = variable.strip_prefix(PREFIX)?;
    let parts: Vec<String> = rest.to_ascii_lowercase().split(LEVEL).map(str::to_owned).collect();
    let is_section = parts.first().is_some_and(|first| SECTIONS.contains(&first.as_str()));
    (is_section || !is_of_a_service(rest)).then_some(parts)
}

/// Whether an orchestrator sets this variable for a service whose name begins with ours: `DITTOFS_SERVICE_HOST`,
/// `DITTOFS_NFS_SERVICE_PORT_NFS`, `DITTOFS_PORT`, `DITTOFS_PORT_12049_TCP_ADDR`.
fn is_of_a_service(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    (0..words.len()).any(|at| match &words[at..] {
        ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] | ["PORT"] => true,
        ["PORT", number, "TCP" | "UDP" | "SCTP"] => is_number(number),
        ["PORT", number, "TCP" | "UDP" | "SCTP", "PROTO" | "PORT" | "ADDR"] => is_number(number),
        _ => false,
    })
}

/// Numbers by their value, before words.
fn rank(part: &str) -> (u64, String) {
    match part.parse() {
        Ok(number) => (number, String::new()),
        Err(_) => (u64::MAX, part.to_owned()),
    }
}

fn set_in_dict(dict: &mut Dict, parts: &[&str], text: &str) -> Result<String, String> {
    let Some((first, rest)) = parts.split_first() else {
        return Err("it names no key".to_owned());
    };
    if first.is_empty() {
        return Err(format!("a part of its name between two `{LEVEL}` is empty"));
    }
    let value = dict.entry((*first).to_owned()).or_insert(Value::Empty(Tag::Default, Empty::None));
    Ok(format!(".{first}{}", set(value, rest, text)?))
}

fn set(value: &mut Value, parts: &[&str], text: &str) -> Result<String, String> {
    let Some((first, rest)) = parts.split_first() else {
        *value = Value::from(text);
        return Ok(String::new());
    };
    if let Value::String(_, written) = value
        && let Some(structure) = tree::structure(written)
    {
        *value = structure;
    }
    match value {
        Value::Array(_, items) => {
            let count = items.len();
            match first.parse::<usize>() {
                Ok(at) if at < count => Ok(format!("[{first}]{}", set(&mut items[at], rest, text)?)),
                Ok(at) if at == count => {
                    let mut item = Value::Empty(Tag::Default, Empty::None);
                    let key = set(&mut item, rest, text)?;
                    items.push(item);
                    Ok(format!("[{first}]{key}"))
                }
                _ => Err(format!("`{first}` is not the number of an item: the list has {count}, counted from 0")),
            }
        }
        Value::Dict(_, dict) => set_in_dict(dict, parts, text),
        Value::Empty(..) => {
            *value = match *first {
                "0" => Value::Array(Tag::Default, Vec::new()),
                _ => Value::Dict(Tag::Default, Dict::new()),
            };
            set(value, parts, text)
        }
        _ => Err(format!("`{first}` would be below a plain value")),
    }
}

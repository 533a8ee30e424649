//! The configuration as it was written: a tree of values from the YAML text, with environment variables laid over it.

use std::collections::BTreeMap;
use std::fmt;

use figment::providers::{Format, Yaml};
use figment::value::{Dict, Empty, Tag, Value};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Environment variables that begin so override single fields; [`LEVEL`] stands between levels.
pub const PREFIX: &str = "DITTOFS_";
const LEVEL: &str = "__";

/// Parses YAML. Unlike figment's own values, a key that is given twice is refused, since
/// the first of the two would vanish without a word.
pub(super) fn parse(text: &str) -> Result<Dict, String> {
    let root: Unique = Yaml::from_str(text).map_err(|error| error.to_string())?;
    match root.0 {
        Value::Dict(_, entries) => Ok(entries),
        Value::Empty(..) => Ok(Dict::new()),
        _ => Err("the text is not a mapping of keys to values".to_owned()),
    }
}

/// What laying the environment over the tree came to.
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
    for (variable, text) in environment {
        let Some(rest) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let lower = rest.to_ascii_lowercase();
        let parts: Vec<&str> = lower.split(LEVEL).collect();
        match set_in_dict(tree, &parts, &text) {
            Ok(key) => {
                let key = key.trim_start_matches('.').to_owned();
                overrides.variables.insert(key, variable);
            }
            Err(reason) => overrides.astray.push((variable, reason)),
        }
    }
    overrides
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
        *value = scalar(text);
        return Ok(String::new());
    };
    match value {
        Value::Array(_, items) => {
            let count = items.len();
            let item = first.parse().ok().and_then(|at: usize| items.get_mut(at));
            let Some(item) = item else {
                return Err(format!("`{first}` is not the number of an item: the list has {count}, counted from 0"));
            };
            Ok(format!("[{first}]{}", set(item, rest, text)?))
        }
        Value::Dict(_, dict) => set_in_dict(dict, parts, text),
        Value::Empty(..) => {
            let mut dict = Dict::new();
            let key = set_in_dict(&mut dict, parts, text)?;
            *value = Value::Dict(Tag::Default, dict);
            Ok(key)
        }
        _ => Err(format!("`{first}` would be below a plain value")),
    }
}

/// Figment's reading of a variable's text: numbers, booleans, `[lists]`, else a string.
fn scalar(text: &str) -> Value {
    match text.parse() {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value, a list or a mapping with text keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Empty(Tag::Default, Empty::Unit))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Empty(Tag::Default, Empty::None))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Unique::deserialize(inner).map(|unique| unique.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(Tag::Default, list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut dict = Dict::new();
        while let Some((key, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if dict.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key `{key}` is given twice")));
            }
            dict.insert(key, value);
        }
        Ok(Value::Dict(Tag::Default, dict))
    }
}

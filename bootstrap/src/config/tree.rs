//! The configuration as it was written: a tree of values from the YAML text.

use std::fmt;

use figment::value::{Dict, Empty, Tag, Value};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Parses YAML. Unlike figment's own values, a key that is given twice is refused, since
/// the first of the two would vanish without a word.
pub(super) fn parse(text: &str) -> Result<Dict, String> {
    let root: Unique = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    match root.0 {
        Value::Dict(_, entries) => Ok(entries),
        Value::Empty(..) => Ok(Dict::new()),
        _ => Err("the text is not a mapping of keys to values".to_owned()),
    }
}

/// A text as the list or mapping that it is in the notation of variables: `[a, b]`, `{key=value}`.
pub(super) fn structure(text: &str) -> Option<Value> {
    // Only what is asked for as a list or mapping is read so: a secret may begin with any character.
    let value: Value = text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
    matches!(value, Value::Array(..) | Value::Dict(..)).then_some(value)
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

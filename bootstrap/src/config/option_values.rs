//! Reads the options of a store from the tree. A text is taken for a number or a flag where one is wanted, as variables
//! of the environment are texts.

use figment::Error;
use figment::value::{Dict, Num, Value};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::section::structured;

/// A value, as serde reads it.
pub(super) struct OptionValue(pub(super) Value);

impl OptionValue {
    /// The number or flag that a text stands for.
    fn plain<T: std::str::FromStr>(&self) -> Option<T> {
        self.0.as_str()?.trim().parse().ok()
    }
}

macro_rules! numbers {
    ($($method:ident, $number:ty, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.plain::<$number>() {
                Some(plain) => visitor.$visit(plain),
                None => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for OptionValue {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(_, text) => visitor.visit_string(text),
            Value::Char(_, one) => visitor.visit_char(one),
            Value::Bool(_, flag) => visitor.visit_bool(flag),
            Value::Num(_, number) => visit_number(number, visitor),
            Value::Empty(..) => visitor.visit_unit(),
            Value::Dict(_, entries) => visitor.visit_map(Entries::new(entries)),
            Value::Array(_, items) => visitor.visit_seq(Items { rest: items.into_iter().enumerate() }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Empty(..) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Dict(_, entries) => visitor.visit_enum(MapAccessDeserializer::new(Entries::new(entries))),
            Value::String(_, text) => {
                let variant: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
                visitor.visit_enum(variant)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        OptionValue(structured(self.0)).deserialize_any(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        OptionValue(structured(self.0)).deserialize_any(visitor)
    }

    numbers! {
        deserialize_bool, bool, visit_bool;
        deserialize_u8, u64, visit_u64;
        deserialize_u16, u64, visit_u64;
        deserialize_u32, u64, visit_u64;
        deserialize_u64, u64, visit_u64;
        deserialize_i8, i64, visit_i64;
        deserialize_i16, i64, visit_i64;
        deserialize_i32, i64, visit_i64;
        deserialize_i64, i64, visit_i64;
        deserialize_f32, f64, visit_f64;
        deserialize_f64, f64, visit_f64;
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

#[expect(clippy::result_large_err, reason = "the error is figment's, as the trait of serde wants it")]
fn visit_number<'de, V: Visitor<'de>>(number: Num, visitor: V) -> Result<V::Value, Error> {
    let unsigned = number.to_u128().and_then(|wide| u64::try_from(wide).ok());
    let signed = number.to_i128().and_then(|wide| i64::try_from(wide).ok());
    match (unsigned, signed, number.to_f64()) {
        (Some(unsigned), ..) => visitor.visit_u64(unsigned),
        (None, Some(signed), _) => visitor.visit_i64(signed),
        (None, None, Some(fraction)) => visitor.visit_f64(fraction),
        (None, None, None) => Err(Error::from("a number of more than 64 bits".to_owned())),
    }
}

/// The entries of a mapping; what goes wrong inside of one is reported with its name.
struct Entries {
    rest: std::collections::btree_map::IntoIter<String, Value>,
    value: Option<(String, Value)>,
}

impl Entries {
    fn new(entries: Dict) -> Self {
        Self { rest: entries.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        let key = seed.deserialize(key)?;
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) = self.value.take().ok_or_else(|| Error::from("a value without a key".to_owned()))?;
        seed.deserialize(OptionValue(value)).map_err(|error| below(name, error))
    }
}

struct Items {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((at, item)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(OptionValue(item)).map(Some).map_err(|error| below(at.to_string(), error))
    }
}

fn below(name: String, mut error: Error) -> Error {
    error.path.insert(0, name);
    error
}

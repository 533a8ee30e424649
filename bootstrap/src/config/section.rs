//! Reads one mapping of the configuration key by key, and refuses what is left over.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use figment::value::{Dict, Value};

use super::problem::Report;
use super::tree;

/// A mapping below `path`. Every key that a `take_*` method asks for is known; [`Section::finish`]
/// refuses all others.
pub(super) struct Section<'r> {
    path: String,
    entries: Dict,
    known: Vec<String>,
    report: &'r Report,
}

impl<'r> Section<'r> {
    pub(super) fn new(path: String, entries: Dict, report: &'r Report) -> Self {
        Self { path, entries, known: Vec::new(), report }
    }

    /// A section from any value; one that isn't a mapping is refused and read as if it were empty.
    pub(super) fn from_value(path: String, value: Value, report: &'r Report) -> Self {
        let entries = match structured(value) {
            Value::Dict(_, entries) => entries,
            Value::Empty(..) => Dict::new(),
            other => {
                report.refuse(&path, format!("{} is not a mapping", shown(&other)), "put keys and values below it");
                Dict::new()
            }
        };
        Self::new(path, entries, report)
    }

    pub(super) fn report(&self) -> &'r Report {
        self.report
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn key(&self, name: &str) -> String {
        match self.path.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.path),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub(super) fn refuse(&self, name: &str, found: impl Into<String>, fix: impl Into<String>) {
        self.report.refuse(&self.key(name), found, fix);
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.known.push(name.to_owned());
        self.entries.remove(name)
    }

    /// Whether `name` is a section.
    pub(super) fn is_section(&self, name: &str) -> bool {
        matches!(self.entries.get(name), Some(Value::Dict(..)))
    }

    /// The section `name`, empty where it is absent.
    pub(super) fn take_section(&mut self, name: &str) -> Section<'r> {
        let path = self.key(name);
        match self.take(name) {
            Some(value) => Section::from_value(path, value, self.report),
            None => Section::new(path, Dict::new(), self.report),
        }
    }

    /// The names of all entries that are left.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Whether there are entries that nothing has asked for.
    pub(super) fn has_left(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Every entry of this section, whatever its name.
    pub(super) fn take_all(&mut self) -> Dict {
        std::mem::take(&mut self.entries)
    }

    pub(super) fn take_list(&mut self, name: &'static str) -> Option<Vec<Value>> {
        match structured(self.take(name)?) {
            Value::Array(_, items) => Some(items),
            other => {
                let found = format!("{} is not a list", shown(&other));
                self.refuse(name, found, "write a list, also for a single item");
                None
            }
        }
    }

    /// A value that is read from its text, such as a size or an address.
    pub(super) fn take_parsed<T>(&mut self, name: &'static str, fix: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.take(name)?;
        let Some(text) = text_of(&value) else {
            let found = format!("{} can't stand here", shown(&value));
            self.refuse(name, found, fix);
            return None;
        };
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.refuse(name, format!("{}: {error}", shown(&value)), fix);
                None
            }
        }
    }

    /// One of a closed set of words.
    pub(super) fn take_choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.take(name)?;
        let found = choices.iter().find(|(word, _)| value.as_str() == Some(*word));
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.refuse(
                name,
                format!("{} is not known here", shown(&value)),
                format!("write one of: {}", words.join(", ")),
            );
        }
        found.map(|(_, choice)| *choice)
    }

    pub(super) fn take_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.take(name)?;
        match text_of(&value) {
            Some(text) if !text.is_empty() => Some(text),
            _ => {
                self.refuse(name, format!("{} is not a text", shown(&value)), "write a text");
                None
            }
        }
    }

    pub(super) fn take_flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        let flag = value.to_bool().or_else(|| value.as_str()?.trim().parse().ok());
        if flag.is_none() {
            let found = format!("{} is neither true nor false", shown(&value));
            self.refuse(name, found, "write true or false");
        }
        flag
    }

    pub(super) fn take_number(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name)?;
        let number = value.to_u128().or_else(|| value.as_str()?.trim().parse().ok());
        let number = number.and_then(|wide| u64::try_from(wide).ok());
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let (low, high) = (range.start(), range.end());
                self.refuse(
                    name,
                    format!("{} is not a number from {low} to {high}", shown(&value)),
                    "write a whole number in that range",
                );
                None
            }
        }
    }

    /// Refuses a key of the design that this version doesn't act on yet: accepting it would
    /// promise what isn't done.
    pub(super) fn refuse_unbuilt(&mut self, name: &'static str, why: &str) {
        if self.entries.remove(name).is_some() {
            self.refuse(name, format!("not built yet: {why}"), "leave this key out");
        }
    }

    /// Refuses a key that has another place now.
    pub(super) fn refuse_moved(&mut self, name: &'static str, why: &str, to: &str) {
        if self.entries.remove(name).is_some() {
            self.refuse(name, why, format!("write it as {to}"));
        }
    }

    /// Refuses every key that nothing asked for.
    pub(super) fn finish(mut self) {
        self.known.sort_unstable();
        for name in self.entries.keys() {
            self.refuse(name, "this key is not known", format!("known here: {}", self.known.join(", ")));
        }
    }
}

/// A text that stands for a list or a mapping, as variables of the environment have them, as what it stands for.
pub(super) fn structured(value: Value) -> Value {
    value.as_str().and_then(tree::structure).unwrap_or(value)
}

/// A scalar as the text that was written.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, one) => Some(one.to_string()),
        Value::Num(_, number) => {
            number.to_u128().map(|n| n.to_string()).or_else(|| number.to_i128().map(|n| n.to_string()))
        }
        _ => None,
    }
}

/// A value for a message: short, and with nothing in it that could upset a terminal.
pub(super) fn shown(value: &Value) -> String {
    /// Of a value that is shown in a message: enough to find it.
    const CHARACTERS_MAX: usize = 60;
    match value {
        Value::Bool(_, flag) => format!("`{flag}`"),
        Value::Empty(..) => "nothing".to_owned(),
        Value::Dict(..) => "a mapping".to_owned(),
        Value::Array(..) => "a list".to_owned(),
        other => match text_of(other) {
            Some(text) if text.chars().count() > CHARACTERS_MAX => {
                let start: String = text.chars().take(CHARACTERS_MAX).collect();
                format!("`{}…`", start.escape_debug())
            }
            Some(text) => format!("`{}`", text.escape_debug()),
            None => "a fraction".to_owned(),
        },
    }
}

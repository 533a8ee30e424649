//! The fields of an event or a span, value by value: bounded, and without passwords and backtraces.

use std::error::Error;
use std::fmt::{self, Write};

use dittofs_object_store::without_passwords;
use serde_json::Value;
use tracing::field::{Field, Visit};

/// The longest text of one value. An error that quotes a whole answer must not fill the disk.
const VALUE_BYTES_MAX: usize = 16 << 10;
/// The longest text of a library's value.
const LIBRARY_BYTES_MAX: usize = 1 << 10;
/// The word with which OpenDAL begins a backtrace, if RUST_BACKTRACE asks for one. The backtrace shows where an error
/// was made, which the operation shows too.
const BACKTRACE: &str = "Backtrace:";
/// Fields by which the crate `log` says where an event is from.
const OF_LOG: &str = "log.";

/// A value with its name.
#[derive(Clone, Debug)]
pub(super) struct NamedValue {
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// It was given as a text, and is quoted where the others are not.
    is_text: bool,
}

/// The values of an event or a span.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) others: Vec<NamedValue>,
    /// Where an event of the crate `log` is from.
    pub(super) target: Option<String>,
    bytes_max: Option<usize>,
}

impl Fields {
    /// Those of this server, or of a library.
    pub(super) fn of(is_ours: bool) -> Self {
        Self { bytes_max: Some(if is_ours { VALUE_BYTES_MAX } else { LIBRARY_BYTES_MAX }), ..Self::default() }
    }

    /// The value of this name, as a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|other| other.name == name)?.value.as_str()
    }

    fn put(&mut self, field: &Field, text: String, is_text: bool) {
        match field.name() {
            "message" => self.message = text,
            "log.target" => self.target = Some(text),
            name if name.starts_with(OF_LOG) => {}
            name => self.others.push(NamedValue { name, value: Value::from(text), is_text }),
        }
    }

    fn put_plain(&mut self, field: &Field, value: Value) {
        if !field.name().starts_with(OF_LOG) {
            self.others.push(NamedValue { name: field.name(), value, is_text: false });
        }
    }

    fn bounded(&self, value: fmt::Arguments<'_>) -> String {
        let mut bounded = Bounded { text: String::new(), bytes_max: self.bytes_max.unwrap_or(LIBRARY_BYTES_MAX) };
        // An error says that the bound is reached.
        let is_cut = bounded.write_fmt(value).is_err();
        let text = bounded.text.split_once(BACKTRACE).map_or(bounded.text.as_str(), |(before, _)| before.trim_end());
        let mut text = without_passwords(text).into_owned();
        if is_cut {
            text.push('…');
        }
        text
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put_plain(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_plain(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_plain(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put_plain(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.bounded(format_args!("{value}"));
        self.put(field, text, true);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut chain = value.to_string();
        let mut cause = value.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            // Many errors quote their cause themselves.
            if !chain.contains(&inner_text) {
                let _ = write!(chain, ": {inner_text}");
            }
            cause = inner.source();
        }
        let text = self.bounded(format_args!("{chain}"));
        self.put(field, text, false);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.bounded(format_args!("{value:?}"));
        self.put(field, text, false);
    }
}

impl fmt::Display for NamedValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::String(text) if self.is_text => write!(out, "{}={text:?}", self.name),
            Value::String(text) => write!(out, "{}={}", self.name, one_line(text)),
            other => write!(out, "{}={other}", self.name),
        }
    }
}

/// Takes so many bytes, and then refuses.
struct Bounded {
    text: String,
    bytes_max: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.bytes_max.saturating_sub(self.text.len());
        let fits = more.floor_char_boundary(room);
        self.text.push_str(&more[..fits]);
        if fits == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// The text on one line, without what could upset a terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for part in text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push_str(" | ");
        }
        for c in part.chars() {
            match c.is_control() {
                true => line.extend(c.escape_debug()),
                false => line.push(c),
            }
        }
    }
    line
}

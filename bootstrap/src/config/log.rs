//! The options of the log: which events are written, and in which form.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::folders::Folders;
use super::section::Section;

/// The least important events that are still written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures.
    Error,
    /// Events that may need attention.
    Warn,
    /// The main actions of the server.
    Info,
    /// Its work for each connection and each call.
    Debug,
    /// Everything.
    Trace,
}

/// Which events are written: this server's from a level up, and those of libraries that are asked for by name. Of other
/// libraries nothing below `warn` is written, as what they log may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevels {
    /// Of this server.
    pub server: LogLevel,
    /// Of what is named, such as `hyper` or `dittofs_nfs`.
    pub named: Vec<(String, LogLevel)>,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The section `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The events that are written.
    pub levels: LogLevels,
    /// The form in which they are written.
    pub format: LogFormat,
    /// Where it is written who changed what, absolute; nowhere if absent.
    pub audit: Option<PathBuf>,
    /// A call that takes longer is logged; none is if absent.
    pub slow: Option<Duration>,
}

const LEVELS: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];
const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const LEVEL_FIX: &str = "write one of: error, warn, info, debug, trace; or that and single libraries after it, such as \
                          \"info,hyper=debug\"";
/// A client that waits so long shows it to its user.
const SLOW_MS: u64 = 1_000;
/// An hour: nothing takes longer.
const SLOW_MS_MAX: u64 = 3_600_000;
/// More directives than anybody writes.
const NAMED_MAX: usize = 64;

pub(super) fn read(mut section: Section<'_>, folders: &Folders<'_>) -> LogConfig {
    let levels = section.take_parsed("level", LEVEL_FIX);
    let format = section.take_choice("format", &FORMATS);
    let audit = section.has("audit").then(|| section.take_text("audit")).flatten();
    let audit = audit.and_then(|written| folders.file(&section.key("audit"), Path::new(&written)));
    let slow = section.take_number("slow_ms", 0..=SLOW_MS_MAX).unwrap_or(SLOW_MS);
    section.finish();
    LogConfig {
        levels: levels.unwrap_or(LogLevels::of(LogLevel::Info)),
        format: format.unwrap_or(LogFormat::Text),
        audit,
        slow: (slow > 0).then(|| Duration::from_millis(slow)),
    }
}

impl LogFormat {
    /// The word of the configuration for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

impl LogLevels {
    /// This level of the server, and nothing by name.
    #[must_use]
    pub fn of(server: LogLevel) -> Self {
        Self { server, named: Vec::new() }
    }
}

impl FromStr for LogLevels {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut levels = LogLevels::of(LogLevel::Info);
        for (at, directive) in text.split(',').map(str::trim).enumerate() {
            match directive.split_once('=') {
                None if at == 0 => levels.server = level(directive)?,
                None => return Err("only the first can be without a name"),
                Some((name, _)) if !is_target(name) => return Err("is not the name of a library"),
                Some(_) if levels.named.len() == NAMED_MAX => return Err("has too many names"),
                Some((name, word)) => levels.named.push((name.to_owned(), level(word)?)),
            }
        }
        Ok(levels)
    }
}

fn level(word: &str) -> Result<LogLevel, &'static str> {
    LEVELS.iter().find(|(known, _)| *known == word).map(|(_, level)| *level).ok_or("is not a level that is known here")
}

fn is_target(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte))
}

impl fmt::Display for LogLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = LEVELS.iter().find(|(_, level)| level == self).map_or("", |(word, _)| *word);
        out.write_str(word)
    }
}

impl fmt::Display for LogLevels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.server)?;
        self.named.iter().try_for_each(|(name, level)| write!(out, ",{name}={level}"))
    }
}

//! What is logged, and in which form.

use super::section::Section;

/// The least important events that are still written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What may need a look.
    Warn,
    /// What the server does.
    Info,
    /// What it does for each connection.
    Debug,
    /// What it does for each call.
    Trace,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// From this level up.
    pub level: LogLevel,
    /// In this form.
    pub format: LogFormat,
}

const LEVELS: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];
const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

pub(super) fn read(mut section: Section<'_>) -> LogConfig {
    let level = section.take_choice("level", &LEVELS);
    let format = section.take_choice("format", &FORMATS);
    section.finish();
    LogConfig { level: level.unwrap_or(LogLevel::Info), format: format.unwrap_or(LogFormat::Text) }
}

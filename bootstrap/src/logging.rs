//! Where events go: standard error, as text or JSON. The configuration alone sets the level.

use std::io;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Sends all events of this process to standard error. A program that embeds the server and has
/// set up its own logging keeps that.
pub fn init(config: &LogConfig) {
    let level = match config.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let subscriber = registry().with(level);
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
    // It fails only where a subscriber is set already.
    let _ = match config.format {
        LogFormat::Text => subscriber.with(lines).try_init(),
        LogFormat::Json => subscriber.with(lines.json().flatten_event(true)).try_init(),
    };
}

//! Which events are written.

use tracing::level_filters::LevelFilter;
pub(super) use tracing_subscriber::filter::Targets;

use crate::config::{LogLevel, LogLevels};

/// The targets of this server's crates begin so.
const OURS: &str = "dittofs";
/// The target of who changed what. Those events go to their own file only.
pub(super) const AUDIT: &str = "audit";

/// Returns the filter for the log, and for the audit file (who changed what) if there is one.
///
/// It is the only filter, before all layers: with filters of single layers `enabled!` answers wrongly, and the event
/// after it may be lost.
pub(super) fn targets(levels: &LogLevels, has_audit: bool) -> Targets {
    let server = filter(levels.server);
    // Events of libraries below that level may hold keys that the libraries were given.
    let libraries = server.min(LevelFilter::WARN);
    let named = levels.named.iter().map(|(name, level)| (name.clone(), filter(*level)));
    Targets::new()
        .with_default(libraries)
        .with_target(OURS, server)
        .with_targets(named)
        .with_target(AUDIT, if has_audit { LevelFilter::INFO } else { LevelFilter::OFF })
}

/// Libraries that know only the crate `log` are asked as little as the levels need: it has one bound for all of them.
pub(super) fn allow_libraries(levels: &LogLevels) {
    let named = levels.named.iter().map(|(_, level)| filter(*level));
    let most = named.fold(filter(levels.server).min(LevelFilter::WARN), LevelFilter::max);
    log::set_max_level(match most.into_level() {
        None => log::LevelFilter::Off,
        Some(tracing::Level::ERROR) => log::LevelFilter::Error,
        Some(tracing::Level::WARN) => log::LevelFilter::Warn,
        Some(tracing::Level::INFO) => log::LevelFilter::Info,
        Some(tracing::Level::DEBUG) => log::LevelFilter::Debug,
        Some(tracing::Level::TRACE) => log::LevelFilter::Trace,
    });
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

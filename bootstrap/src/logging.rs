//! Where events go: standard error, as text or JSON, one line each; and who changed what to a file of its own. The
//! configuration alone sets the level.

mod audit;
mod fields;
mod levels;
mod limiter;
mod lines;

#[cfg(test)]
mod tests;

use std::{io, thread, time::Duration};

pub(crate) use dittofs_object_store::without_passwords;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, registry, reload};

use crate::config::LogConfig;
use audit::Audit;
pub use audit::AuditError;
use levels::Targets;
use lines::{LineLayer, Lines};

/// How often it is told what was held back.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The log of this process.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    parts: Option<Parts>,
}

#[derive(Clone, Debug)]
struct Parts {
    levels: reload::Handle<Targets, Registry>,
    lines: Lines,
    audit: Option<Audit>,
}

/// Sends all events of this process to standard error. A program that embeds the server and has
/// set up its own logging keeps that.
///
/// # Errors
/// Why the file for who changed what can't be written.
pub fn init(config: &LogConfig) -> Result<Logging, AuditError> {
    let audit = config.audit.as_deref().map(Audit::open).transpose()?;
    let (targets, levels) = reload::Layer::new(levels::targets(&config.levels, audit.is_some()));
    let lines = Lines::new(Box::new(io::stderr()), config.format);
    let subscriber = registry().with(targets).with(LineLayer::new(lines.clone(), audit.clone()));
    // It fails only where a subscriber is set already.
    if subscriber.try_init().is_err() {
        return Ok(Logging::default());
    }
    levels::allow_libraries(&config.levels);
    let telling = lines.clone();
    let telling = move || {
        loop {
            thread::sleep(TELL_EVERY);
            telling.tell_held(false);
        }
    };
    // Without it, what was held back is told when the server ends.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(telling);
    Ok(Logging { parts: Some(Parts { levels, lines, audit }) })
}

impl Logging {
    /// Takes the levels of another configuration, and goes on in the file of that name, which may be a new one since a
    /// rotation. What else has changed takes a restart.
    pub fn reload(&self, config: &LogConfig) {
        let Some(parts) = &self.parts else { return };
        if let Err(error) = parts.levels.reload(levels::targets(&config.levels, parts.audit.is_some())) {
            tracing::error!(%error, "the log keeps its level");
        }
        levels::allow_libraries(&config.levels);
        tracing::info!(level = %config.levels, "the log's level is read again");
        match (&parts.audit, &config.audit) {
            (Some(audit), Some(path)) if audit.path() == path => audit.reopen(),
            (None, None) => {}
            _ => tracing::warn!("log.audit has changed: that takes a restart"),
        }
    }

    /// Tells what is held back still, and waits until all is written.
    pub fn finish(&self) {
        let Some(parts) = &self.parts else { return };
        parts.lines.tell_held(true);
        if let Some(audit) = &parts.audit {
            audit.finish();
        }
    }
}

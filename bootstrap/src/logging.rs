//! Where events go: standard error, as text or JSON, one line each; and who changed what to a file of its own. The
//! configuration alone sets the level.

mod audit;
mod fields;
mod levels;
mod limiter;
mod lines;

#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

pub(crate) use dittofs_object_store::without_passwords;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, registry, reload};

use crate::config::{LogConfig, LogLevels};
use audit::Audit;
pub use audit::AuditError;
use levels::Targets;
use lines::{LineLayer, Lines};

/// How often it is reported what was held back. Soon enough for who watches, and no flood itself.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The log of this process.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    parts: Option<Parts>,
}

#[derive(Clone, Debug)]
struct Parts {
    levels: reload::Handle<Targets, Registry>,
    lines: Lines,
    audit: Arc<OnceLock<Audit>>,
}

/// Sends all events of this process to standard error. A program that embeds the server and has set up its own logging
/// keeps that.
#[must_use]
pub fn init(config: &LogConfig) -> Logging {
    let audit = Arc::new(OnceLock::<Audit>::new());
    let (targets, levels) = reload::Layer::new(levels::targets(&config.levels, false));
    let lines = Lines::new(Box::new(io::stderr()), config.format);
    let subscriber = registry().with(targets).with(LineLayer::new(lines.clone(), Arc::clone(&audit)));
    // It fails only where a subscriber is set already.
    if subscriber.try_init().is_err() {
        return Logging::default();
    }
    levels::allow_libraries(&config.levels);
    let parts = Parts { levels, lines, audit };
    let reporting = parts.clone();
    let reporting = move || {
        loop {
            thread::sleep(REPORT_EVERY);
            reporting.report_held(false);
        }
    };
    // Without it, what was held back is reported when the server ends.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(reporting);
    Logging { parts: Some(parts) }
}

impl Logging {
    /// Notes who changes what from now on, if the configuration names a file for it. The file may be in the data folder,
    /// so that must be locked: a folder that is not the server's own stays as it is.
    ///
    /// # Errors
    /// Why the file can't be written.
    pub fn open_audit(&self, config: &LogConfig) -> Result<(), AuditError> {
        let (Some(parts), Some(path)) = (&self.parts, &config.audit) else { return Ok(()) };
        // Whoever had opened one before keeps it.
        if parts.audit.set(Audit::open(path)?).is_ok() {
            parts.take_levels(&config.levels);
        }
        Ok(())
    }

    /// Takes the levels of another configuration, and goes on in the audit file of that name, which may be a new one since
    /// a rotation.
    pub fn reload(&self, config: &LogConfig) {
        let Some(parts) = &self.parts else { return };
        parts.take_levels(&config.levels);
        tracing::info!(level = %config.levels, "the log's level is read again");
        if let (Some(audit), Some(path)) = (parts.audit.get(), &config.audit)
            && audit.path() == path
        {
            audit.reopen();
        }
    }

    /// Reports what is held back still, and waits until all is written.
    pub fn finish(&self) {
        let Some(parts) = &self.parts else { return };
        parts.report_held(true);
        parts.audit.get().into_iter().for_each(Audit::finish);
    }
}

impl Parts {
    fn take_levels(&self, levels: &LogLevels) {
        if let Err(error) = self.levels.reload(levels::targets(levels, self.audit.get().is_some())) {
            tracing::error!(%error, "the log keeps its level");
        }
        levels::allow_libraries(levels);
    }

    /// Reports what was held back in times that have ended, or in all.
    fn report_held(&self, all: bool) {
        self.lines.report_held(all);
        self.audit.get().into_iter().for_each(|audit| audit.report_held(all));
    }
}

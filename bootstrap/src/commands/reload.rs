//! Has the running server read its configuration again.

use std::io::{self, Write};

use dittofs_admin::{Client, ClientError, ReloadView};

use crate::config::{Config, control_socket};

/// Why a server did not take its configuration, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReloadError {
    #[error("a server without a data folder can't be asked: send it SIGHUP")]
    NoFolder,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the command can't begin: {0}")]
    Threads(#[source] io::Error),
    #[error("can't print: {0}")]
    Print(#[source] io::Error),
    #[error("{count} of the changes could not be taken; all else is as it is reported above")]
    Failed { count: usize },
}

/// Asks the server of this configuration's data folder, and prints the outcome.
pub(super) fn reload(config: &Config, out: &mut dyn Write) -> Result<(), ReloadError> {
    let data = config.data.as_ref().ok_or(ReloadError::NoFolder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ReloadError::Threads)?;
    let view = runtime.block_on(Client::new(&control_socket(data)).reload())?;
    print(&view, out).map_err(ReloadError::Print)?;
    match view.failed.len() {
        0 => Ok(()),
        count => Err(ReloadError::Failed { count }),
    }
}

fn print(ReloadView { applied, restart, failed }: &ReloadView, out: &mut dyn Write) -> io::Result<()> {
    for (word, lines) in [("taken", applied), ("needs a restart", restart), ("failed", failed)] {
        for line in lines {
            writeln!(out, "{word}: {line}")?;
        }
    }
    if applied.is_empty() && restart.is_empty() && failed.is_empty() {
        writeln!(out, "nothing has changed; key files and the audit file are read again")?;
    }
    Ok(())
}

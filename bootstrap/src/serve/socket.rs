//! The local socket in the data folder, through which the program's other commands reach a running server.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use dittofs_admin::Configured;
use dittofs_ports::{AccountService, AdminService};
use tokio::{net::UnixListener, task::JoinHandle};

use crate::config::control_socket;

const MODE: u32 = 0o600;

/// A socket that is listened on until this is closed.
pub(super) struct ControlSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl ControlSocket {
    /// Listens in a data folder that is locked, so that a socket which is there already is nobody's.
    pub(super) fn listen(
        data: &Path,
        service: Arc<dyn AdminService>,
        accounts: Arc<dyn AccountService>,
        configured: Arc<dyn Configured>,
    ) -> io::Result<Self> {
        let path = control_socket(data);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(MODE))?;
        Ok(ControlSocket { path, task: tokio::spawn(dittofs_admin::serve(listener, service, accounts, configured)) })
    }

    /// Stops listening, whoever is connected.
    pub(super) async fn close(self) {
        self.task.abort();
        // It was asked to end, so how it ends is no news.
        let _ = self.task.await;
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(socket = %self.path.display(), %error, "the local socket can't be removed");
        }
    }
}

//! A share that a session uses (MS-SMB2, 3.3.1.9).

use std::sync::Arc;

use dittofs_domain::{Credentials, Handle, users::Permitted};
use dittofs_ports::{CaseRule, Entered, EntryService, Presented};
use dittofs_smb_wire::NtStatus;
use parking_lot::RwLock;

use crate::holdings::Held;

/// What a tree leads to.
#[derive(Debug)]
pub(crate) enum TreeKind {
    /// The files of a share.
    Files(Files),
    /// The pipes of `IPC$`.
    Pipes,
}

/// The files of a share, from a directory on.
#[derive(Debug)]
pub(crate) struct Files {
    /// The share's name, as the configuration has it.
    pub(crate) name: String,
    /// Its name as clients see it.
    pub(crate) short_name: String,
    /// The directory that clients see as the root.
    pub(crate) root: Handle,
    /// Who calls, for requests to come: an open keeps the groups of its user.
    pub(crate) who: RwLock<Arc<Presented>>,
    /// Whether the user may change nothing here.
    pub(crate) read_only: bool,
    /// Whether requests that are not sealed are refused here, as the client was told.
    pub(crate) must_be_sealed: bool,
}

/// A share in use.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) id: u32,
    pub(crate) kind: TreeKind,
    /// The room that it takes.
    pub(crate) _held: Held,
}

impl Tree {
    /// Whether requests that are not sealed are refused.
    pub(crate) fn must_be_sealed(&self) -> bool {
        match &self.kind {
            TreeKind::Files(files) => files.must_be_sealed,
            TreeKind::Pipes => false,
        }
    }
}

impl Files {
    /// Enters the share, for one request: whoever stayed would keep its stores open.
    ///
    /// # Errors
    /// `NETWORK_NAME_DELETED` if it is served no more, or not to this client, or if it demands encryption by now and
    /// the client was not told: that connects again, and is.
    pub(crate) fn enter(&self, entry: &dyn EntryService) -> Result<Entered, NtStatus> {
        let entered = self.enter_to_end(entry)?;
        if entered.share.requires_encryption() && !self.must_be_sealed {
            return Err(NtStatus::NETWORK_NAME_DELETED);
        }
        Ok(entered)
    }

    /// Enters the share to end what the client has there, whatever the share demands by now.
    ///
    /// # Errors
    /// `NETWORK_NAME_DELETED` if it is served no more, or not to this client.
    pub(crate) fn enter_to_end(&self, entry: &dyn EntryService) -> Result<Entered, NtStatus> {
        let who = Arc::clone(&self.who.read());
        let mut entered = entry.enter(&self.root.to_bytes(), &who).map_err(|_| NtStatus::NETWORK_NAME_DELETED)?;
        entered.caller.case = CaseRule::Insensitive;
        Ok(entered)
    }

    /// Whether a tree of a user that may do this would be the same.
    pub(crate) fn permits(&self, permitted: Permitted) -> bool {
        permitted != Permitted::None && self.read_only == (permitted < Permitted::Write)
    }

    /// Has requests to come carried out with other groups of the user.
    pub(crate) fn set_credentials(&self, credentials: &Credentials) {
        let mut who = self.who.write();
        *who = Arc::new(Presented { identity: Some(credentials.clone()), ..Presented::clone(&who) });
    }
}

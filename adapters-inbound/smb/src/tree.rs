//! A share that a session uses (MS-SMB2, 3.3.1.9).

use dittofs_domain::Handle;
use dittofs_ports::{CaseRule, Entered, EntryService, Presented};
use dittofs_smb_wire::NtStatus;

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
    /// The directory that clients see as the root.
    pub(crate) root: Handle,
    /// Who calls.
    pub(crate) who: Presented,
    /// Whether the user may change nothing here.
    pub(crate) read_only: bool,
}

/// A share in use.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) id: u32,
    pub(crate) kind: TreeKind,
    /// The room that it takes.
    pub(crate) _held: Held,
}

impl Files {
    /// Enters the share, for one request: whoever stayed would keep its stores open.
    ///
    /// # Errors
    /// `NETWORK_NAME_DELETED` if it is served no more, or not to this client.
    pub(crate) fn enter(&self, entry: &dyn EntryService) -> Result<Entered, NtStatus> {
        let mut entered = entry.enter(&self.root.to_bytes(), &self.who).map_err(|_| NtStatus::NETWORK_NAME_DELETED)?;
        entered.caller.case = CaseRule::Insensitive;
        Ok(entered)
    }
}

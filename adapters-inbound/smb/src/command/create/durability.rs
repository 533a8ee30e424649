//! Opens that outlive their connection, as a CREATE asks for them (MS-SMB2, 3.3.5.9.6, 3.3.5.9.7, 3.3.5.9.10 and
//! 3.3.5.9.12).

use dittofs_domain::opens::{LeaseForm, LeaseGrant, LeaseKey, Rights};
use dittofs_smb_wire::{
    NtStatus,
    create::{CreateContexts, DurableFlags, RequestContext, ResponseContext},
    identifiers::{FileId, Guid},
};

use crate::durable::Durable;

/// How long an open waits for its client where that says nothing, in milliseconds. As Windows has it.
const DEFAULT_MS: u32 = 60_000;
/// How long it waits at most: nobody else gets at the file meanwhile, if it was opened so.
const TIMEOUT_MS_MAX: u32 = 300_000;

/// The contexts of a CREATE about durable opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Durability {
    /// DHnQ.
    version_1: bool,
    /// DH2Q, with its time-out.
    version_2: Option<(u32, Guid)>,
    reconnect: Option<Reconnect>,
    /// Contexts that no reconnect has.
    others: usize,
}

/// DHnC or DH2C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reconnect {
    pub(super) file_id: FileId,
    /// Of version 2.
    pub(super) create_guid: Option<Guid>,
}

impl Durability {
    /// Reads the contexts of a request.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for what can't be read, or twice the same.
    pub(super) fn of(contexts: &CreateContexts) -> Result<Durability, NtStatus> {
        let mut durability = Durability::default();
        for context in contexts.iter() {
            let context = RequestContext::decode(context).map_err(|_| NtStatus::INVALID_PARAMETER)?;
            durability.read(&context)?;
        }
        Ok(durability)
    }

    /// Notes a context. The lease's is welcome to all.
    fn read(&mut self, context: &RequestContext) -> Result<(), NtStatus> {
        match context {
            RequestContext::Lease(_) => {}
            RequestContext::DurableRequest => self.version_1 = true,
            RequestContext::DurableRequestV2 { timeout_ms, create_guid, .. } => {
                self.version_2 = Some((*timeout_ms, *create_guid));
            }
            RequestContext::DurableReconnect(file_id) => self.reconnect(*file_id, None)?,
            RequestContext::DurableReconnectV2 { file_id, create_guid, .. } => {
                self.reconnect(*file_id, Some(*create_guid))?;
            }
            _ => self.others += 1,
        }
        Ok(())
    }

    fn reconnect(&mut self, file_id: FileId, create_guid: Option<Guid>) -> Result<(), NtStatus> {
        match self.reconnect {
            Some(_) => Err(NtStatus::INVALID_PARAMETER),
            None => {
                self.reconnect = Some(Reconnect { file_id, create_guid });
                Ok(())
            }
        }
    }

    /// The open that the client comes back to, if it does.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for contexts that exclude each other; `OBJECT_NAME_NOT_FOUND` for others beside them.
    pub(super) fn wanted_reconnect(self) -> Result<Option<Reconnect>, NtStatus> {
        let Some(reconnect) = self.reconnect else {
            let is_one = !(self.version_1 && self.version_2.is_some());
            return if is_one { Ok(None) } else { Err(NtStatus::INVALID_PARAMETER) };
        };
        // A request for what it has already is left aside.
        let excludes = self.version_2.is_some() || (self.version_1 && reconnect.create_guid.is_some());
        match () {
            () if excludes => Err(NtStatus::INVALID_PARAMETER),
            () if self.others > 0 => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            () => Ok(Some(reconnect)),
        }
    }

    /// The identifier of the CREATE, of version 2.
    pub(super) fn create_guid(&self) -> Option<Guid> {
        self.version_2.map(|(_, create_guid)| create_guid)
    }

    /// Returns the grant: only whoever may keep a closed file open is worth waiting for.
    pub(super) fn granted(&self, lease: Option<&(LeaseKey, LeaseGrant)>, is_directory: bool) -> Option<Durable> {
        let (key, grant) = lease?;
        if is_directory || !keeps_handles(key, grant) {
            return None;
        }
        match self.version_2 {
            Some((timeout_ms, create_guid)) => {
                let timeout_ms = if timeout_ms == 0 { DEFAULT_MS } else { timeout_ms.min(TIMEOUT_MS_MAX) };
                Some(Durable { create_guid: Some(create_guid), timeout_ms })
            }
            None => self.version_1.then_some(Durable { create_guid: None, timeout_ms: DEFAULT_MS }),
        }
    }
}

/// Whether a client may keep closed files open: by a batch oplock, or by a lease.
pub(crate) fn keeps_handles(key: &LeaseKey, grant: &LeaseGrant) -> bool {
    match key.form {
        LeaseForm::Oplock => grant.rights == Rights::all(),
        LeaseForm::Lease => grant.rights.contains(Rights::HANDLE),
        LeaseForm::Delegation => false,
    }
}

/// The context of the answer.
pub(super) fn context(durable: &Durable) -> ResponseContext {
    match durable.create_guid {
        Some(_) => ResponseContext::DurableRequestV2 { timeout_ms: durable.timeout_ms, flags: DurableFlags::empty() },
        None => ResponseContext::DurableRequest,
    }
}

#[cfg(test)]
mod tests;

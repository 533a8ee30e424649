//! Extended attributes, as SMB names and sets them.

use dittofs_domain::{
    error::FsError,
    xattr::{SetHow, XattrChange, XattrName},
};
use dittofs_smb_wire::{NtStatus, info::Ea};

use crate::failure::status;

/// Characters that no name may have which a client sets, as with Windows (MS-FSCC, 2.4.16, and FsRtlIsEaNameValid).
/// Control characters are others.
const FORBIDDEN: &[u8] = b"\"*+,/:;<=>?[\\]|";

/// The changes that a list asks for. A value of no bytes removes the attribute (MS-FSA, 2.1.5.15.8).
///
/// # Errors
/// `INVALID_EA_NAME`.
pub(crate) fn changes(list: Vec<Ea>) -> Result<Vec<XattrChange>, NtStatus> {
    let change = |Ea { name, value, .. }: Ea| {
        let name = valid_name(name)?;
        Ok(match value.is_empty() {
            true => XattrChange::RemoveAny(name),
            false => XattrChange::Set { name, value, how: SetHow::Either },
        })
    };
    list.into_iter().map(change).collect()
}

/// A name that a client sends.
///
/// # Errors
/// `INVALID_EA_NAME`.
pub(crate) fn valid_name(name: bytes::Bytes) -> Result<XattrName, NtStatus> {
    let is_forbidden = |byte: &u8| *byte < b' ' || FORBIDDEN.contains(byte);
    if name.iter().any(is_forbidden) {
        return Err(NtStatus::INVALID_EA_NAME);
    }
    XattrName::new(name).map_err(|_| NtStatus::INVALID_EA_NAME)
}

/// The status of a call that has to do with extended attributes.
pub(crate) fn refused(error: FsError) -> NtStatus {
    match error {
        FsError::BadType => NtStatus::EAS_NOT_SUPPORTED,
        error => status(error),
    }
}

#[cfg(test)]
mod tests;

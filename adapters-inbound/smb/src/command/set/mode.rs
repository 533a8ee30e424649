//! The mode of an open (MS-FSA, FileModeInformation).

use dittofs_smb_wire::{NtStatus, create::CreateOptions};

/// The options that can be set.
const SETTABLE: CreateOptions = CreateOptions::WRITE_THROUGH
    .union(CreateOptions::SEQUENTIAL_ONLY)
    .union(CreateOptions::NO_INTERMEDIATE_BUFFERING)
    .union(SYNCHRONOUS);
/// Of these an open has one or none, and keeps that.
const SYNCHRONOUS: CreateOptions = CreateOptions::SYNCHRONOUS_IO_ALERT.union(CreateOptions::SYNCHRONOUS_IO_NONALERT);

/// Sets the mode of an open that has another one. So far a mode stays as it is.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no mode, or none for this open; `NOT_SUPPORTED`.
pub(super) fn set(has: u32, wanted: u32) -> Result<(), NtStatus> {
    let (has, wanted) = (CreateOptions::from_bits_retain(has), CreateOptions::from_bits_retain(wanted));
    let is_synchronous = |mode: CreateOptions| mode.intersects(SYNCHRONOUS);
    if !SETTABLE.contains(wanted) || wanted.contains(SYNCHRONOUS) || is_synchronous(has) != is_synchronous(wanted) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if has & SETTABLE == wanted { Ok(()) } else { Err(NtStatus::NOT_SUPPORTED) }
}

#[cfg(test)]
mod tests;

//! The elements of a LOCK, one by one (MS-SMB2, 2.2.26.1).

use dittofs_domain::opens::{Lock, LockHolder, LockKind, LockRange};
use dittofs_smb_wire::{
    NtStatus,
    lock::{LockElement, LockFlags},
};

/// Whether a request unlocks: its first element decides.
pub(super) fn are_unlocks(elements: &[LockElement]) -> bool {
    elements.first().is_some_and(|element| element.flags.contains(LockFlags::UNLOCK))
}

/// The range to unlock.
///
/// # Errors
/// `INVALID_PARAMETER` for an element that does anything else; `INVALID_LOCK_RANGE`.
pub(super) fn unlock(element: &LockElement) -> Result<LockRange, NtStatus> {
    if element.flags == LockFlags::UNLOCK { range(element) } else { Err(NtStatus::INVALID_PARAMETER) }
}

/// The lock that an element asks for. One of several may not wait: those in front of it would be held meanwhile.
///
/// # Errors
/// `INVALID_PARAMETER`, `INVALID_LOCK_RANGE`.
pub(super) fn lock(element: &LockElement, is_only: bool, holder: LockHolder) -> Result<Lock, NtStatus> {
    let kind = match element.flags - LockFlags::FAIL_IMMEDIATELY {
        LockFlags::SHARED_LOCK => LockKind::Shared,
        LockFlags::EXCLUSIVE_LOCK => LockKind::Exclusive,
        _ => return Err(NtStatus::INVALID_PARAMETER),
    };
    if may_wait(element) && !is_only {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(Lock { range: range(element)?, kind, holder })
}

/// Whether a lock is to be waited for.
pub(super) fn may_wait(element: &LockElement) -> bool {
    !element.flags.contains(LockFlags::FAIL_IMMEDIATELY)
}

fn range(element: &LockElement) -> Result<LockRange, NtStatus> {
    LockRange::exact(element.offset, element.length).ok_or(NtStatus::INVALID_LOCK_RANGE)
}

#[cfg(test)]
mod tests;

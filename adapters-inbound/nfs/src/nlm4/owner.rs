//! Owners of locks: a process of a client, by the client's name, the process's number, and an opaque handle.

use bytes::Bytes;
use dittofs_domain::{
    ClientId,
    opens::{LockOwner, limits},
};

use super::wire::nlm4_lock;

/// Bytes of the length of the client's name, and of the process's number.
const FIXED_BYTES: usize = 2 + 4;

/// The name of the owner of a lock; none where it is too long.
pub(super) fn name(lock: &nlm4_lock) -> Option<Bytes> {
    let bytes = FIXED_BYTES + lock.caller_name.len() + lock.oh.0.len();
    if bytes > limits::OWNER_BYTES {
        return None;
    }
    let mut name = Vec::with_capacity(bytes);
    name.extend(u16::try_from(lock.caller_name.len()).ok()?.to_be_bytes());
    name.extend(&*lock.caller_name);
    name.extend(lock.svid.to_be_bytes());
    name.extend(&*lock.oh.0);
    Some(name.into())
}

/// The owner with such a name; none if it is too long.
pub(super) fn owner(client: ClientId, name: &[u8]) -> Option<LockOwner> {
    LockOwner::new(client, name).ok()
}

/// The process's number and the opaque handle of an owner with such a name.
pub(super) fn process(name: &[u8]) -> Option<(i32, Bytes)> {
    let (length, rest) = name.split_first_chunk()?;
    let (svid, oh) = rest.get(usize::from(u16::from_be_bytes(*length))..)?.split_first_chunk()?;
    Some((i32::from_be_bytes(*svid), Bytes::copy_from_slice(oh)))
}

#[cfg(test)]
mod tests;

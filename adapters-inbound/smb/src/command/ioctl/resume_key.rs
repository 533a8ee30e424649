//! The keys by which copies name the open that they read from (MS-SMB2, 3.3.5.15.5).

use dittofs_smb_wire::{control::ResumeKey, identifiers::FileId};

/// The key of an open. It is good in its own session only, so nothing is gained by guessing one.
pub(super) fn of(session: u64, id: FileId) -> ResumeKey {
    let mut key = [0; 24];
    let words = [id.persistent, id.volatile, session];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ResumeKey(key)
}

/// The volatile part of the id of the open that a key may be of: [`of`] tells whether it is.
pub(super) fn volatile(key: ResumeKey) -> u64 {
    let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h, ..] = key.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;

//! LOCKs that a client may send again, as it has not seen the answer (MS-SMB2, 3.3.5.14).

use parking_lot::Mutex;

/// Entries of an open; a client numbers them from 1 on.
const ENTRIES: usize = 64;
/// An entry that stands for no request.
const NONE: u8 = 0xFF;

/// The last LOCK of each entry that was carried out.
#[derive(Debug)]
pub(crate) struct LockSequences(Mutex<[u8; ENTRIES]>);

/// An entry, and the number of a request in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockSequence {
    entry: usize,
    number: u8,
}

impl LockSequence {
    /// Reads the field of a request. None if it names no entry.
    pub(crate) fn read(field: u32) -> Option<LockSequence> {
        let entry = ((field >> 4) as usize).checked_sub(1).filter(|entry| *entry < ENTRIES)?;
        Some(LockSequence { entry, number: (field & 0xF) as u8 })
    }
}

impl Default for LockSequences {
    fn default() -> LockSequences {
        LockSequences(Mutex::new([NONE; ENTRIES]))
    }
}

impl LockSequences {
    /// Whether a request was carried out before. If not, its entry stands for none until it is.
    pub(crate) fn is_repeated(&self, sequence: LockSequence) -> bool {
        let mut entries = self.0.lock();
        let Some(entry) = entries.get_mut(sequence.entry) else { return false };
        if *entry == sequence.number {
            return true;
        }
        *entry = NONE;
        false
    }

    /// A request is carried out.
    pub(crate) fn note(&self, sequence: LockSequence) {
        if let Some(entry) = self.0.lock().get_mut(sequence.entry) {
            *entry = sequence.number;
        }
    }
}

#[cfg(test)]
mod tests;

//! The window of message ids that a client may use (MS-SMB2, 3.3.1.1 and 3.3.5.2.3).

/// The most ids that a client may have at hand, counted from the lowest that it has not used. Large reads and writes
/// take up to 128 each.
pub(crate) const WINDOW_MAX: u64 = 8_192;

const WORD_BITS: u64 = u64::BITS as u64;

/// The ids that a client was given. Each may be used once.
#[derive(Debug)]
pub(crate) struct Window {
    /// The lowest id that was not used yet.
    low: u64,
    /// One more than the highest that was given.
    end: u64,
    /// Which of those from `low` on were used, by id modulo the size of the window.
    used: Box<[u64]>,
}

impl Default for Window {
    /// A new connection has the id 0.
    fn default() -> Window {
        Window { low: 0, end: 1, used: vec![0; (WINDOW_MAX / WORD_BITS) as usize].into() }
    }
}

impl Window {
    /// Uses the ids of a request: `charge` of them, at least one. Returns false if one of them was not given, or was used
    /// before: the connection is to be closed.
    pub(crate) fn take(&mut self, first: u64, charge: u16) -> bool {
        let count = u64::from(charge.max(1));
        let Some(end) = first.checked_add(count) else { return false };
        if first < self.low || end > self.end || (first..end).any(|id| self.is_used(id)) {
            return false;
        }
        (first..end).for_each(|id| self.set_used(id, true));
        while self.low < self.end && self.is_used(self.low) {
            self.set_used(self.low, false);
            self.low += 1;
        }
        true
    }

    /// Gives more ids, as many as were asked for and as the window has room for. A client that has none left gets one,
    /// or it could never ask again.
    pub(crate) fn grant(&mut self, asked: u16) -> u16 {
        let room = WINDOW_MAX - (self.end - self.low);
        let granted = u64::from(asked.max(1)).min(room);
        self.end += granted;
        granted as u16
    }

    fn is_used(&self, id: u64) -> bool {
        let at = id % WINDOW_MAX;
        self.used.get((at / WORD_BITS) as usize).is_some_and(|word| word & (1 << (at % WORD_BITS)) != 0)
    }

    fn set_used(&mut self, id: u64, used: bool) {
        let at = id % WINDOW_MAX;
        if let Some(word) = self.used.get_mut((at / WORD_BITS) as usize) {
            let bit = 1 << (at % WORD_BITS);
            *word = if used { *word | bit } else { *word & !bit };
        }
    }
}

#[cfg(test)]
mod tests;

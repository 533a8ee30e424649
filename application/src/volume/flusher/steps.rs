//! How much is written at once where there is little room.

/// The least that is tried to be written where there is no space, in bytes, and how much less is tried each time. Two
/// frames: with less, heads and the ends of blocks would be most of what is written.
const STEP_BYTES_MIN: u64 = 64 << 10;
const STEP_LESS: u64 = 4;

/// How much is written at once. Where there is no room for that, less may still have some, and what is written then
/// gives back what it replaces.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::volume) struct Steps(Option<u64>);

impl Steps {
    /// Bytes of the next step, where there may be so many at most.
    pub(in crate::volume) fn next(self, most: u64) -> u64 {
        self.0.map_or(most, |step| step.min(most))
    }

    /// There was no room for so many bytes; answers whether that is the least that is tried.
    pub(in crate::volume) fn found_no_room(&mut self, bytes: u64) -> bool {
        self.0 = Some((bytes / STEP_LESS).max(STEP_BYTES_MIN));
        bytes <= STEP_BYTES_MIN
    }

    /// There was room for a step.
    pub(in crate::volume) fn found_room(&mut self, most: u64) {
        self.0 = self.0.map(|step| step * STEP_LESS).filter(|step| *step < most);
    }
}

#[cfg(test)]
mod tests;

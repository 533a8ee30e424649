//! Randomness.

use std::{
    hash::Hasher,
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use dittofs_ports::Randomness;
use siphasher::sip::SipHasher24;

/// The operating system's randomness, asked for each time.
///
/// Should it fail later on though it worked at the start, a keyed hash of a counter takes its place, which nobody can
/// foretell who does not know the key drawn at the start.
pub struct SystemRandomness {
    key: [u8; 16],
    drawn: AtomicU64,
}

impl SystemRandomness {
    /// # Errors
    /// Where the operating system has no randomness to give.
    pub fn new() -> io::Result<SystemRandomness> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(SystemRandomness { key, drawn: AtomicU64::new(0) })
    }

    fn derived(&self) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u64(self.drawn.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }
}

impl Randomness for SystemRandomness {
    fn bits64(&self) -> u64 {
        getrandom::u64().unwrap_or_else(|_| self.derived())
    }

    fn bits128(&self) -> u128 {
        u128::from(self.bits64()) << 64 | u128::from(self.bits64())
    }
}

#[cfg(test)]
mod tests;

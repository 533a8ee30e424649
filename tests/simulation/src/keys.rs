//! Keys that are replaced while frames are sealed and opened.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    KeyId,
    content::block::{FrameSeal, NONCE_BYTES},
};
use dittofs_frame_sealer::{Keyring, Sealer};
use dittofs_ports::{FrameSealer, SealError};
use parking_lot::Mutex;

use crate::{faults::Fault, life::Simulation};

const KEYS_MAX: u64 = 64;

/// A sealer with a new key now and then, which outlives all crashes as its file does.
pub(crate) struct RotatedKeys {
    simulation: Arc<Simulation>,
    sealer: Mutex<(u64, Arc<Sealer>)>,
}

impl RotatedKeys {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> Arc<RotatedKeys> {
        Arc::new(RotatedKeys { simulation: Arc::clone(simulation), sealer: Mutex::new((1, with_keys(1))) })
    }

    fn sealer(&self) -> Arc<Sealer> {
        Arc::clone(&self.sealer.lock().1)
    }
}

fn with_keys(count: u64) -> Arc<Sealer> {
    let text: String =
        (1..=count).map(|id| format!("{id} {:064x}\n", u128::from(id) * 0x9E37_79B9_7F4A_7C15)).collect();
    let keys = Keyring::parse(text.as_bytes()).unwrap_or_else(|error| unreachable!("the keys are valid: {error}"));
    Arc::new(Sealer::with_keys(keys, true))
}

impl FrameSealer for RotatedKeys {
    fn key_id(&self) -> KeyId {
        let mut sealer = self.sealer.lock();
        if sealer.0 < KEYS_MAX && self.simulation.happens(Fault::KeyRotated) {
            *sealer = (sealer.0 + 1, with_keys(sealer.0 + 1));
        }
        sealer.1.key_id()
    }

    fn demand(&self, key_id: KeyId) -> Result<(), SealError> {
        self.sealer().demand(key_id)
    }

    fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE_BYTES as usize], content: &[Bytes]) -> Result<Bytes, SealError> {
        self.sealer().seal(seal, nonce, content)
    }

    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        self.sealer().open(seal, stored)
    }
}

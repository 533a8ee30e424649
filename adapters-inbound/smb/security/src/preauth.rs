//! The hash of all messages that come before the keys (MS-SMB2 3.3.5.4, 3.3.5.5). The keys of dialect 3.1.1 depend on
//! it. If one of the messages was changed on its way, then client and server have different keys, and no signature
//! fits.

use aws_lc_rs::digest::{Context, SHA512};

/// A hash over messages, each of which is hashed together with the hash of those before.
///
/// A connection has one over its NEGOTIATE request and response. Each session on it goes on from a copy of that, with
/// its SESSION_SETUP requests and responses. The last request is the last message: the response that tells of success
/// is signed with a key that is made of the hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreauthHash([u8; 64]);

impl PreauthHash {
    /// The hash of no message.
    #[must_use]
    pub fn new() -> Self {
        Self([0; 64])
    }

    /// Adds a message, which may be in pieces, from its SMB2 header to its end.
    pub fn update(&mut self, message: &[&[u8]]) {
        let mut context = Context::new(&SHA512);
        context.update(&self.0);
        message.iter().for_each(|piece| context.update(piece));
        let digest = context.finish();
        self.0.iter_mut().zip(digest.as_ref()).for_each(|(place, byte)| *place = *byte);
    }

    /// The hash of all messages so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl Default for PreauthHash {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
impl PreauthHash {
    /// The hash of messages that only their hash is known of.
    pub(crate) fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests;

//! The connections that a session has (MS-SMB2, 3.3.1.14).

use std::sync::{Arc, Weak};

use dittofs_smb_security::signing::Signer;
use dittofs_smb_wire::NtStatus;
use parking_lot::Mutex;

use crate::link::Link;

/// A connection of a session, and the key that signs there.
struct Channel {
    link: Weak<Link>,
    signer: Arc<Signer>,
}

/// Connections of one session, as many as Windows and Samba allow.
const CHANNELS_MAX: usize = 32;

/// The connections of a session, in the order in which they came.
#[derive(Default)]
pub(crate) struct Channels(Mutex<Vec<Channel>>);

impl Channels {
    /// Adds a connection, or gives it another key.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if there are too many.
    pub(crate) fn add(&self, link: &Arc<Link>, signer: Arc<Signer>) -> Result<(), NtStatus> {
        let mut channels = self.0.lock();
        channels.retain(|channel| !is(channel, link));
        if channels.len() >= CHANNELS_MAX {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        channels.push(Channel { link: Arc::downgrade(link), signer });
        Ok(())
    }

    /// Removes a connection. Returns whether another one is left.
    pub(crate) fn remove(&self, link: &Link) -> bool {
        let mut channels = self.0.lock();
        channels.retain(|channel| !is(channel, link));
        !channels.is_empty()
    }

    /// The key for a connection, if the session has it.
    pub(crate) fn signer(&self, link: &Link) -> Option<Arc<Signer>> {
        self.0.lock().iter().find(|channel| is(channel, link)).map(|channel| Arc::clone(&channel.signer))
    }

    /// The connections that there are, the newest first.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.0.lock().iter().rev().filter_map(|channel| channel.link.upgrade()).collect()
    }
}

fn is(channel: &Channel, link: &Link) -> bool {
    std::ptr::eq(channel.link.as_ptr(), link)
}

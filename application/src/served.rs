//! A share as calls find it.

mod block;
mod metadata;
mod open;
mod watch;

use std::sync::Arc;

use dittofs_domain::{
    Credentials, FoldTable,
    users::{Permitted, UserName},
};
use dittofs_ports::{HandleSigner, ShareServices};

use crate::volume::Volume;

/// The services of one share, which pass calls on to the parts of its volume.
#[derive(Debug)]
pub struct ServedShare {
    volume: Arc<Volume>,
}

impl ServedShare {
    /// The services over a volume.
    pub(crate) fn new(volume: Arc<Volume>) -> ServedShare {
        ServedShare { volume }
    }

    /// Returns the volume.
    pub(crate) fn volume(&self) -> &Arc<Volume> {
        &self.volume
    }
}

impl ShareServices for ServedShare {
    fn handle_signer(&self) -> &HandleSigner {
        self.volume.handle_signer()
    }

    fn is_read_only(&self) -> bool {
        self.volume.policy().read_only
    }

    fn requires_encryption(&self) -> bool {
        self.volume.policy().requires_encryption
    }

    fn folding(&self) -> FoldTable {
        self.volume.folding()
    }

    fn permitted(&self, name: &UserName, credentials: &Credentials) -> Permitted {
        self.volume.policy().permitted(name, credentials)
    }
}

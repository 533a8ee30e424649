//! Nodes that go with their last open (`FILE_DELETE_ON_CLOSE` and `FileDispositionInformation`: MS-FSA, 2.1.5.4).

use crate::{client::ClientId, credentials::Credentials, id::NodeId, name::Name};

/// The name to be removed once a node's last open is gone. Until it is removed, nobody else opens the node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deletion {
    /// The directory.
    pub directory: NodeId,
    /// The name there that was opened.
    pub name: Name,
    /// Who asked for it, and may.
    pub credentials: Credentials,
    /// The client that asked.
    pub client: ClientId,
    /// The key of the lease under which it caches the directory, as its open named it. That lease is spared if the last
    /// open is of the same client and names the same key (Samba's `smb2.dirlease.unlink_same_set_and_close`).
    pub parent_lease: Option<u128>,
}

impl Deletion {
    /// The same, once the last open is gone, which was of `client` and named `parent_lease`.
    pub fn ended_by(self, client: ClientId, parent_lease: Option<u128>) -> Deletion {
        let parent_lease = self.parent_lease.filter(|key| self.client == client && parent_lease == Some(*key));
        Deletion { parent_lease, ..self }
    }
}

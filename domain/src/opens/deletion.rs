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
}

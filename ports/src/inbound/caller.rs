//! Who calls, and what is called upon.

use std::net::IpAddr;

use dittofs_domain::{ClientId, Credentials, Handle, HandleKey, NodeId, ShareId, Tree, opens::OpenToken};

/// A node of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeRef {
    /// The share.
    pub share: ShareId,
    /// The node.
    pub node: NodeId,
    /// The tree in which it is meant.
    pub tree: Tree,
}

impl NodeRef {
    /// A node of the living tree.
    pub fn live(share: ShareId, node: NodeId) -> NodeRef {
        NodeRef { share, node, tree: Tree::LIVE }
    }
}

/// The facts that a protocol knows about the sender of a request, before the share's policy has been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The identity as authenticated by the protocol; none for anonymous requests.
    pub identity: Option<Credentials>,
    /// The client's address.
    pub address: IpAddr,
    /// The port that it calls from.
    pub port: u16,
    /// The client, as locks and opens know it.
    pub client: ClientId,
}

/// Who calls, after the share has admitted the client and mapped its identity. Every service call demands one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Mapped by the share's policy.
    pub credentials: Credentials,
    /// The open file that the request goes through; none for protocols without opens, where the owner of a file may
    /// always read and write it (as the open itself was judged by the client).
    pub opener: Option<OpenToken>,
    /// The client.
    pub client: ClientId,
}

/// Makes handles of one share.
#[derive(Clone, Copy, Debug)]
pub struct HandleSigner {
    /// The share.
    pub share: ShareId,
    /// Its key.
    pub key: HandleKey,
}

impl HandleSigner {
    /// The handle of a node.
    pub fn handle(&self, node: NodeId) -> Handle {
        self.key.sign(self.share, node)
    }
}

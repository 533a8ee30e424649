//! Who calls, and what is called upon.

use std::net::IpAddr;

use dittofs_domain::{
    ClientId, Credentials, Handle, HandleKey, NodeId, ShareId, Tree,
    opens::{LeaseForm, LeaseKey, OpenToken, Requester},
    plan::Query,
};

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
    /// How names in its requests are meant: [`CaseRule::Sensitive`] as the share admits it. A protocol whose clients
    /// ignore case says so in each call.
    pub case: CaseRule,
    /// The key of the lease under which the client caches the directory that it does this in, as it says: of the
    /// directory's leases, that one stays (MS-SMB2, 2.2.13.2.10).
    pub parent_lease: Option<u128>,
}

impl Caller {
    /// Returns who changes a directory, as far as leases of it care.
    pub fn changes_entries_as(&self) -> Requester {
        let client = self.client;
        Requester { client, lease: self.parent_lease.map(|id| LeaseKey { client, form: LeaseForm::Lease, id }) }
    }
}

/// Whether the case of names matters to a caller. The names are the same for all: who respects case may make several
/// that differ in nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CaseRule {
    /// A name means the entry of just this name.
    #[default]
    Sensitive,
    /// A name means the entry of just this name, or else the oldest whose name folds alike by the share's table
    /// ([`FoldTable`](dittofs_domain::FoldTable)). A new entry has just the name asked for, and is made only where
    /// the name means none.
    Insensitive,
}

impl CaseRule {
    /// The query for a rule, whose decision follows it.
    pub fn of(self, query: Query) -> Query {
        match self {
            CaseRule::Sensitive => query,
            CaseRule::Insensitive => query.in_any_case(),
        }
    }
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

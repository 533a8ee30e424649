//! Where a request comes from.

use std::net::IpAddr;

use bytes::Bytes;
use dittofs_domain::{ClientId, LockClient};
use dittofs_ports::Presented;
use dittofs_transport::ClientNetwork;

use crate::{presented::presented, rpc::Call};

/// Ports that only the root user of a machine can call from.
const RESERVED_PORTS: u16 = 1024;

/// A client of the lock manager. Machines behind one address have names of their own, and none of them gives up what
/// another one has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    /// Where it is.
    pub(crate) address: IpAddr,
    /// Its own name for itself.
    pub(crate) name: Bytes,
}

/// Who calls, at which address of the server.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) presented: Presented,
    pub(crate) local: IpAddr,
}

/// The same, on behalf of the client with this name.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) sender: Sender,
    pub(crate) name: Bytes,
}

impl Host {
    /// The network that it counts against.
    pub(crate) fn network(&self) -> ClientNetwork {
        ClientNetwork::of(self.address)
    }
}

impl Sender {
    /// The sender of a call.
    pub(crate) fn of(call: &Call) -> Sender {
        Sender { presented: presented(call), local: call.local }
    }

    /// On behalf of the client with this name.
    pub(crate) fn named(self, name: Bytes) -> Origin {
        Origin { sender: self, name }
    }
}

impl Origin {
    /// A client that an earlier life of the server has left.
    pub(crate) fn of_earlier(client: &LockClient) -> Origin {
        let LockClient { address, name, server } = client;
        let presented = Presented { identity: None, address: *address, port: 0, client: ClientId::Nfs3(*address) };
        Sender { presented, local: *server }.named(Bytes::copy_from_slice(name))
    }

    /// Where it comes from.
    pub(crate) fn address(&self) -> IpAddr {
        self.sender.presented.address
    }

    /// Whether only the root user of a machine can call from its port. Port 0: it is not known.
    pub(crate) fn is_reserved(&self) -> bool {
        (1..RESERVED_PORTS).contains(&self.sender.presented.port)
    }

    /// The client.
    pub(crate) fn host(&self) -> Host {
        Host { address: self.address(), name: self.name.clone() }
    }

    /// The client, as it is kept for the next start.
    pub(crate) fn lock_client(&self) -> LockClient {
        LockClient { address: self.address(), name: (*self.name).into(), server: self.sender.local }
    }
}

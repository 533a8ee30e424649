//! Whose state it is: clients, by protocol.

use std::{fmt, net::IpAddr};

/// A client, as its protocol knows it: whose opens, locks and caching rights end together. Clients of different
/// protocols are never the same, though they may be one machine: what the end of one releases is never another's.
///
/// Shown as the protocol and what it knows the client by: `nfs3:192.0.2.1`, `nfs4:17`, `smb:17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientId {
    /// A machine that speaks NFSv3, by its address: the protocol has no other name for it. An IPv4 address stands for
    /// itself, never mapped into IPv6.
    Nfs3(IpAddr),
    /// A client of NFSv4, by its `clientid4` (RFC 8881, 2.4), a number that is never given twice.
    Nfs4(u64),
    /// A client of SMB, by a number for its GUID (MS-SMB2, 3.3.1.7): all sessions of a machine share its leases.
    Smb(u64),
    /// A client of a protocol that a program adds to these, by whatever number that gives it.
    Other(u64),
}

/// A client that has to be told when its locks are gone with the server, so that it takes them again (NSM: XNFS,
/// chapter 11).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockClient {
    /// Where it is.
    pub address: IpAddr,
    /// Its own name for itself.
    pub name: Box<[u8]>,
    /// The address of the server that it knows: it believes nobody else.
    pub server: IpAddr,
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientId::Nfs3(address) => write!(f, "nfs3:{address}"),
            ClientId::Nfs4(number) => write!(f, "nfs4:{number}"),
            ClientId::Smb(number) => write!(f, "smb:{number}"),
            ClientId::Other(number) => write!(f, "other:{number}"),
        }
    }
}

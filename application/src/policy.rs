//! What a share demands of its clients.

use std::net::IpAddr;

use dittofs_domain::{Credentials, credentials::IdentityPolicy, quota::Quota};

/// A network of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// A network; none where the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Network> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= bits).then_some(Network { address, prefix })
    }

    /// Whether an address is in it. An IPv4 address mapped into IPv6 is taken as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Whether reads advance access times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Atime {
    /// Where something has changed since the last access, or a day has passed, as Linux does by default.
    #[default]
    Relatime,
    /// They don't: access times are those that clients set.
    None,
}

/// A share's own policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePolicy {
    /// Whose requests are taken at all; nobody's if empty.
    pub clients: Vec<Network>,
    /// How identities are mapped.
    pub identity: IdentityPolicy,
    /// Whether changes are refused.
    pub read_only: bool,
    /// What the share may hold.
    pub quota: Quota,
    /// Whether reads advance access times.
    pub atime: Atime,
}

impl SharePolicy {
    /// Whether a client at this address is admitted.
    pub fn admits(&self, address: IpAddr) -> bool {
        self.clients.iter().any(|network| network.contains(address))
    }

    /// The credentials that a presented identity gets.
    pub fn credentials(&self, presented: Option<&Credentials>) -> Credentials {
        self.identity.map(presented)
    }
}

#[cfg(test)]
mod tests;

//! The policy of a share: what it demands of its clients.

use std::net::IpAddr;

use dittofs_domain::{
    Credentials,
    credentials::IdentityPolicy,
    quota::Quota,
    users::{AccessList, Permitted, UserName},
};

/// Bits of the prefix of IPv4 addresses that are mapped into IPv6.
const MAPPED_PREFIX: u8 = 96;

/// A network of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// A network; none where the prefix is longer than the address. One of IPv4 addresses mapped into IPv6 (`::ffff:0:0/96`) is that
    /// of the IPv4 addresses.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Network> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix > bits {
            return None;
        }
        Some(match (address.to_canonical(), prefix.checked_sub(MAPPED_PREFIX)) {
            (mapped @ IpAddr::V4(_), Some(prefix)) if address.is_ipv6() => Network { address: mapped, prefix },
            _ => Network { address, prefix },
        })
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

/// The first port that needs no privilege (IPPORT_RESERVED).
const SECURE_PORTS_END: u16 = 1024;

/// A share's own policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePolicy {
    /// Its name where clients know shares by one word, and not by a path.
    pub short_name: String,
    /// Whose requests are taken at all; nobody's if empty.
    pub clients: Vec<Network>,
    /// Whether requests are taken only from ports that a machine lets its root use (below 1024): else any of its users could speak
    /// for all of them, as AUTH_SYS proves nothing.
    pub secure_ports: bool,
    /// How identities are mapped.
    pub identity: IdentityPolicy,
    /// Which users may enter that have logged on by name, and what for.
    pub access: AccessList,
    /// Whether changes are refused.
    pub read_only: bool,
    /// Whether who speaks a protocol that can encrypt messages must do so.
    pub requires_encryption: bool,
    /// The bounds of what the share may hold.
    pub quota: Quota,
    /// Whether reads advance access times.
    pub atime: Atime,
}

impl SharePolicy {
    /// Checks whether a client at this address is admitted.
    pub fn admits(&self, address: IpAddr) -> bool {
        self.clients.iter().any(|network| network.contains(address))
    }

    /// Whether a client's requests from this port are taken.
    pub fn takes_port(&self, port: u16) -> bool {
        !self.secure_ports || port < SECURE_PORTS_END
    }

    /// What the share lets a user do that has proved who it is. `credentials` are the user's own, before
    /// [`SharePolicy::credentials`] maps them.
    pub fn permitted(&self, name: &UserName, credentials: &Credentials) -> Permitted {
        let permitted = self.access.permitted(name, credentials);
        if self.read_only { permitted.min(Permitted::Read) } else { permitted }
    }

    /// The credentials that a presented identity gets.
    pub fn credentials(&self, presented: Option<&Credentials>) -> Credentials {
        self.identity.map(presented)
    }
}

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr};

/// Who counts as one client, as far as an address tells: an address of IPv4, or a network of IPv6.
///
/// One machine may have every address of a network of 64 bits, and would be as many clients as it likes otherwise. All
/// that is shared between clients, and all that is bounded for each, goes by this: connections, memory, replies that
/// are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNetwork(IpAddr);

/// The bits of an address that a machine may choose. It gets a network from its provider or by SLAAC, in which the
/// lower 64 bits are its own.
const IPV6_HOST_BITS: u32 = 64;

impl ClientNetwork {
    /// The network of a peer's address. An address of IPv4 that is mapped into IPv6 is the one of IPv4.
    pub fn of(address: IpAddr) -> ClientNetwork {
        ClientNetwork(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> IPV6_HOST_BITS << IPV6_HOST_BITS).into(),
        })
    }
}

#[cfg(test)]
mod tests;

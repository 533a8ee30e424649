use std::net::IpAddr;
#[cfg(any(test, feature = "client"))]
use std::net::{Ipv4Addr, Ipv6Addr};

use bitflags::bitflags;
use bytes::Bytes;

use crate::cursor::Writer;
#[cfg(any(test, feature = "client"))]
use crate::cursor::{Malformed, Reader, range};

/// Bytes of an element, with its address of fixed size: a multiple of 8, so that elements need no padding.
const INTERFACE_LENGTH: usize = 152;
const SOCKET_ADDRESS_LENGTH: usize = 128;
const FAMILY_IPV4: u16 = 0x0002;
const FAMILY_IPV6: u16 = 0x0017;

bitflags! {
    /// Abilities of a network interface (MS-SMB2 2.2.32.5). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct InterfaceCapability: u32 {
        /// Spreads connections over processors: clients open several to it.
        const RSS = 0x0000_0001;
        /// Has RDMA.
        const RDMA = 0x0000_0002;

        const _ = !0;
    }
}

/// An address of a network interface of the server (MS-SMB2 2.2.32.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkInterface {
    /// The number of the interface, not zero. Addresses of one interface have the same.
    pub index: u32,
    /// Abilities.
    pub capability: InterfaceCapability,
    /// Bits per second.
    pub link_speed: u64,
    /// The address.
    pub address: IpAddr,
}

/// Encodes the answer to FSCTL_QUERY_NETWORK_INTERFACE_INFO.
#[must_use]
pub fn encode_interfaces(interfaces: &[NetworkInterface]) -> Bytes {
    let mut writer = Writer::with_capacity(interfaces.len() * INTERFACE_LENGTH);
    for (position, interface) in interfaces.iter().enumerate() {
        let is_last = position + 1 == interfaces.len();
        writer.u32(if is_last { 0 } else { INTERFACE_LENGTH as u32 });
        writer.u32(interface.index);
        writer.u32(interface.capability.bits());
        writer.zeros(4);
        writer.u64(interface.link_speed);
        put_address(&mut writer, interface.address);
    }
    writer.into_bytes().freeze()
}

/// SOCKADDR_STORAGE: family, port 0, and the address in network order (MS-SMB2 2.2.32.5.1).
fn put_address(writer: &mut Writer, address: IpAddr) {
    let end = writer.position() + SOCKET_ADDRESS_LENGTH;
    match address {
        IpAddr::V4(address) => {
            writer.u16(FAMILY_IPV4);
            writer.zeros(2);
            writer.put(&address.octets());
        }
        IpAddr::V6(address) => {
            writer.u16(FAMILY_IPV6);
            writer.zeros(6);
            writer.put(&address.octets());
        }
    }
    writer.zeros(end - writer.position());
}

/// Decodes the answer, for a client. Elements of other families of addresses are left out.
#[cfg(any(test, feature = "client"))]
pub fn decode_interfaces(bytes: &Bytes) -> Result<Vec<NetworkInterface>, Malformed> {
    let mut interfaces = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let mut reader = Reader::new(rest.clone());
        let next = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let (index, capability) = (reader.u32()?, InterfaceCapability::from_bits_retain(reader.u32()?));
        reader.skip(4)?;
        let link_speed = reader.u64()?;
        if let Some(address) = read_address(&mut reader)? {
            interfaces.push(NetworkInterface { index, capability, link_speed, address });
        }
        if next == 0 {
            break;
        }
        if next < INTERFACE_LENGTH {
            return Err(Malformed);
        }
        let rest_length = rest.len().checked_sub(next).ok_or(Malformed)?;
        rest = range(&rest, next as u64, rest_length as u64)?;
    }
    Ok(interfaces)
}

#[cfg(any(test, feature = "client"))]
fn read_address(reader: &mut Reader) -> Result<Option<IpAddr>, Malformed> {
    let mut reader = Reader::new(reader.take(SOCKET_ADDRESS_LENGTH)?);
    let family = reader.u16()?;
    reader.skip(2)?;
    match family {
        FAMILY_IPV4 => Ok(Some(Ipv4Addr::from(reader.array::<4>()?).into())),
        FAMILY_IPV6 => {
            reader.skip(4)?;
            Ok(Some(Ipv6Addr::from(reader.array::<16>()?).into()))
        }
        _ => Ok(None),
    }
}

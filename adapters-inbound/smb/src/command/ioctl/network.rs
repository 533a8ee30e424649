//! FSCTL_QUERY_NETWORK_INTERFACE_INFO (MS-SMB2, 3.3.5.15.11): where clients may open further connections of a session.

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus,
    control::{InterfaceCapability, NetworkInterface, encode_interfaces},
    ioctl::IoctlRequest,
    negotiate::Capabilities,
};

use super::whole;
use crate::{calls::Call, failure::Failure};

/// The true speed is not known: every machine has this.
const LINK_BITS_PER_SECOND: u64 = 1_000_000_000;

/// Names the address that the client has reached, and no other: it may be the only one that it can reach. Without a
/// word of several queues, so that clients do not open more connections of their own accord.
pub(super) fn interfaces(call: &Call, request: &IoctlRequest) -> Result<Bytes, Failure> {
    let has_channels = |capabilities: Capabilities| capabilities.contains(Capabilities::MULTI_CHANNEL);
    if !call.link.terms().is_some_and(|terms| has_channels(terms.capabilities)) {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let address = call.link.local.get().copied().ok_or(NtStatus::NOT_SUPPORTED)?;
    let interface = NetworkInterface {
        index: 1,
        capability: InterfaceCapability::empty(),
        link_speed: LINK_BITS_PER_SECOND,
        address,
    };
    whole(encode_interfaces(&[interface]), request, NtStatus::BUFFER_TOO_SMALL)
}

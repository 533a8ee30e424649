//! Who calls, as the services are told.

use std::net::IpAddr;

use dittofs_domain::{ClientId, Credentials};
use dittofs_ports::Presented;

use crate::rpc::{Call, Credential};

/// What a call shows of who sent it.
pub(crate) fn presented(call: &Call) -> Presented {
    let address = call.peer.ip().to_canonical();
    let identity = match &call.credential {
        Credential::Sys(sys) => Some(Credentials { uid: sys.uid, gid: sys.gid, groups: sys.gids.clone() }),
        Credential::None | Credential::Unknown(_) | Credential::Malformed => None,
    };
    let client = match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => xxhash_rust::xxh3::xxh3_64(&address.octets()),
    };
    Presented { identity, address, port: call.peer.port(), client: ClientId(client) }
}

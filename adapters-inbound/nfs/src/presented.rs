//! Who calls, as the services see it.

use dittofs_domain::{ClientId, Credentials};
use dittofs_ports::Presented;

use crate::rpc::{Call, Credential};

/// Returns what a call shows of its sender.
pub(crate) fn presented(call: &Call) -> Presented {
    let address = call.peer.ip().to_canonical();
    let identity = match &call.credential {
        Credential::Sys(sys) => Some(Credentials { uid: sys.uid, gid: sys.gid, groups: sys.gids.clone() }),
        Credential::None | Credential::Unknown(_) | Credential::Malformed => None,
    };
    Presented { identity, address, port: call.peer.port(), client: ClientId::Nfs3(address) }
}

//! Kinds of changes that were refused.

use std::net::{IpAddr, Ipv6Addr};

use crate::logging::fields::Fields;

/// The result that a successful change reports.
const SUCCESS: &str = "OK";
/// One machine has all addresses of such a network.
const IPV6_PREFIX_BITS: u32 = 64;

/// The properties that refused changes of a kind have in common. The user is not among them: a client may name any
/// user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refusal {
    /// An address, or a network of IPv6 addresses.
    pub(super) client: String,
    pub(super) procedure: String,
    pub(super) share: String,
    /// The error with which it was refused.
    pub(super) result: String,
}

impl Refusal {
    /// None of a change that succeeded.
    pub(super) fn of(fields: &Fields) -> Option<Self> {
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let result = text("result");
        let is_refused = result != SUCCESS;
        is_refused.then(|| Self {
            client: machine_of(text("client")),
            procedure: text("procedure"),
            share: text("share"),
            result,
        })
    }
}

/// The addresses that a client can take as it likes, written as a network.
fn machine_of(client: String) -> String {
    match client.parse() {
        Ok(IpAddr::V6(address)) => {
            let network = address.to_bits() & (u128::MAX << (128 - IPV6_PREFIX_BITS));
            format!("{}/{IPV6_PREFIX_BITS}", Ipv6Addr::from_bits(network))
        }
        Ok(IpAddr::V4(_)) | Err(_) => client,
    }
}

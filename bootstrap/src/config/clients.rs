//! The networks that may use a share.

use std::net::IpAddr;

use figment::value::Value;
use ipnet::IpNet;

use super::section::{Section, shown, text_of};

const CLIENTS_MAX: usize = 1024;
const FIX: &str = "write networks, such as [127.0.0.0/8, \"::1\", 192.168.1.0/24]";

/// Reads the list `clients`; this machine alone where it is absent.
pub(super) fn read(section: &mut Section<'_>) -> Vec<IpNet> {
    let given = section.has("clients");
    let Some(items) = section.take_list("clients") else {
        return if given { Vec::new() } else { loopback() };
    };
    if items.is_empty() {
        section.refuse("clients", "an empty list: nobody could use the share", FIX);
    } else if items.len() > CLIENTS_MAX {
        let found = format!("{} networks are more than {CLIENTS_MAX}", items.len());
        section.refuse("clients", found, "write fewer, larger networks");
    }
    let mut clients = Vec::new();
    for (at, item) in items.iter().take(CLIENTS_MAX).enumerate() {
        match network(item) {
            Ok(net) => clients.push(net),
            Err((found, better)) => {
                let fix = better.as_deref().unwrap_or(FIX);
                section.refuse(&format!("clients[{at}]"), found, fix);
            }
        }
    }
    clients
}

/// A network, or an address, which stands for itself alone. On failure: what was found, and a
/// better way to write it if there is one.
fn network(item: &Value) -> Result<IpNet, (String, Option<String>)> {
    let refuse = || (format!("{} is not a network", shown(item)), None);
    let text = text_of(item).ok_or_else(refuse)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let net: IpNet = text.parse().map_err(|_| refuse())?;
    match net.trunc() == net {
        true => Ok(net),
        false => Err((
            format!("{} has bits set behind its prefix", shown(item)),
            Some(format!("write {} or {}", net.trunc(), net.addr())),
        )),
    }
}

fn loopback() -> Vec<IpNet> {
    let parse = |text: &str| text.parse().ok();
    ["127.0.0.0/8", "::1/128"].into_iter().filter_map(parse).collect()
}

//! The section `adapters.nfs`.

use std::net::SocketAddr;
use std::time::Duration;

use dittofs_nfs::{NfsLimits, NfsOptions};

use super::{LISTEN_FIX, Switch};
use crate::config::section::Section;
use crate::config::size::ByteSize;

pub(in crate::config) fn read(mut section: Section<'_>) -> NfsOptions {
    let default = NfsOptions::default();
    let listen = section.take_parsed::<SocketAddr>("listen", LISTEN_FIX).unwrap_or(default.listen);
    let portmap_fix = "write off, or ADDRESS:PORT, such as 127.0.0.1:111";
    let portmap: Option<Switch> = section.take_parsed("portmap", portmap_fix);
    let portmap = portmap.and_then(|switch| switch.0);
    if portmap == Some(listen) && listen.port() != 0 {
        let found = format!("`{listen}` is where NFS listens already");
        section.refuse("portmap", found, portmap_fix);
    }
    let client_portmap = section.take_number("client_portmap", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let client_portmap = client_portmap.unwrap_or(default.client_portmap);
    let limits = read_limits(section.take_section("limits"), &default.limits);
    section.finish();
    NfsOptions { listen, portmap, client_portmap, limits }
}

fn read_limits(mut section: Section<'_>, default: &NfsLimits) -> NfsLimits {
    section.refuse_moved("connections", "it bounds the connections of all protocols", "adapters.limits.connections");
    let in_flight = section.take_number("in_flight", 1..=65_536).and_then(|number| usize::try_from(number).ok());
    let mut seconds = |name, default| section.take_number(name, 1..=3600).map_or(default, Duration::from_secs);
    let stall = seconds("stall_seconds", default.stall);
    let drain = seconds("drain_seconds", default.drain);
    let mut bytes = |name, min, default| bytes(&mut section, name, ByteSize::of(min), ByteSize::of(default));
    let in_flight_bytes = bytes("in_flight_bytes", NfsOptions::IN_FLIGHT_BYTES_MIN, default.in_flight_bytes);
    let reply_cache = bytes("reply_cache", NfsOptions::REPLY_CACHE_MIN, default.reply_cache);
    section.finish();
    NfsLimits { in_flight: in_flight.unwrap_or(default.in_flight), in_flight_bytes, reply_cache, stall, drain }
}

fn bytes(section: &mut Section<'_>, name: &'static str, min: ByteSize, default: ByteSize) -> usize {
    let fix = format!("write a size of at least {min}, such as {default}");
    let size = match section.take_parsed::<ByteSize>(name, &fix) {
        Some(size) if size < min => {
            section.refuse(name, format!("{size} is too small"), fix);
            default
        }
        size => size.unwrap_or(default),
    };
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

//! The protocols: where each listens, and its bounds.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::section::Section;
use super::size::ByteSize;

/// The section `adapters`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapters {
    /// NFS and MOUNT, on one port.
    pub nfs: NfsConfig,
    /// Monitoring.
    pub admin: AdminConfig,
    /// The bounds over the connections of all protocols.
    pub limits: SharedLimits,
}

/// The section `adapters.limits`. Where a number of connections is reached, the idlest makes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedLimits {
    /// Bytes of requests and replies in all; none: by the memory of the machine or the control group.
    pub memory: Option<ByteSize>,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one address.
    pub connections_per_address: usize,
    /// Connections at once that no share has answered a call of.
    pub strangers: usize,
    /// How long a connection may carry nothing.
    pub idle: Duration,
}

/// The section `adapters.admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where metrics and the state of the server can be read over HTTP; nowhere if absent. Port 0 takes any free one.
    pub listen: Option<SocketAddr>,
}

/// The section `adapters.nfs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NfsConfig {
    /// Where NFS and MOUNT are served; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where the built-in portmapper (version 2) is served; off if absent.
    pub portmap: Option<SocketAddr>,
    /// The bounds of what clients can make the server hold.
    pub limits: Limits,
}

/// The section `adapters.nfs.limits`. Beyond a bound of its connection a client waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one connection that run at once.
    pub in_flight: usize,
    /// Bytes of requests and replies that one connection holds.
    pub in_flight_bytes: ByteSize,
    /// Bytes of replies kept for requests that are sent again, over all clients.
    pub reply_cache: ByteSize,
    /// How long a peer may leave a frame unfinished or a reply untaken before it is dropped.
    pub stall: Duration,
    /// How long requests may go on after the signal to stop.
    pub drain: Duration,
}

const MIB: u64 = 1 << 20;
/// A few requests and replies of 1 MiB, and 150 connections with what is their own.
const MEMORY_MIN: ByteSize = ByteSize(16 * MIB);
const LISTEN_MEND: &str = "write ADDRESS:PORT, such as 127.0.0.1:12049 or \"[::1]:12049\"";

pub(super) fn read(mut section: Section<'_>) -> Adapters {
    section.refuse_unbuilt("smb", "shares are served over NFS only");
    let nfs = read_nfs(section.take_section("nfs"));
    let admin = read_admin(section.take_section("admin"));
    let limits = read_shared_limits(section.take_section("limits"));
    section.finish();
    Adapters { nfs, admin, limits }
}

fn read_shared_limits(mut section: Section<'_>) -> SharedLimits {
    let memory_mend = format!("write auto, or a size of at least {MEMORY_MIN}, such as 256MiB");
    let memory: Option<Memory> = section.take_parsed("memory", &memory_mend);
    let memory = memory.and_then(|memory| memory.0);
    if let Some(size) = memory.filter(|size| *size < MEMORY_MIN) {
        section.refuse("memory", format!("{size} is too small"), memory_mend);
    }
    let mut count = |name, max, default: usize| {
        let number = section.take_number(name, 1..=max);
        number.and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let connections = count("connections", 1_000_000, 1024);
    // So that one client leaves room for others.
    let connections_per_address = count("connections_per_address", 1_000_000, connections.div_ceil(2));
    let strangers = count("strangers", 1_000_000, 64);
    let idle = Duration::from_secs(count("idle_seconds", 86_400, 600) as u64);
    section.finish();
    SharedLimits { memory, connections, connections_per_address, strangers, idle }
}

fn read_admin(mut section: Section<'_>) -> AdminConfig {
    let mend = "write off, or ADDRESS:PORT, such as 127.0.0.1:9049";
    let listen: Option<Switch> = section.take_parsed("listen", mend);
    section.finish();
    AdminConfig { listen: listen.and_then(|switch| switch.0) }
}

fn read_nfs(mut section: Section<'_>) -> NfsConfig {
    let listen = section.take_parsed::<SocketAddr>("listen", LISTEN_MEND);
    let listen = listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 12_049)));
    let portmap_mend = "write off, or ADDRESS:PORT, such as 127.0.0.1:111";
    let portmap: Option<Switch> = section.take_parsed("portmap", portmap_mend);
    let portmap = portmap.and_then(|switch| switch.0);
    if portmap == Some(listen) && listen.port() != 0 {
        let found = format!("`{listen}` is where NFS listens already");
        section.refuse("portmap", found, portmap_mend);
    }
    let limits = read_limits(section.take_section("limits"));
    section.finish();
    NfsConfig { listen, portmap, limits }
}

fn read_limits(mut section: Section<'_>) -> Limits {
    section.refuse_moved("connections", "it bounds the connections of all protocols", "adapters.limits.connections");
    let mut count = |name, max, default: usize| {
        let number = section.take_number(name, 1..=max);
        number.and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let in_flight = count("in_flight", 65_536, 256);
    let stall = count("stall_seconds", 3600, 60);
    let drain = count("drain_seconds", 3600, 10);
    // A connection must be able to hold one transfer of 1 MiB and its headers, twice.
    let in_flight_bytes = bytes(&mut section, "in_flight_bytes", 4 * MIB, 32 * MIB);
    let reply_cache = bytes(&mut section, "reply_cache", MIB / 16, 24 * MIB);
    section.finish();
    Limits {
        in_flight,
        in_flight_bytes,
        reply_cache,
        stall: Duration::from_secs(stall as u64),
        drain: Duration::from_secs(drain as u64),
    }
}

fn bytes(section: &mut Section<'_>, name: &'static str, min: u64, default: u64) -> ByteSize {
    let (min, default) = (ByteSize(min), ByteSize(default));
    let mend = format!("write a size of at least {min}, such as {default}");
    match section.take_parsed::<ByteSize>(name, &mend) {
        Some(size) if size < min => {
            section.refuse(name, format!("{size} is too small"), mend);
            default
        }
        size => size.unwrap_or(default),
    }
}

/// `auto`, or a size.
struct Memory(Option<ByteSize>);

impl FromStr for Memory {
    type Err = <ByteSize as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Memory(None)),
            size => size.parse().map(|size| Memory(Some(size))),
        }
    }
}

/// `off`, or an address.
struct Switch(Option<SocketAddr>);

impl FromStr for Switch {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Switch(None)),
            address => address.parse().map(|address| Switch(Some(address))),
        }
    }
}

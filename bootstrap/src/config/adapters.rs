//! The protocols, monitoring, and the bounds over all of them.

pub(super) mod nfs;
pub(super) mod smb;

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use dittofs_transport::{ConnectionBounds, IDLE_USUAL};

use super::protocols::{ProtocolConfig, Protocols};
use super::section::Section;
use super::size::ByteSize;

/// The section `adapters`.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapters {
    /// The protocols that are served, by the names of their sections.
    pub protocols: Vec<(String, ProtocolConfig)>,
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

const MIB: u64 = 1 << 20;
/// A few requests and replies of 1 MiB, and 150 connections with what is their own.
const MEMORY_MIN: ByteSize = ByteSize(16 * MIB);
const LISTEN_FIX: &str = "write ADDRESS:PORT, such as 127.0.0.1:12049 or \"[::1]:12049\"";

impl Adapters {
    /// The options of a protocol, if it is served and they are of this type.
    #[must_use]
    pub fn options<T: 'static>(&self, protocol: &str) -> Option<&T> {
        self.protocols.iter().find(|(name, _)| name == protocol)?.1.options()
    }
}

/// Sections that are no protocol's.
const RESERVED: [&str; 2] = ["admin", "limits"];

pub(super) fn read(mut section: Section<'_>, known: &Protocols) -> Adapters {
    let mut protocols = Vec::new();
    for (name, kind) in known.iter() {
        if RESERVED.contains(&name) {
            section.refuse(name, "this program adds a protocol of this name, which has another meaning", "rename it");
            continue;
        }
        let is_named = section.has(name);
        let of_protocol = section.take_section(name);
        if is_named || kind.is_default {
            protocols.extend(kind.read(of_protocol).map(|config| (name.to_owned(), config)));
        }
    }
    let admin = read_admin(section.take_section("admin"));
    let limits = read_shared_limits(section.take_section("limits"));
    section.finish();
    Adapters { protocols, admin, limits }
}

fn read_shared_limits(mut section: Section<'_>) -> SharedLimits {
    let memory_fix = format!("write auto, or a size of at least {MEMORY_MIN}, such as 256MiB");
    let memory: Option<Memory> = section.take_parsed("memory", &memory_fix);
    let memory = memory.and_then(|memory| memory.0);
    if let Some(size) = memory.filter(|size| *size < MEMORY_MIN) {
        section.refuse("memory", format!("{size} is too small"), memory_fix);
    }
    let mut count = |name, max, default: usize| {
        let number = section.take_number(name, 1..=max);
        number.and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let usual = ConnectionBounds::default();
    let connections = count("connections", 1_000_000, usual.all_max);
    // So that one client leaves room for others.
    let connections_per_address = count("connections_per_address", 1_000_000, connections.div_ceil(2));
    let strangers = count("strangers", 1_000_000, usual.unadmitted_max);
    let idle = section.take_number("idle_seconds", 1..=86_400).map_or(IDLE_USUAL, Duration::from_secs);
    section.finish();
    SharedLimits { memory, connections, connections_per_address, strangers, idle }
}

fn read_admin(mut section: Section<'_>) -> AdminConfig {
    let fix = "write off, or ADDRESS:PORT, such as 127.0.0.1:9049";
    let listen: Option<Switch> = section.take_parsed("listen", fix);
    section.finish();
    AdminConfig { listen: listen.and_then(|switch| switch.0) }
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

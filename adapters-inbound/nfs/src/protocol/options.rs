use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use dittofs_transport::Serving;

use crate::{duplicate::DuplicateLimits, portmap, transport::Limits};

const MIB: usize = 1 << 20;

/// The section `adapters.nfs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NfsOptions {
    /// Where NFS and MOUNT are served; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where the built-in portmapper (version 2) is served; off if absent.
    pub portmap: Option<SocketAddr>,
    /// The port of the portmapper at each client, which says where the client is told of its locks.
    pub client_portmap: u16,
    /// The bounds of what clients can make the server hold.
    pub limits: NfsLimits,
}

/// The section `adapters.nfs.limits`. Beyond a bound of its connection a client waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NfsLimits {
    /// Requests of one connection that run at once.
    pub in_flight: usize,
    /// Bytes of requests and replies that one connection holds.
    pub in_flight_bytes: usize,
    /// Bytes of replies kept for requests that are sent again, over all clients.
    pub reply_cache: usize,
    /// How long a peer may leave a frame unfinished or a reply untaken before it is dropped.
    pub stall: Duration,
    /// How long requests may go on after the signal to stop.
    pub drain: Duration,
}

impl NfsOptions {
    /// The least of `in_flight_bytes`: one transfer of 1 MiB and its headers, twice.
    pub const IN_FLIGHT_BYTES_MIN: usize = 4 * MIB;
    /// The least of `reply_cache`. Room for the last hundred replies or so.
    pub const REPLY_CACHE_MIN: usize = MIB / 16;

    /// The keys that differ and can't be changed while clients are served.
    pub(super) fn needing_restart(&self, newer: &NfsOptions) -> Vec<&'static str> {
        // All fields are named, so that none that is new is forgotten.
        let NfsOptions { listen, portmap, client_portmap, limits } = self;
        let NfsLimits { in_flight, in_flight_bytes, reply_cache, stall, drain: _ } = limits;
        let differ = [
            ("listen", *listen != newer.listen),
            ("portmap", *portmap != newer.portmap),
            ("client_portmap", *client_portmap != newer.client_portmap),
            ("limits.in_flight", *in_flight != newer.limits.in_flight),
            ("limits.in_flight_bytes", *in_flight_bytes != newer.limits.in_flight_bytes),
            ("limits.reply_cache", *reply_cache != newer.limits.reply_cache),
            ("limits.stall_seconds", *stall != newer.limits.stall),
        ];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// The bounds of a connection.
    pub(super) fn limits(&self, serving: &Serving) -> Limits {
        Limits {
            calls_in_flight_max: self.limits.in_flight,
            bytes_in_flight_max: self.limits.in_flight_bytes,
            slow_reader_timeout: self.limits.stall,
            partial_record_timeout: self.limits.stall,
            admission_timeout: self.limits.stall,
            idle_timeout: serving.idle,
            ..Limits::default()
        }
    }

    /// The bounds of the duplicate-request cache.
    pub(super) fn duplicates(&self) -> DuplicateLimits {
        DuplicateLimits { bytes_max: self.limits.reply_cache, ..DuplicateLimits::default() }
    }
}

impl Default for NfsOptions {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 12_049));
        NfsOptions { listen, portmap: None, client_portmap: portmap::PORT, limits: NfsLimits::default() }
    }
}

impl Default for NfsLimits {
    /// The default bounds of a connection and of the cache.
    fn default() -> Self {
        let limits = Limits::default();
        NfsLimits {
            in_flight: limits.calls_in_flight_max,
            in_flight_bytes: limits.bytes_in_flight_max,
            reply_cache: DuplicateLimits::default().bytes_max,
            stall: limits.slow_reader_timeout,
            // With the minute of the last flush still within the 90 s after which systemd kills.
            drain: Duration::from_secs(10),
        }
    }
}

use std::time::Duration;

use dittofs_transport::IDLE_USUAL;

/// The bounds of one connection. What exceeds one is refused, waits, or is closed; other connections always go on. What all
/// connections share is bounded by [`dittofs_transport::Bounds`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls of one connection that are being carried out. Nothing more is read meanwhile.
    pub calls_in_flight_max: usize,
    /// Bytes of the calls, and of the replies that they will get, of one connection. A single call may exceed it.
    pub bytes_in_flight_max: usize,
    /// The longest record. A longer one closes the connection.
    pub record_bytes_max: usize,
    /// Bytes of replies that one connection's client hasn't taken yet. Nothing more is read meanwhile.
    pub output_bytes_max: usize,
    /// How long a client may take hardly anything of the replies that wait for it: less than 64 KiB.
    pub slow_reader_timeout: Duration,
    /// How long a record may take from its first byte to its last.
    pub partial_record_timeout: Duration,
    /// The same two where other connections wait for memory that the slow one holds.
    pub timeout_when_short: Duration,
    /// How long the slow one may move nothing at all then, or less than a KiB.
    pub stall_when_short: Duration,
    /// How long a connection may carry nothing.
    pub idle_timeout: Duration,
    /// How long a connection may go on from its beginning until a share answers a call of it, whatever else it carries.
    pub admission_timeout: Duration,
    /// How long a connection may keep its front before others have their turn.
    pub slice: Duration,
}

/// The longest READ or WRITE: what Linux asks for at most. A longer one would keep a front, and memory, for longer at a
/// time, and save little more of what a call costs.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// The bytes that an RPC header and the arguments beside a payload may take. A credential and a verifier have at most
/// 400 bytes each, two names and handles less than 2.5 KiB.
const HEADER_BYTES_MAX: usize = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_in_flight_max: 256,
            bytes_in_flight_max: 32 << 20,
            record_bytes_max: PAYLOAD_BYTES_MAX + HEADER_BYTES_MAX,
            output_bytes_max: 8 << 20,
            slow_reader_timeout: Duration::from_secs(60),
            // A MiB in this time is 17 KiB/s, slower than any network that NFS is used over.
            partial_record_timeout: Duration::from_secs(60),
            // Longer than a link takes that lost packets, or a guest that was moved to another host.
            timeout_when_short: Duration::from_secs(5),
            // Several retransmissions of TCP. Those who wait are served in turn, so that each that stands still delays all
            // behind it by so long.
            stall_when_short: Duration::from_secs(1),
            idle_timeout: IDLE_USUAL,
            admission_timeout: Duration::from_secs(60),
            // A hundred small calls and more, so that their replies leave together; a hundred connections at work on
            // one front are then gone through in 50 ms.
            slice: Duration::from_micros(500),
        }
    }
}

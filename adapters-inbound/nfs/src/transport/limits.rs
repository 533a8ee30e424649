use std::time::Duration;

/// The bounds of the transport. What exceeds one is refused, waits, or is closed; other connections always go on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; further ones are closed at once.
    pub connections_max: usize,
    /// Calls of one connection that are being carried out. Nothing more is read meanwhile.
    pub calls_in_flight_max: usize,
    /// Bytes of the calls, and of the replies that they will get, of one connection. A single call may exceed it.
    pub bytes_in_flight_max: usize,
    /// The longest record. A longer one closes the connection.
    pub record_bytes_max: usize,
    /// Bytes of replies that one connection's client hasn't taken yet. Nothing more is read meanwhile.
    pub output_bytes_max: usize,
    /// How long a client may take nothing of the replies that wait for it.
    pub slow_reader_timeout: Duration,
    /// How long a record may stand still half received.
    pub partial_record_timeout: Duration,
}

/// The longest READ or WRITE.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// What an RPC header and the arguments beside a payload may take.
const HEADER_BYTES_MAX: usize = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            calls_in_flight_max: 256,
            bytes_in_flight_max: 32 << 20,
            record_bytes_max: PAYLOAD_BYTES_MAX + HEADER_BYTES_MAX,
            output_bytes_max: 8 << 20,
            slow_reader_timeout: Duration::from_secs(60),
            partial_record_timeout: Duration::from_secs(60),
        }
    }
}

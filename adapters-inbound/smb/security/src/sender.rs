//! The two sides of a session.

/// Which side makes a message. The sides of NTLM have keys of their own, and those of SMB2 nonces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The side that logs in.
    Client,
    /// The side that is logged in to.
    Server,
}

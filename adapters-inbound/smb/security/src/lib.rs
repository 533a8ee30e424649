//! Authentication and cryptography of a server of SMB2 and SMB3: who a client is, and what keeps its messages intact
//! and secret.
//!
//! | module | what it does | standard |
//! | --- | --- | --- |
//! | [`spnego`] | negotiates the mechanism; [`spnego::Acceptor`] is what a server drives | RFC 4178, MS-SPNG |
//! | [`ntlm`] | NTLM version 2, the server's side | MS-NLMP |
//! | [`keys`] | derives the keys of a session from its session key | MS-SMB2 3.1.4.2, SP800-108 |
//! | [`preauth`] | hashes the messages that come before the keys | MS-SMB2 3.3.5.4, 3.3.5.5 |
//! | [`signing`] | signs messages and checks signatures | MS-SMB2 3.1.4.1, 3.1.5.1 |
//! | [`sealing`] | encrypts and decrypts messages | MS-SMB2 3.1.4.3, 2.2.41 |
//!
//! Everything here is a function of its arguments: the crate does no I/O, reads no clock and draws no random bytes.
//! Bytes that come from a client are only ever read within bounds; they cannot make a function panic, allocate more
//! than they are long, or loop.
//!
//! Secrets are overwritten when they are dropped, and never print. One exception is outside of this crate's reach: the
//! key schedules inside `ring` are freed as they are.

#![deny(missing_docs)]

mod crypto_failure;
mod file_time;
pub mod fuzz;
#[cfg(test)]
mod hex;
pub mod keys;
pub mod ntlm;
pub mod preauth;
mod refusal;
pub mod sealing;
mod secrets;
mod sender;
pub mod signing;
pub mod spnego;
#[cfg(test)]
mod windows_session;

pub use crypto_failure::CryptoFailure;
pub use file_time::FileTime;
pub use refusal::Refusal;
pub use secrets::{NtHash, SessionKey};
pub use sender::Sender;

//! NTLM version 2, the server's side (MS-NLMP), as a chain of states: [`challenge`] answers the client's first message
//! with an [`Exchange`], which reads the client's second message as a [`Logon`], whose [`Authentication`] names the
//! user. The caller looks up the hash of the user's password, in its own time, and [`Authentication::verify`] decides.
//!
//! # What is checked
//! - The proof string, always, and in constant time. The client cannot switch that off.
//! - The message integrity code over all three messages, if the client says that it sent one. The flag that says so is
//!   covered by the proof string.
//! - That the response repeats every name and the time of the challenge's target information. MS-NLMP demands of the
//!   client that it copies them (3.1.5.1.2), and nothing of the server; it may append pairs of its own. Samba's
//!   server compares pair by pair, in any order, since 2016, and so does this one. A response that was made for
//!   another server is refused that way, even by a client that sends no integrity code.
//!
//! NTLM version 1 and LAN Manager responses are refused. Not supported: channel bindings, and the clients that compute
//! the response as if the domain was empty while they send one (MS-NLMP 3.2.5.1.2).

mod authentication;
pub(crate) mod av_pairs;
pub(crate) mod challenge_message;
#[cfg(any(test, feature = "client"))]
pub mod client;
mod exchange;
pub(crate) mod flags;
pub(crate) mod message;
mod response;
mod session_security;
mod target_names;
mod upper_case;

pub(crate) mod authenticate_message;
pub(crate) mod negotiate_message;

pub use authentication::{Authentication, Identity, Verified};
pub use exchange::{Exchange, Logon, challenge};
pub use message::is_ntlm;
pub use session_security::SessionSecurity;
pub use target_names::{InvalidName, TargetNames};

#[cfg(test)]
mod tests;

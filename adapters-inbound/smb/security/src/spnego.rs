//! Negotiation of the mechanism (RFC 4178, MS-SPNG), and the server's whole login exchange: [`Acceptor`].
//!
//! The server's own offer, [`negotiate_token`], goes into the SMB2 NEGOTIATE response. Clients answer with a list of
//! mechanisms in the order of their preference, and often with a first token of the first mechanism. NTLM is the only
//! mechanism here. Where the client prefers another one, such as Kerberos, the acceptor passes over that token and
//! names NTLM. It then demands the integrity code over the list of mechanisms. Without the code, an attacker on the
//! way could make the client fall back to NTLM unnoticed.

mod acceptor;
pub(crate) mod der;
#[cfg(any(test, feature = "client"))]
pub mod initiator;
mod mechanism;
pub(crate) mod neg_token_init;
pub(crate) mod neg_token_resp;
mod pending;

pub use acceptor::{Acceptor, Step};
pub use mechanism::Mechanism;
pub use neg_token_init::negotiate_token;
pub use pending::{Accepted, Pending};

#[cfg(test)]
mod tests;

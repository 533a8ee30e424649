//! Why an authentication was refused.

use thiserror::Error;

/// Why an authentication was refused.
///
/// A server answers with an NT status. [`Refusal::Credentials`] and [`Refusal::ObsoleteResponse`] go with
/// STATUS_LOGON_FAILURE, all others with STATUS_INVALID_PARAMETER.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// The token cannot be read.
    #[error("the token cannot be read")]
    Malformed,
    /// The token is not the one that comes next, or the exchange is already over.
    #[error("the token does not belong at this point of the exchange")]
    OutOfSequence,
    /// The client offers no mechanism that this server has.
    #[error("the client offers no mechanism that the server has")]
    NoCommonMechanism,
    /// The client speaks no Unicode.
    #[error("the client does not support Unicode")]
    NoUnicode,
    /// The response is of NTLM version 1 or of LAN Manager, both of which are broken.
    #[error("the client answers with NTLM version 1 or LAN Manager")]
    ObsoleteResponse,
    /// The response does not repeat the names and the time that the challenge held: it was made for another server.
    #[error("the response was made for another server")]
    ForeignTarget,
    /// There is no such user, or the password is wrong. The two look alike on purpose.
    #[error("the user is unknown or the password is wrong")]
    Credentials,
    /// A message was changed on its way, or an integrity check that must be there is missing.
    #[error("the integrity of the exchange is violated")]
    Integrity,
}

//! The flags that both sides negotiate (MS-NLMP 2.2.2.5).

/// Text is UTF-16LE.
pub(crate) const UNICODE: u32 = 1 << 0;
/// The client wants to know the server's name.
pub(crate) const REQUEST_TARGET: u32 = 1 << 2;
/// Messages of the session are signed.
pub(crate) const SIGN: u32 = 1 << 4;
/// Messages of the session are encrypted.
pub(crate) const SEAL: u32 = 1 << 5;
/// The protocol is NTLM. Always set.
pub(crate) const NTLM: u32 = 1 << 9;
/// Messages carry a signature, even if it is made of nothing.
pub(crate) const ALWAYS_SIGN: u32 = 1 << 15;
/// The target name is that of a server, not of a domain.
pub(crate) const TARGET_TYPE_SERVER: u32 = 1 << 17;
/// Signing and sealing as NTLM version 2 has them.
pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 1 << 19;
/// The challenge holds target information.
pub(crate) const TARGET_INFO: u32 = 1 << 23;
/// The message has a version field.
pub(crate) const VERSION: u32 = 1 << 25;
/// Sealing keys have 128 bits.
pub(crate) const KEY_128: u32 = 1 << 29;
/// The client chooses the session key.
pub(crate) const KEY_EXCHANGE: u32 = 1 << 30;
/// Sealing keys have 56 bits.
pub(crate) const KEY_56: u32 = 1 << 31;

/// Those that the server grants if the client asks for them.
const GRANTED: u32 = UNICODE
    | REQUEST_TARGET
    | SIGN
    | SEAL
    | ALWAYS_SIGN
    | EXTENDED_SESSION_SECURITY
    | VERSION
    | KEY_128
    | KEY_EXCHANGE
    | KEY_56;

/// The flags of the challenge, given those of the client's first message (MS-NLMP 3.2.5.1.1).
pub(crate) fn of_challenge(asked: u32) -> u32 {
    (asked & GRANTED) | NTLM | TARGET_TYPE_SERVER | TARGET_INFO
}

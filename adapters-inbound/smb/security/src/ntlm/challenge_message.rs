//! The server's message (MS-NLMP 2.2.1.2).

use super::{
    flags,
    message::{Builder, utf16},
};

/// MessageType of a CHALLENGE_MESSAGE.
pub(crate) const TYPE: u32 = 2;
/// Bytes in front of the payload.
const FIXED_LENGTH: usize = 56;

/// Version 6.1 of the system, revision 15 of NTLM (MS-NLMP 2.2.2.10). Only tools for debugging look at the former.
pub(crate) const VERSION: [u8; 8] = [6, 1, 0, 0, 0, 0, 0, 15];

/// Writes the message.
pub(crate) fn encode(granted: u32, target_name: &str, server_challenge: [u8; 8], target_info: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(TYPE, FIXED_LENGTH);
    let target_name = if granted & flags::REQUEST_TARGET == 0 { "" } else { target_name };
    builder.put_payload(&utf16(target_name));
    builder.put(&granted.to_le_bytes());
    builder.put(&server_challenge);
    builder.put(&[0; 8]);
    builder.put_payload(target_info);
    builder.put(&if granted & flags::VERSION == 0 { [0; 8] } else { VERSION });
    builder.build()
}

//! The NEGOTIATE of SMB 1, by which old clients ask whether there is anything newer (MS-SMB2, 3.3.5.3).

use dittofs_smb_security::signing::SigningAlgorithm;
use dittofs_smb_wire::{
    Command, Header, NtStatus, OutgoingMessage,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, NegotiateResponse, SecurityMode},
    smb1::MultiProtocolNegotiate,
};

use super::response;
use crate::{
    link::Link,
    negotiation::{ClientTerms, LARGE_IO_BYTES_MAX, Terms, security_mode},
};

/// Answers it; none if it offers nothing that is spoken here: the connection is to be closed.
pub(crate) fn multi_protocol(link: &Link, offered: &MultiProtocolNegotiate) -> Option<OutgoingMessage> {
    if link.terms().is_some() {
        return None;
    }
    let options = &link.server.options;
    let is_open = offered.offers(MultiProtocolNegotiate::SMB_2_WILDCARD) && options.dialect_max > Dialect::SMB_2_0_2.0;
    let dialect = match is_open {
        // The client negotiates once more, by SMB 2.
        true => Dialect::SMB_2_WILDCARD,
        false if offered.offers(MultiProtocolNegotiate::SMB_2_002) && options.allows(Dialect::SMB_2_0_2) => {
            Dialect::SMB_2_0_2
        }
        false => return None,
    };
    let credits = {
        let mut window = link.window.lock();
        window.take(0, 1).then(|| window.grant(1))?
    };
    let client =
        ClientTerms { guid: Guid([0; 16]), capabilities: Capabilities::empty(), security_mode: SecurityMode::empty() };
    let terms = Terms {
        dialect,
        signing: SigningAlgorithm::HmacSha256,
        cipher: None,
        capabilities: Capabilities::empty(),
        security_mode: security_mode(options),
        client,
    };
    let mut body = response(link, &terms);
    if is_open {
        let large = LARGE_IO_BYTES_MAX;
        body = NegotiateResponse { max_transact_size: large, max_read_size: large, max_write_size: large, ..body };
    } else {
        link.set_terms(terms, link.preauth());
    }
    let header = Header::request(Command::NEGOTIATE, 0).response(NtStatus::SUCCESS, credits);
    Some(OutgoingMessage::new(&header, &body))
}

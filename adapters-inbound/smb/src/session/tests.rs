//! Sessions and messages for tests of what protects them.

use std::sync::Arc;

use dittofs_domain::{Credentials, users::UserName};
use dittofs_smb_security::{Sender, SessionKey, preauth::PreauthHash, sealing::Cipher, signing::SigningAlgorithm};
use dittofs_smb_wire::{
    Command, Header, Message, OutgoingMessage, Response,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, SecurityMode},
};

use crate::{
    client::Clients,
    holdings::Holdings,
    negotiation::{ClientTerms, Terms},
    session::{Keys, Session, User},
};

/// A session that demands of messages to be signed, and to be sealed.
pub(crate) fn session(id: u64, must: (bool, bool)) -> Arc<Session> {
    let (capabilities, security_mode) = (Capabilities::empty(), SecurityMode::SIGNING_ENABLED);
    let terms = Terms {
        dialect: Dialect::SMB_3_1_1,
        signing: SigningAlgorithm::AesGmac,
        cipher: Some(Cipher::Aes128Gcm),
        capabilities,
        security_mode,
        client: ClientTerms { guid: Guid([1; 16]), capabilities, security_mode },
    };
    let key = SessionKey::new(&id.to_le_bytes().repeat(2));
    let keys = Keys::derive(&terms, id, (&key, &PreauthHash::new()), must).unwrap();
    let name = UserName::new("alice").unwrap();
    let holding = Holdings::default().of(&name);
    let user = User { name, credentials: Credentials::root() };
    let client = Clients::default().enter(terms.client.guid);
    Arc::new(Session::new(id, (user, client, holding), (keys, Arc::new(terms)), (1, 1)))
}

/// A request, signed by a session's key or not.
pub(crate) fn message(signed_by: Option<&Session>) -> Message {
    let (mut head, _) =
        OutgoingMessage::new(&Header::request(Command::SESSION_SETUP, 7), &Response::Empty).into_parts();
    if let Some(session) = signed_by {
        session.keys.signer.sign(Sender::Client, &mut head, &[]).unwrap();
    }
    Message { header: Header::decode(&head).unwrap(), bytes: head.freeze() }
}

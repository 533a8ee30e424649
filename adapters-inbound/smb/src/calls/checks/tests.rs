use std::sync::Arc;

use dittofs_domain::{Credentials, users::UserName};
use dittofs_smb_security::{Sender, SessionKey, preauth::PreauthHash, sealing::Cipher, signing::SigningAlgorithm};
use dittofs_smb_wire::{
    Command, Header, Message, NtStatus, OutgoingMessage, Response,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, SecurityMode},
};

use super::{demand_signature, demand_trust};
use crate::{
    holdings::Holdings,
    negotiation::{ClientTerms, Terms},
    session::{Keys, Session, User},
};

/// A session that demands of messages to be signed, and to be sealed.
fn session(id: u64, must: (bool, bool)) -> Arc<Session> {
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
    Arc::new(Session::new((id, user, keys), holding, (1, 1)))
}

/// A request, signed by a session's key or not.
fn message(signed_by: Option<&Session>) -> Message {
    let (mut head, _) =
        OutgoingMessage::new(&Header::request(Command::SESSION_SETUP, 7), &Response::Empty).into_parts();
    if let Some(session) = signed_by {
        session.keys.signer.sign(Sender::Client, &mut head, &[]).unwrap();
    }
    Message { header: Header::decode(&head).unwrap(), bytes: head.freeze() }
}

const DENIED: Result<(), NtStatus> = Err(NtStatus::ACCESS_DENIED);

#[test]
fn a_new_logon_of_a_protected_session_has_to_be_signed_or_sealed_by_it() {
    for must in [(true, false), (false, true), (true, true)] {
        let (own, other) = (session(1, must), session(2, must));
        assert_eq!(demand_signature(&own, &message(None), &None), DENIED, "{must:?}");
        assert_eq!(demand_signature(&own, &message(Some(&other)), &None), DENIED);
        assert_eq!(demand_signature(&own, &message(Some(&own)), &None), Ok(()));
        assert_eq!(demand_signature(&own, &message(None), &Some(Arc::clone(&other))), DENIED);
        assert_eq!(demand_signature(&own, &message(None), &Some(Arc::clone(&own))), Ok(()));
    }
}

#[test]
fn where_no_protection_is_demanded_a_signature_still_has_to_be_right() {
    let (own, other) = (session(1, (false, false)), session(2, (false, false)));
    assert_eq!(demand_signature(&own, &message(None), &None), Ok(()));
    assert_eq!(demand_signature(&own, &message(Some(&other)), &None), DENIED);
}

#[test]
fn a_signature_is_not_enough_for_other_requests_where_encryption_is_demanded() {
    let own = session(1, (false, true));
    assert_eq!(demand_trust(&own, &message(Some(&own)), &None), DENIED);
    assert_eq!(demand_trust(&own, &message(None), &Some(Arc::clone(&own))), Ok(()));
}

use dittofs_smb_security::sealing::Cipher;
use dittofs_smb_wire::{identifiers::Guid, negotiate::SecurityMode};
use rstest::rstest;

use super::*;
use crate::{
    negotiation::ClientTerms,
    session::tests::{message, session},
};

fn terms(dialect: Dialect, signing: SigningAlgorithm) -> Terms {
    let client = ClientTerms {
        guid: Guid::default(),
        capabilities: Capabilities::empty(),
        security_mode: SecurityMode::SIGNING_ENABLED,
    };
    Terms {
        dialect,
        signing,
        cipher: Some(Cipher::Aes128Gcm),
        capabilities: Capabilities::MULTI_CHANNEL,
        security_mode: SecurityMode::SIGNING_ENABLED,
        client,
    }
}

const GMAC: SigningAlgorithm = SigningAlgorithm::AesGmac;
const CMAC: SigningAlgorithm = SigningAlgorithm::AesCmac;
const HMAC: SigningAlgorithm = SigningAlgorithm::HmacSha256;

#[rstest]
#[case((Dialect::SMB_3_1_1, CMAC), (Dialect::SMB_3_1_1, HMAC), Ok(()))]
#[case((Dialect::SMB_3_1_1, GMAC), (Dialect::SMB_3_1_1, CMAC), Err(NtStatus::REQUEST_OUT_OF_SEQUENCE))]
#[case((Dialect::SMB_3_1_1, GMAC), (Dialect::SMB_2_1, HMAC), Err(NtStatus::REQUEST_OUT_OF_SEQUENCE))]
#[case((Dialect::SMB_2_1, HMAC), (Dialect::SMB_3_1_1, GMAC), Err(NtStatus::NOT_SUPPORTED))]
#[case((Dialect::SMB_3_0, CMAC), (Dialect::SMB_2_1, HMAC), Err(NtStatus::REQUEST_NOT_ACCEPTED))]
#[case((Dialect::SMB_3_0_2, CMAC), (Dialect::SMB_3_1_1, CMAC), Err(NtStatus::INVALID_PARAMETER))]
fn terms_of_both_must_fit(
    #[case] (session, session_signs): (Dialect, SigningAlgorithm),
    #[case] (link, link_signs): (Dialect, SigningAlgorithm),
    #[case] expected: Result<(), NtStatus>,
) {
    assert_eq!(demand_fit(&terms(session, session_signs), &terms(link, link_signs)), expected);
}

#[test]
fn ciphers_must_be_the_same() {
    let session = terms(Dialect::SMB_3_1_1, CMAC);
    let link = Terms { cipher: Some(Cipher::Aes128Ccm), ..session.clone() };
    assert_eq!(demand_fit(&session, &link), Err(NtStatus::INVALID_PARAMETER));
}

/// What becomes of a SESSION_SETUP for a session, signed and sealed by sessions or not.
fn logon(own: &Session, signed_by: Option<&Session>, sealed_by: Option<&Session>) -> Result<(), NtStatus> {
    let signer = signed_by.map(|_| &*own.keys.signer);
    demand_signature(Some(own), signer, &message(signed_by), sealed_by)
}

const DENIED: Result<(), NtStatus> = Err(NtStatus::ACCESS_DENIED);

#[test]
fn a_new_logon_of_a_protected_session_has_to_be_signed_or_sealed_by_it() {
    for must in [(true, false), (false, true), (true, true)] {
        let (own, other) = (session(1, must), session(2, must));
        assert_eq!(logon(&own, None, None), DENIED, "{must:?}");
        assert_eq!(logon(&own, Some(&other), None), DENIED);
        assert_eq!(logon(&own, Some(&own), None), Ok(()));
        assert_eq!(logon(&own, None, Some(&other)), DENIED);
        assert_eq!(logon(&own, None, Some(&own)), Ok(()));
    }
}

#[test]
fn where_no_protection_is_demanded_a_signature_still_has_to_be_right() {
    let (own, other) = (session(1, (false, false)), session(2, (false, false)));
    assert_eq!(logon(&own, None, None), Ok(()));
    assert_eq!(logon(&own, Some(&other), None), DENIED);
}

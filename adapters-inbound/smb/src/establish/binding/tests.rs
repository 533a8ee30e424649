use dittofs_smb_security::sealing::Cipher;
use dittofs_smb_wire::{identifiers::Guid, negotiate::SecurityMode};
use rstest::rstest;

use super::*;
use crate::negotiation::ClientTerms;

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

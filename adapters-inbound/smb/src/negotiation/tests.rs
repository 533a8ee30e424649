use dittofs_smb_security::{sealing::Cipher, signing::SigningAlgorithm};
use dittofs_smb_wire::{
    NtStatus,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, NegotiateContext, NegotiateRequest, SecurityMode, algorithms},
};

use super::{DIALECTS, Terms, negotiate};
use crate::protocol::{Encryption, SmbOptions};

fn request(dialects: &[Dialect], contexts: Vec<NegotiateContext>) -> NegotiateRequest {
    NegotiateRequest {
        security_mode: SecurityMode::SIGNING_ENABLED,
        capabilities: Capabilities::ENCRYPTION | Capabilities::LARGE_MTU,
        client_guid: Guid([7; 16]),
        dialects: dialects.to_vec(),
        contexts,
    }
}

fn preauth() -> NegotiateContext {
    NegotiateContext::PreauthIntegrity {
        hash_algorithms: vec![algorithms::HashAlgorithm::SHA_512],
        salt: vec![1; 32].into(),
    }
}

fn terms(options: &SmbOptions, request: &NegotiateRequest) -> Result<Terms, NtStatus> {
    negotiate(options, request, [0; 32]).map(|(terms, _)| terms)
}

#[test]
fn the_newest_common_dialect_is_chosen() {
    for (at, dialect) in DIALECTS.into_iter().enumerate() {
        let offered: Vec<Dialect> = DIALECTS[at..].iter().rev().copied().collect();
        let terms = terms(&SmbOptions::default(), &request(&offered, vec![preauth()])).unwrap();
        assert_eq!(terms.dialect, dialect);
        assert_eq!(terms.capabilities.contains(Capabilities::LARGE_MTU), dialect != Dialect::SMB_2_0_2);
        assert_eq!(terms.capabilities.contains(Capabilities::LEASING), dialect != Dialect::SMB_2_0_2);
        assert_eq!(terms.capabilities.contains(Capabilities::MULTI_CHANNEL), dialect.0 >= Dialect::SMB_3_0.0);
    }
    let old = SmbOptions { dialect_max: Dialect::SMB_2_1.0, ..SmbOptions::default() };
    assert_eq!(terms(&old, &request(&DIALECTS, vec![preauth()])).unwrap().dialect, Dialect::SMB_2_1);
    let new = SmbOptions { dialect_min: Dialect::SMB_3_0.0, ..SmbOptions::default() };
    assert_eq!(terms(&new, &request(&[Dialect::SMB_2_1], Vec::new())).unwrap_err(), NtStatus::NOT_SUPPORTED);
}

#[test]
fn leases_of_directories_are_offered_to_clients_of_smb_3_that_know_them() {
    for dialect in DIALECTS {
        let old = request(&[dialect], vec![preauth()]);
        let knows =
            NegotiateRequest { capabilities: old.capabilities | Capabilities::DIRECTORY_LEASING, ..old.clone() };
        let offered = |request| terms(&SmbOptions::default(), request).unwrap().capabilities;
        assert!(!offered(&old).contains(Capabilities::DIRECTORY_LEASING));
        let is_new = dialect.0 >= Dialect::SMB_3_0.0;
        assert_eq!(offered(&knows).contains(Capabilities::DIRECTORY_LEASING), is_new, "{dialect:?}");
    }
}

#[test]
fn the_cheapest_common_algorithms_are_chosen() {
    let contexts = vec![
        preauth(),
        NegotiateContext::Encryption(vec![algorithms::Cipher::AES_128_CCM, algorithms::Cipher::AES_256_GCM]),
        NegotiateContext::Signing(vec![
            algorithms::SigningAlgorithm::HMAC_SHA256,
            algorithms::SigningAlgorithm::AES_GMAC,
        ]),
    ];
    let request = request(&DIALECTS, contexts);
    let (chosen, answer) = negotiate(&SmbOptions::default(), &request, [0; 32]).unwrap();
    assert_eq!((chosen.signing, chosen.cipher), (SigningAlgorithm::AesGmac, Some(Cipher::Aes256Gcm)));
    assert_eq!(answer.len(), 3);
    let off = SmbOptions { encryption: Encryption::Off, ..SmbOptions::default() };
    assert_eq!(terms(&off, &request).unwrap().cipher, None);
}

#[test]
fn smb_3_1_1_needs_a_hash_over_the_negotiation() {
    let none = terms(&SmbOptions::default(), &request(&DIALECTS, Vec::new()));
    assert_eq!(none.unwrap_err(), NtStatus::INVALID_PARAMETER);
    let other = NegotiateContext::PreauthIntegrity {
        hash_algorithms: vec![algorithms::HashAlgorithm(2)],
        salt: vec![1; 32].into(),
    };
    let unknown = terms(&SmbOptions::default(), &request(&DIALECTS, vec![other]));
    assert_eq!(unknown.unwrap_err(), NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP);
}

#[test]
fn without_contexts_the_dialect_says_how_messages_are_signed() {
    for (dialect, signing) in [
        (Dialect::SMB_2_0_2, SigningAlgorithm::HmacSha256),
        (Dialect::SMB_2_1, SigningAlgorithm::HmacSha256),
        (Dialect::SMB_3_0, SigningAlgorithm::AesCmac),
        (Dialect::SMB_3_0_2, SigningAlgorithm::AesCmac),
    ] {
        let terms = terms(&SmbOptions::default(), &request(&[dialect], Vec::new())).unwrap();
        assert_eq!(terms.signing, signing);
    }
}

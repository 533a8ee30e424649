use super::algorithms::{Cipher, HashAlgorithm, SigningAlgorithm};
use super::*;
use crate::sample::{Sample, encoded};

/// Dialects 2.1, 3.0 and 3.1.1, and the contexts of preauthentication integrity and of encryption.
fn request() -> Sample {
    Sample::body(36)
        .u16(0, 36)
        .u16(2, 3)
        .u16(4, 1)
        .u32(8, 0x7F)
        .put(12, &[0xC1; 16])
        .u32(28, 112)
        .u16(32, 2)
        .u16(36, 0x0210)
        .u16(38, 0x0300)
        .u16(40, 0x0311)
        // Preauthentication integrity: SHA-512 and a salt of 3 bytes.
        .u16(48, 1)
        .u16(50, 9)
        .u16(56, 1)
        .u16(58, 3)
        .u16(60, 1)
        .put(62, b"abc")
        // Encryption, on 8 bytes: AES-128-GCM and AES-128-CCM.
        .u16(72, 2)
        .u16(74, 6)
        .u16(80, 2)
        .u16(82, 2)
        .u16(84, 1)
}

fn expected() -> NegotiateRequest {
    NegotiateRequest {
        security_mode: SecurityMode::SIGNING_ENABLED,
        capabilities: Capabilities::from_bits_retain(0x7F),
        client_guid: Guid([0xC1; 16]),
        dialects: vec![Dialect::SMB_2_1, Dialect::SMB_3_0, Dialect::SMB_3_1_1],
        contexts: vec![
            NegotiateContext::PreauthIntegrity {
                hash_algorithms: vec![HashAlgorithm::SHA_512],
                salt: Bytes::from_static(b"abc"),
            },
            NegotiateContext::Encryption(vec![Cipher::AES_128_GCM, Cipher::AES_128_CCM]),
        ],
    }
}

#[test]
fn request_has_the_fields_of_the_standard() {
    assert_eq!(NegotiateRequest::decode(&request().message()), Ok(expected()));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected()), request().into_body());
}

#[test]
fn contexts_are_read_only_if_smb_3_1_1_is_offered() {
    let message = request().u16(40, 0x0302).put(28, &[0xFF; 8]).message();
    let request = NegotiateRequest::decode(&message).unwrap();
    assert_eq!(request.dialects, [Dialect::SMB_2_1, Dialect::SMB_3_0, Dialect::SMB_3_0_2]);
    assert!(request.contexts.is_empty());
}

#[test]
fn unknown_dialects_are_kept() {
    let request = NegotiateRequest::decode(&request().u16(36, 0x0777).message()).unwrap();
    assert_eq!(request.dialects.first(), Some(&Dialect(0x0777)));
}

#[test]
fn request_without_dialects_is_malformed() {
    assert!(NegotiateRequest::decode(&request().u16(2, 0).message()).is_err());
}

#[test]
fn dialects_or_contexts_outside_are_malformed() {
    assert!(NegotiateRequest::decode(&request().truncate(41).message()).is_err());
    assert!(NegotiateRequest::decode(&request().truncate(85).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u16(2, u16::MAX).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u16(32, 3).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u16(32, u16::MAX).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u32(28, 0).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u32(28, u32::MAX).message()).is_err());
    assert!(NegotiateRequest::decode(&request().u16(50, u16::MAX).message()).is_err());
}

#[test]
fn last_context_needs_no_padding() {
    assert!(NegotiateRequest::decode(&request().truncate(86).message()).is_ok());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let response = NegotiateResponse {
        security_mode: SecurityMode::SIGNING_ENABLED | SecurityMode::SIGNING_REQUIRED,
        dialect: Dialect::SMB_3_1_1,
        server_guid: Guid([0x5E; 16]),
        capabilities: Capabilities::LARGE_MTU,
        max_transact_size: 1,
        max_read_size: 2,
        max_write_size: 3,
        system_time: FileTime(4),
        server_start_time: FileTime(5),
        security_buffer: Bytes::from_static(b"token"),
        contexts: vec![NegotiateContext::Signing(vec![SigningAlgorithm::AES_GMAC])],
    };
    let expected = Sample::body(64)
        .u16(0, 65)
        .u16(2, 3)
        .u16(4, 0x0311)
        .u16(6, 1)
        .put(8, &[0x5E; 16])
        .u32(24, 4)
        .u32(28, 1)
        .u32(32, 2)
        .u32(36, 3)
        .u64(40, 4)
        .u64(48, 5)
        .u16(56, 128)
        .u16(58, 5)
        .u32(60, 136)
        .put(64, b"token")
        .u16(72, 8)
        .u16(74, 4)
        .u16(80, 1)
        .u16(82, 2);
    assert_eq!(encoded(&response), expected.into_body());
}

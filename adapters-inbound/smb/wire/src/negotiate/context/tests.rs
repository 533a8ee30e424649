use super::*;

fn decode(context_type: u16, data: &'static [u8]) -> Result<NegotiateContext, Malformed> {
    NegotiateContext::decode(context_type, Bytes::from_static(data))
}

#[test]
fn contexts_have_the_layouts_of_the_standard() {
    let known: [(u16, &'static [u8], NegotiateContext); 8] = [
        (
            1,
            &[2, 0, 2, 0, 1, 0, 9, 0, 0xAA, 0xBB],
            NegotiateContext::PreauthIntegrity {
                hash_algorithms: vec![HashAlgorithm::SHA_512, HashAlgorithm(9)],
                salt: Bytes::from_static(&[0xAA, 0xBB]),
            },
        ),
        (2, &[1, 0, 4, 0], NegotiateContext::Encryption(vec![Cipher::AES_256_GCM])),
        (
            3,
            &[2, 0, 0, 0, 1, 0, 0, 0, 5, 0, 4, 0],
            NegotiateContext::Compression {
                flags: CompressionFlags::CHAINED,
                algorithms: vec![CompressionAlgorithm::LZ4, CompressionAlgorithm::PATTERN_V1],
            },
        ),
        (5, &[b'h', 0, b'o', 0, b's', 0, b't', 0], NegotiateContext::Netname("host".into())),
        (6, &[1, 0, 0, 0], NegotiateContext::Transport(TransportFlags::ACCEPT_TRANSPORT_LEVEL_SECURITY)),
        (7, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0], NegotiateContext::RdmaTransform(vec![RdmaTransform::SIGNING])),
        (
            8,
            &[3, 0, 2, 0, 1, 0, 0, 0],
            NegotiateContext::Signing(vec![
                SigningAlgorithm::AES_GMAC,
                SigningAlgorithm::AES_CMAC,
                SigningAlgorithm::HMAC_SHA256,
            ]),
        ),
        (
            0x100,
            &NegotiateContext::POSIX_IDENTIFIER,
            NegotiateContext::Posix(Bytes::from_static(&NegotiateContext::POSIX_IDENTIFIER)),
        ),
    ];
    for (context_type, data, context) in known {
        assert_eq!(decode(context_type, data).as_ref(), Ok(&context));
        assert_eq!(context.encode(), (context_type, Bytes::from_static(data)));
    }
}

#[test]
fn unknown_context_is_kept() {
    let unknown = NegotiateContext::Unknown { context_type: 4, data: Bytes::from_static(b"?") };
    assert_eq!(decode(4, b"?"), Ok(unknown));
}

#[test]
fn lists_without_algorithms_are_malformed() {
    for context_type in [1, 2, 3, 7, 8] {
        assert_eq!(decode(context_type, &[0; 16]), Err(Malformed), "type {context_type}");
    }
}

#[test]
fn lists_longer_than_the_data_are_malformed() {
    for context_type in [1, 2, 3, 7, 8] {
        assert_eq!(decode(context_type, &[9, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Err(Malformed), "type {context_type}");
    }
    assert_eq!(decode(1, &[1, 0, 5, 0, 1, 0, 1, 2, 3, 4]), Err(Malformed));
}

#[test]
fn server_name_that_is_no_text_does_no_harm() {
    assert!(matches!(decode(5, b"odd"), Ok(NegotiateContext::Unknown { context_type: 5, .. })));
}

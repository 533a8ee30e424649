use super::*;

fn negotiate(dialects: &[&str]) -> Vec<u8> {
    let mut list = Vec::new();
    for dialect in dialects {
        list.push(2);
        list.extend_from_slice(dialect.as_bytes());
        list.push(0);
    }
    let mut bytes = b"\xFFSMB\x72".to_vec();
    bytes.resize(32, 0);
    bytes.push(0);
    bytes.extend_from_slice(&u16::try_from(list.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(&list);
    bytes
}

#[test]
fn dialects_are_listed_in_order() {
    let offered = ["PC NETWORK PROGRAM 1.0", "NT LM 0.12", "SMB 2.002", "SMB 2.???"];
    let message = MultiProtocolNegotiate::decode(negotiate(&offered).into()).unwrap();
    assert!(message.dialects().eq(offered.map(str::as_bytes)));
    assert!(message.offers(MultiProtocolNegotiate::SMB_2_002));
    assert!(message.offers(MultiProtocolNegotiate::SMB_2_WILDCARD));
}

#[test]
fn client_of_smb1_offers_no_smb2() {
    let message = MultiProtocolNegotiate::decode(negotiate(&["NT LM 0.12"]).into()).unwrap();
    assert!(!message.offers(MultiProtocolNegotiate::SMB_2_002));
    assert!(!message.offers(MultiProtocolNegotiate::SMB_2_WILDCARD));
}

#[test]
fn other_or_short_messages_are_malformed() {
    let whole = negotiate(&["SMB 2.002"]);
    for length in 0..whole.len() {
        assert!(MultiProtocolNegotiate::decode(whole[..length].to_vec().into()).is_err(), "{length} bytes");
    }
    let mut other = whole;
    other[4] = 0x73;
    assert!(MultiProtocolNegotiate::decode(other.into()).is_err());
}

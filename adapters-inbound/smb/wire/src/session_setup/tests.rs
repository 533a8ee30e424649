use super::*;
use crate::sample::{Sample, encoded};

fn request() -> Sample {
    Sample::body(24)
        .u16(0, 25)
        .u8(2, 1)
        .u8(3, 2)
        .u32(4, 1)
        .u16(12, 88)
        .u16(14, 5)
        .u64(16, 0x0102_0304_0506_0708)
        .put(24, b"token")
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = SessionSetupRequest {
        flags: SessionSetupFlags::BINDING,
        security_mode: SessionSecurityMode::SIGNING_REQUIRED,
        capabilities: Capabilities::DFS,
        previous_session_id: 0x0102_0304_0506_0708,
        security_buffer: Bytes::from_static(b"token"),
    };
    assert_eq!(SessionSetupRequest::decode(&request().message()).as_ref(), Ok(&expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn token_outside_is_malformed() {
    assert!(SessionSetupRequest::decode(&request().u16(12, 87).message()).is_err());
    assert!(SessionSetupRequest::decode(&request().u16(14, 6).message()).is_err());
    assert!(SessionSetupRequest::decode(&request().u16(0, 24).message()).is_err());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let response =
        SessionSetupResponse { flags: SessionFlags::ENCRYPT_DATA, security_buffer: Bytes::from_static(b"token") };
    let expected = Sample::body(8).u16(0, 9).u16(2, 4).u16(4, 72).u16(6, 5).put(8, b"token");
    assert_eq!(encoded(&response), expected.into_body());
}

use super::*;
use crate::sample::{Sample, encoded, utf16};

fn request() -> Sample {
    Sample::body(8).u16(0, 9).u16(2, 0).u16(4, 72).u16(6, 10).put(8, &utf16(r"\\a\b"))
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = TreeConnectRequest { flags: TreeConnectFlags::empty(), path: r"\\a\b".into() };
    assert_eq!(TreeConnectRequest::decode(&request().message()).as_ref(), Ok(&expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn extension_before_the_path_is_passed_over() {
    let extended = request().u16(2, 4).u16(4, 88).put(8, &[0; 16]).put(24, &utf16(r"\\a\b")).message();
    let expected = TreeConnectRequest { flags: TreeConnectFlags::EXTENSION_PRESENT, path: r"\\a\b".into() };
    assert_eq!(TreeConnectRequest::decode(&extended), Ok(expected));
}

#[test]
fn path_outside_or_of_odd_length_is_malformed() {
    assert!(TreeConnectRequest::decode(&request().u16(4, 71).message()).is_err());
    assert!(TreeConnectRequest::decode(&request().u16(6, 12).message()).is_err());
    assert!(TreeConnectRequest::decode(&request().u16(6, 9).message()).is_err());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let response = TreeConnectResponse {
        share_type: ShareType::PIPE,
        share_flags: ShareFlags::NO_CACHING,
        capabilities: ShareCapabilities::DFS,
        maximal_access: AccessMask::from_bits_retain(0x001F_01FF),
    };
    let expected = Sample::body(16).u16(0, 16).u8(2, 2).u32(4, 0x30).u32(8, 8).u32(12, 0x001F_01FF);
    assert_eq!(encoded(&response), expected.into_body());
}

use super::*;
use crate::sample::{Sample, encoded};

/// FSCTL_DFS_GET_REFERRALS, as smbclient sends it: its output offset is not zero.
fn request() -> Sample {
    Sample::body(56)
        .u16(0, 57)
        .u32(4, 0x0006_0194)
        .put(8, &[0xFF; 16])
        .u32(24, 120)
        .u32(28, 5)
        .u32(32, 1)
        .u32(36, 128)
        .u32(40, 0)
        .u32(44, 4096)
        .u32(48, 1)
        .put(56, b"input\0\0\0")
}

fn expected() -> IoctlRequest {
    IoctlRequest {
        ctl_code: 0x0006_0194,
        file_id: FileId::NONE,
        input: Bytes::from_static(b"input"),
        max_input_response: 1,
        output: Bytes::new(),
        max_output_response: 4096,
        flags: IoctlFlags::IS_FSCTL,
    }
}

#[test]
fn request_has_the_fields_of_the_standard() {
    assert_eq!(IoctlRequest::decode(&request().message()), Ok(expected()));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected()), request().into_body());
}

#[test]
fn output_of_the_request_is_read() {
    let message = request().u32(40, 3).put(64, b"out").message();
    assert_eq!(IoctlRequest::decode(&message), Ok(IoctlRequest { output: Bytes::from_static(b"out"), ..expected() }));
    assert!(IoctlRequest::decode(&request().u32(40, 3).message()).is_err());
}

#[test]
fn offsets_of_empty_buffers_are_ignored() {
    let message = request().u32(24, 3).u32(28, 0).u32(36, u32::MAX).truncate(56).message();
    assert_eq!(IoctlRequest::decode(&message), Ok(IoctlRequest { input: Bytes::new(), ..expected() }));
}

#[test]
fn input_outside_of_the_message_is_malformed() {
    assert!(IoctlRequest::decode(&request().u32(24, 119).message()).is_err());
    assert!(IoctlRequest::decode(&request().u32(24, u32::MAX).message()).is_err());
    assert!(IoctlRequest::decode(&request().u32(28, 9).message()).is_err());
    assert!(IoctlRequest::decode(&request().u32(28, u32::MAX).message()).is_err());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let response = IoctlResponse {
        ctl_code: 0x0011_C017,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        output: Bytes::from_static(b"output"),
    };
    let expected = Sample::body(48)
        .u16(0, 49)
        .u32(4, 0x0011_C017)
        .u64(8, 0x1111)
        .u64(16, 0x2222)
        .u32(24, 112)
        .u32(32, 112)
        .u32(36, 6)
        .put(48, b"output");
    assert_eq!(encoded(&response), expected.into_body());
}

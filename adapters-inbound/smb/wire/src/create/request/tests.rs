use super::*;
use crate::create::{CreateContext, RequestContext};
#[cfg(feature = "client")]
use crate::sample::encoded;
use crate::sample::{Sample, utf16};

/// A CREATE of "a.txt" with one context, QFid, which has no data.
fn request() -> Sample {
    Sample::body(56)
        .u16(0, 57)
        .u8(3, 0xFF)
        .u32(4, 2)
        .u32(24, 0x0012_0089)
        .u32(28, 0x80)
        .u32(32, 7)
        .u32(36, 3)
        .u32(40, 0x40)
        .u16(44, 120)
        .u16(46, 10)
        .u32(48, 136)
        .u32(52, 24)
        .put(56, &utf16("a.txt"))
        .u16(72 + 4, 16)
        .u16(72 + 6, 4)
        .put(72 + 16, b"QFid\0\0\0\0")
}

fn expected() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::LEASE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::from_bits_retain(0x0012_0089),
        file_attributes: FileAttributes::NORMAL,
        share_access: ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::NON_DIRECTORY_FILE,
        name: "a.txt".into(),
        contexts: [RequestContext::QueryOnDiskId.encode()].into_iter().collect(),
    }
}

#[test]
fn request_has_the_fields_of_the_standard() {
    assert_eq!(CreateRequest::decode(&request().message()), Ok(expected()));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected()), request().into_body());
}

#[test]
fn request_without_contexts_ends_with_its_name() {
    let message = request().u32(48, 0).u32(52, 0).truncate(66).message();
    assert_eq!(
        CreateRequest::decode(&message),
        Ok(CreateRequest { contexts: CreateContexts::default(), ..expected() })
    );
}

#[test]
fn name_of_the_root_is_empty_at_any_offset() {
    for offset in [0, 1, 120, 121, u16::MAX] {
        let message = request().u16(44, offset).u16(46, 0).message();
        let request = CreateRequest::decode(&message).unwrap();
        assert!(request.name.is_empty());
    }
}

#[test]
fn request_for_the_root_may_end_with_the_fixed_part() {
    let message = request().u16(46, 0).u32(52, 0).truncate(56).message();
    assert!(CreateRequest::decode(&message).is_ok());
    assert!(CreateRequest::decode(&request().u16(46, 0).u32(52, 0).truncate(55).message()).is_err());
}

#[test]
fn name_outside_or_of_odd_length_is_malformed() {
    assert!(CreateRequest::decode(&request().u16(44, 118).message()).is_err());
    assert!(CreateRequest::decode(&request().u16(46, 9).message()).is_err());
    assert!(CreateRequest::decode(&request().u16(46, 200).message()).is_err());
    assert!(CreateRequest::decode(&request().u16(44, u16::MAX).message()).is_err());
}

#[test]
fn contexts_outside_are_malformed() {
    assert!(CreateRequest::decode(&request().u32(48, 119).message()).is_err());
    assert!(CreateRequest::decode(&request().u32(52, 25).message()).is_err());
    assert!(CreateRequest::decode(&request().u32(48, u32::MAX).message()).is_err());
    assert!(CreateRequest::decode(&request().u32(52, u32::MAX).message()).is_err());
    assert!(CreateRequest::decode(&request().u32(52, 15).message()).is_err());
}

#[test]
fn name_with_half_a_surrogate_pair_is_left_to_the_server() {
    let message = request().put(56, &[0x00, 0xD8]).message();
    let request = CreateRequest::decode(&message).unwrap();
    assert!(request.name.decode().is_err());
}

#[test]
fn context_is_found_by_name() {
    let contexts: CreateContexts = [
        CreateContext { name: Bytes::from_static(b"FooO"), data: Bytes::new() },
        RequestContext::AllocationSize(5).encode(),
    ]
    .into_iter()
    .collect();
    assert_eq!(contexts.find(b"AlSi").as_deref(), Some([5, 0, 0, 0, 0, 0, 0, 0].as_slice()));
    assert_eq!(contexts.find(b"FooO").as_deref(), Some([].as_slice()));
    assert_eq!(contexts.find(b"MxAc"), None);
}

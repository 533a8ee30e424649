use super::*;
use crate::create::LeaseState;
use crate::identifiers::LeaseKey;

/// The numbers 1, 2, 3 and so on.
fn counting(length: u8) -> Vec<u8> {
    (1..=length).collect()
}

fn decode(name: &'static [u8], data: Vec<u8>) -> Result<RequestContext, Malformed> {
    RequestContext::decode(CreateContext { name: Bytes::from_static(name), data: data.into() })
}

fn guid(first: u8) -> Guid {
    Guid(std::array::from_fn(|index| first + u8::try_from(index).unwrap()))
}

const FILE_ID: FileId = FileId { persistent: 0x0807_0605_0403_0201, volatile: 0x100F_0E0D_0C0B_0A09 };

/// Each context with its name, its data, and whether other lengths of data are refused.
fn known() -> Vec<(&'static [u8], Vec<u8>, RequestContext, bool)> {
    let mut durable = counting(32);
    durable[8..16].fill(0);
    let mut app_instance = vec![20, 0, 0, 0];
    app_instance.extend_from_slice(&counting(16));
    let lease =
        Lease { key: LeaseKey([1; 16]), state: LeaseState::READ_CACHING, flags: Default::default(), version_2: None };
    vec![
        (b"ExtA", counting(9), RequestContext::ExtendedAttributes(counting(9).into()), false),
        (b"SecD", counting(9), RequestContext::SecurityDescriptor(counting(9).into()), false),
        (b"AAPL", counting(9), RequestContext::Apple(counting(9).into()), false),
        (b"DHnQ", vec![0; 16], RequestContext::DurableRequest, true),
        (b"DHnC", counting(16), RequestContext::DurableReconnect(FILE_ID), true),
        (
            b"DH2Q",
            durable,
            RequestContext::DurableRequestV2 {
                timeout_ms: 0x0403_0201,
                flags: DurableFlags::from_bits_retain(0x0807_0605),
                create_guid: guid(17),
            },
            true,
        ),
        (
            b"DH2C",
            counting(36),
            RequestContext::DurableReconnectV2 {
                file_id: FILE_ID,
                create_guid: guid(17),
                flags: DurableFlags::from_bits_retain(0x2423_2221),
            },
            true,
        ),
        (b"AlSi", counting(8), RequestContext::AllocationSize(0x0807_0605_0403_0201), true),
        (b"MxAc", Vec::new(), RequestContext::QueryMaximalAccess(None), true),
        (b"MxAc", counting(8), RequestContext::QueryMaximalAccess(Some(FileTime(0x0807_0605_0403_0201))), true),
        (b"TWrp", counting(8), RequestContext::TimewarpToken(FileTime(0x0807_0605_0403_0201)), true),
        (b"QFid", Vec::new(), RequestContext::QueryOnDiskId, true),
        (b"RqLs", lease.encode().to_vec(), RequestContext::Lease(lease), true),
        (ContextName::APP_INSTANCE_ID, app_instance, RequestContext::AppInstanceId(guid(1)), true),
        (ContextName::POSIX, counting(4), RequestContext::Posix { mode: 0x0403_0201 }, true),
        (
            b"FooO",
            counting(3),
            RequestContext::Unknown(CreateContext { name: Bytes::from_static(b"FooO"), data: counting(3).into() }),
            false,
        ),
    ]
}

#[test]
fn contexts_have_the_layouts_of_the_standard() {
    for (name, data, context, _) in known() {
        assert_eq!(context.encode(), CreateContext { name: Bytes::from_static(name), data: data.clone().into() });
        assert_eq!(decode(name, data), Ok(context));
    }
}

#[test]
fn data_of_another_length_is_malformed() {
    for (name, mut data, ..) in known().into_iter().filter(|(.., strict)| *strict) {
        data.push(0);
        assert_eq!(decode(name, data), Err(Malformed), "{}", name.escape_ascii());
    }
}

#[test]
fn posix_name_is_a_guid_of_16_bytes() {
    assert_eq!(ContextName::POSIX.first_chunk(), Some(&[0x93, 0xAD, 0x25, 0x50]));
    assert_eq!(ContextName::POSIX.len(), 16);
    assert_eq!(format!("{:?}", Guid(ContextName::POSIX_GUID)), "5025ad93-b49c-e711-b423-83de968bcd7c");
}

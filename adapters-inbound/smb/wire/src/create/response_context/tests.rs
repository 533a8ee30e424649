use super::*;
use crate::create::{LeaseFlags, LeaseState};
use crate::identifiers::LeaseKey;

fn known() -> Vec<(&'static [u8], Vec<u8>, ResponseContext)> {
    let mut disk_id = vec![1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    disk_id.resize(32, 0);
    let lease = Lease {
        key: LeaseKey([1; 16]),
        state: LeaseState::READ_CACHING,
        flags: LeaseFlags::BREAK_IN_PROGRESS,
        version_2: None,
    };
    vec![
        (b"DHnQ", vec![0; 8], ResponseContext::DurableRequest),
        (
            b"DH2Q",
            vec![0x60, 0xEA, 0, 0, 2, 0, 0, 0],
            ResponseContext::DurableRequestV2 { timeout_ms: 60_000, flags: DurableFlags::PERSISTENT },
        ),
        (
            b"MxAc",
            vec![0, 0, 0, 0, 0xFF, 0x01, 0x1F, 0x00],
            ResponseContext::MaximalAccess {
                query_status: NtStatus::SUCCESS,
                maximal_access: AccessMask::from_bits_retain(0x001F_01FF),
            },
        ),
        (b"QFid", disk_id, ResponseContext::OnDiskId { disk_file_id: 1, volume_id: 2 }),
        (b"RqLs", lease.encode().to_vec(), ResponseContext::Lease(lease)),
        (b"AAPL", vec![1, 2, 3], ResponseContext::Apple(Bytes::from_static(&[1, 2, 3]))),
        (
            ContextName::POSIX,
            vec![1, 0, 0, 0, 0, 0, 0, 0, 0xA4, 1, 0, 0, 9, 9],
            ResponseContext::Posix {
                hard_links: 1,
                reparse_tag: 0,
                mode: 0o644,
                owner_and_group: Bytes::from_static(&[9, 9]),
            },
        ),
        (
            b"FooO",
            vec![1],
            ResponseContext::Unknown(CreateContext {
                name: Bytes::from_static(b"FooO"),
                data: Bytes::from_static(&[1]),
            }),
        ),
    ]
}

#[test]
fn contexts_have_the_layouts_of_the_standard() {
    for (name, data, context) in known() {
        let encoded = CreateContext { name: Bytes::from_static(name), data: data.into() };
        assert_eq!(context.encode(), encoded);
        #[cfg(feature = "client")]
        assert_eq!(ResponseContext::decode(encoded), Ok(context));
    }
}

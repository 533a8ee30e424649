//! Negotiate and create contexts.

use bytes::Bytes;
use dittofs_smb_wire::NtStatus;
use dittofs_smb_wire::access::AccessMask;
use dittofs_smb_wire::create::{
    CreateContext, CreateContexts, DurableFlags, Lease, LeaseFlags, LeaseState, LeaseVersion2, RequestContext,
    ResponseContext,
};
use dittofs_smb_wire::negotiate::algorithms::{
    Cipher, CompressionAlgorithm, HashAlgorithm, RdmaTransform, SigningAlgorithm,
};
use dittofs_smb_wire::negotiate::{CompressionFlags, NegotiateContext, TransportFlags};
use proptest::prelude::*;

use crate::fields::{file_id, guid, lease_key, text, time};

fn short() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn list<T: std::fmt::Debug>(of: fn(u16) -> T) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(any::<u16>().prop_map(of), 1..6)
}

pub(crate) fn negotiate_contexts() -> impl Strategy<Value = Vec<NegotiateContext>> {
    let context = prop_oneof![
        (list(HashAlgorithm), short())
            .prop_map(|(hash_algorithms, salt)| NegotiateContext::PreauthIntegrity { hash_algorithms, salt }),
        list(Cipher).prop_map(NegotiateContext::Encryption),
        (any::<u32>(), list(CompressionAlgorithm)).prop_map(|(flags, algorithms)| NegotiateContext::Compression {
            flags: CompressionFlags::from_bits_retain(flags),
            algorithms,
        }),
        text().prop_map(NegotiateContext::Netname),
        any::<u32>().prop_map(|flags| NegotiateContext::Transport(TransportFlags::from_bits_retain(flags))),
        list(RdmaTransform).prop_map(NegotiateContext::RdmaTransform),
        list(SigningAlgorithm).prop_map(NegotiateContext::Signing),
        short().prop_map(NegotiateContext::Posix),
        (0x101..=u16::MAX, short()).prop_map(|(context_type, data)| NegotiateContext::Unknown { context_type, data }),
    ];
    prop::collection::vec(context, 0..6)
}

fn lease() -> impl Strategy<Value = Lease> {
    let version_2 = (lease_key(), any::<u16>()).prop_map(|(parent_key, epoch)| LeaseVersion2 { parent_key, epoch });
    (lease_key(), any::<u32>(), any::<u32>(), prop::option::of(version_2)).prop_map(|(key, state, flags, version_2)| {
        Lease { key, state: LeaseState::from_bits_retain(state), flags: LeaseFlags::from_bits_retain(flags), version_2 }
    })
}

/// A context whose name is none of the known.
fn unknown() -> impl Strategy<Value = CreateContext> {
    ("[a-z]{4,20}", short()).prop_map(|(name, data)| CreateContext { name: name.into_bytes().into(), data })
}

fn durable_flags() -> impl Strategy<Value = DurableFlags> {
    any::<u32>().prop_map(DurableFlags::from_bits_retain)
}

fn request_context() -> impl Strategy<Value = RequestContext> {
    prop_oneof![
        short().prop_map(RequestContext::ExtendedAttributes),
        short().prop_map(RequestContext::SecurityDescriptor),
        Just(RequestContext::DurableRequest),
        file_id().prop_map(RequestContext::DurableReconnect),
        (any::<u32>(), durable_flags(), guid()).prop_map(|(timeout_ms, flags, create_guid)| {
            RequestContext::DurableRequestV2 { timeout_ms, flags, create_guid }
        }),
        (file_id(), guid(), durable_flags()).prop_map(|(file_id, create_guid, flags)| {
            RequestContext::DurableReconnectV2 { file_id, create_guid, flags }
        }),
        any::<u64>().prop_map(RequestContext::AllocationSize),
        prop::option::of(time()).prop_map(RequestContext::QueryMaximalAccess),
        time().prop_map(RequestContext::TimewarpToken),
        Just(RequestContext::QueryOnDiskId),
        lease().prop_map(RequestContext::Lease),
        guid().prop_map(RequestContext::AppInstanceId),
        short().prop_map(RequestContext::Apple),
        any::<u32>().prop_map(|mode| RequestContext::Posix { mode }),
        unknown().prop_map(RequestContext::Unknown),
    ]
}

fn response_context() -> impl Strategy<Value = ResponseContext> {
    prop_oneof![
        Just(ResponseContext::DurableRequest),
        (any::<u32>(), durable_flags())
            .prop_map(|(timeout_ms, flags)| ResponseContext::DurableRequestV2 { timeout_ms, flags }),
        any::<(u32, u32)>().prop_map(|(status, access)| ResponseContext::MaximalAccess {
            query_status: NtStatus(status),
            maximal_access: AccessMask::from_bits_retain(access),
        }),
        any::<(u64, u64)>().prop_map(|(disk_file_id, volume_id)| ResponseContext::OnDiskId { disk_file_id, volume_id }),
        lease().prop_map(ResponseContext::Lease),
        short().prop_map(ResponseContext::Apple),
        (any::<(u32, u32, u32)>(), short()).prop_map(|((hard_links, reparse_tag, mode), owner_and_group)| {
            ResponseContext::Posix { hard_links, reparse_tag, mode, owner_and_group }
        }),
        unknown().prop_map(ResponseContext::Unknown),
    ]
}

pub(crate) fn request_contexts() -> impl Strategy<Value = CreateContexts> {
    prop::collection::vec(request_context(), 0..6)
        .prop_map(|contexts| contexts.iter().map(RequestContext::encode).collect())
}

pub(crate) fn response_contexts() -> impl Strategy<Value = CreateContexts> {
    prop::collection::vec(response_context(), 0..6)
        .prop_map(|contexts| contexts.iter().map(ResponseContext::encode).collect())
}

proptest! {
    #[test]
    fn request_contexts_come_back(contexts in prop::collection::vec(request_context(), 0..6)) {
        let list: CreateContexts = contexts.iter().map(RequestContext::encode).collect();
        let list = CreateContexts::decode(list.as_bytes().clone()).unwrap();
        let decoded: Result<Vec<_>, _> = list.iter().map(RequestContext::decode).collect();
        prop_assert_eq!(decoded, Ok(contexts));
    }

    #[test]
    fn response_contexts_come_back(contexts in prop::collection::vec(response_context(), 0..6)) {
        let list: CreateContexts = contexts.iter().map(ResponseContext::encode).collect();
        let list = CreateContexts::decode(list.as_bytes().clone()).unwrap();
        let decoded: Result<Vec<_>, _> = list.iter().map(ResponseContext::decode).collect();
        prop_assert_eq!(decoded, Ok(contexts));
    }
}

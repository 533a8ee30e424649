use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::cursor::Malformed;

/// Numbers of 1 to 8 bytes, little-endian, one behind the other.
fn fields(numbers: &[(usize, u64)]) -> Bytes {
    numbers.iter().flat_map(|(size, number)| number.to_le_bytes()[..*size].to_vec()).collect()
}

fn assert_needs_all<T: PartialEq + std::fmt::Debug>(bytes: &Bytes, decode: impl Fn(&Bytes) -> Result<T, Malformed>) {
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes.slice(..length)), Err(Malformed), "{length} of {}", bytes.len());
    }
    let longer = Bytes::from([bytes, &[0xff; 9][..]].concat());
    assert_eq!(decode(&longer), decode(bytes), "bytes behind the structure mean nothing");
}

#[test]
fn validate_negotiate_has_its_layout() {
    let guid = [7; 16];
    let bytes = Bytes::from([&[0x7f, 0, 0, 0][..], &guid, &[1, 0], &[3, 0], &[0x02, 2], &[0x10, 2], &[0, 3]].concat());
    let request =
        ValidateNegotiate { capabilities: 0x7f, guid, security_mode: 1, dialects: vec![0x0202, 0x0210, 0x0300] };
    assert_eq!(request.encode(), bytes);
    assert_eq!(ValidateNegotiate::decode(&bytes).unwrap(), request);
    assert_needs_all(&bytes, ValidateNegotiate::decode);

    let response = ValidateNegotiateResponse { capabilities: 0x7f, guid, security_mode: 3, dialect: 0x0302 };
    let bytes = response.encode();
    assert_eq!(bytes[..], [&[0x7f, 0, 0, 0][..], &guid, &[3, 0, 2, 3]].concat());
    assert_eq!(bytes.len(), ValidateNegotiateResponse::LENGTH);
    assert_eq!(ValidateNegotiateResponse::decode(&bytes), Ok(response));
}

#[test]
fn copy_chunk_has_its_layout() {
    let key = ResumeKey([9; 24]);
    assert_eq!(key.encode()[..], [[9; 24].as_slice(), &[0; 8]].concat());
    assert_eq!(key.encode().len(), ResumeKey::LENGTH);
    assert_eq!(ResumeKey::decode(&key.encode()), Ok(key));

    let head = [0x0909_0909_0909_0909; 3].map(|number| (8, number));
    let chunks = [(8, 1), (8, 2), (4, 3), (4, 0), (8, 4), (8, 5), (4, 6), (4, 0)];
    let bytes = fields(&[&head[..], &[(4, 2), (4, 0)], &chunks].concat());
    let request = CopyChunk {
        source: key,
        chunks: vec![
            Chunk { source_offset: 1, target_offset: 2, length: 3 },
            Chunk { source_offset: 4, target_offset: 5, length: 6 },
        ],
    };
    assert_eq!(request.encode(), bytes);
    assert_eq!(CopyChunk::decode(&bytes).unwrap(), request);
    assert_needs_all(&bytes, CopyChunk::decode);

    let response = CopyChunkResponse { chunks_written: 1, chunk_bytes_written: 2, total_bytes_written: 3 };
    assert_eq!(response.encode(), fields(&[(4, 1), (4, 2), (4, 3)]));
    assert_eq!(CopyChunkResponse::decode(&response.encode()), Ok(response));
}

#[test]
fn a_count_of_chunks_that_overflows_is_refused() {
    let mut bytes = vec![0; 32];
    for count in [1u32, 178_956_971, u32::MAX] {
        bytes[24..28].copy_from_slice(&count.to_le_bytes());
        assert_eq!(CopyChunk::decode(&Bytes::copy_from_slice(&bytes)), Err(Malformed));
    }
}

#[test]
fn limits_allow_what_windows_allows() {
    let limits = CopyChunkLimits::default();
    let request = |lengths: Vec<u32>| CopyChunk {
        source: ResumeKey([0; 24]),
        chunks: lengths.into_iter().map(|length| Chunk { source_offset: 0, target_offset: 0, length }).collect(),
    };
    assert!(limits.allow(&request(vec![])));
    assert!(limits.allow(&request(vec![1 << 20; 16])));
    assert!(limits.allow(&request(vec![1; 256])));
    assert!(!limits.allow(&request(vec![1; 257])));
    assert!(!limits.allow(&request(vec![(1 << 20) + 1])));
    assert!(!limits.allow(&request(vec![1, 0])));
    assert!(!limits.allow(&request([vec![1 << 20; 16], vec![1]].concat())));
    assert!(!limits.allow(&request(vec![u32::MAX; 256])));
    assert_eq!(limits.response().encode(), fields(&[(4, 256), (4, 1 << 20), (4, 16 << 20)]));
}

#[test]
fn duplicate_extents_has_its_layout() {
    let bytes = fields(&[(8, 1), (8, 2), (8, 3), (8, 4), (8, 5)]);
    let request =
        DuplicateExtents { source_persistent: 1, source_volatile: 2, source_offset: 3, target_offset: 4, length: 5 };
    assert_eq!(DuplicateExtents::decode(&bytes), Ok(request));
    assert_needs_all(&bytes, DuplicateExtents::decode);
}

#[test]
fn set_sparse_without_a_buffer_sets() {
    assert!(is_set_sparse(&[]));
    assert!(is_set_sparse(&[1, 0]));
    assert!(!is_set_sparse(&[0, 1]));
}

#[test]
fn zero_data_and_ranges_have_their_layouts() {
    let bytes = fields(&[(8, 5), (8, 9)]);
    assert_eq!(ZeroData::decode(&bytes), Ok(ZeroData { start: 5, end: 9 }));
    assert_eq!(FileRange::decode(&bytes), Ok(FileRange { offset: 5, length: 9 }));
    assert_needs_all(&bytes, ZeroData::decode);
    assert_needs_all(&bytes, FileRange::decode);
}

#[test]
fn ranges_that_are_negative_or_reversed_are_invalid() {
    let negative = u64::MAX;
    assert!(ZeroData { start: 3, end: 3 }.is_valid());
    assert!(!ZeroData { start: 4, end: 3 }.is_valid());
    assert!(!ZeroData { start: 0, end: negative }.is_valid());
    assert!(!ZeroData { start: negative, end: 0 }.is_valid());
    assert!(FileRange { offset: 1, length: i64::MAX as u64 - 1 }.is_valid());
    assert!(!FileRange { offset: 1, length: i64::MAX as u64 }.is_valid());
    assert!(!FileRange { offset: negative, length: 2 }.is_valid());
}

/// As smbtorture's `smb2.ioctl.sparse_qar_ob1`, `qar_malformed` and `qar_truncated` do it.
#[test]
fn ranges_that_do_not_fit_are_left_out() {
    let ranges = [FileRange { offset: 0, length: 1024 }, FileRange { offset: 1 << 20, length: 1024 }];
    let full = fields(&[(8, 0), (8, 1024), (8, 1 << 20), (8, 1024)]);
    assert_eq!(encode_ranges(&[], 0).unwrap().bytes, Bytes::new());
    assert_eq!(encode_ranges(&ranges, 15), Err(OutputTooSmall));
    for limit in 16..32 {
        let answer = encode_ranges(&ranges, limit).unwrap();
        assert_eq!((answer.bytes, answer.overflow), (full.slice(..16), true));
    }
    let answer = encode_ranges(&ranges, 32).unwrap();
    assert_eq!((answer.bytes, answer.overflow), (full, false));
}

#[test]
fn regions_have_their_layout() {
    assert_eq!(RegionQuery::decode(&Bytes::new()), Ok(None));
    let bytes = fields(&[(8, 1), (8, 2), (4, 3), (4, 0)]);
    assert_eq!(RegionQuery::decode(&bytes), Ok(Some(RegionQuery { offset: 1, length: 2, usage: 3 })));
    assert_eq!(RegionQuery::decode(&bytes.slice(..23)), Err(Malformed));

    let regions = [FileRegion { offset: 4, length: 5, usage: 1 }, FileRegion { offset: 6, length: 7, usage: 2 }];
    let first = [(8, 4), (8, 5), (4, 1), (4, 0)];
    let second = [(8, 6), (8, 7), (4, 2), (4, 0)];
    let answer = encode_regions(&regions, 64).unwrap();
    let head = [(4, 0), (4, 2), (4, 2), (4, 0)];
    assert_eq!((answer.bytes, answer.overflow), (fields(&[&head[..], &first, &second].concat()), false));
    let answer = encode_regions(&regions, 63).unwrap();
    let head = [(4, 0), (4, 2), (4, 1), (4, 0)];
    assert_eq!((answer.bytes, answer.overflow), (fields(&[&head[..], &first].concat()), true));
    assert_eq!(encode_regions(&regions, 39), Err(OutputTooSmall));
    assert_eq!(encode_regions(&[], 15), Err(OutputTooSmall));
    assert_eq!(encode_regions(&[], 16).unwrap().bytes, Bytes::from_static(&[0; 16]));
}

#[test]
fn interfaces_have_their_layout() {
    let interfaces = [
        NetworkInterface {
            index: 2,
            capability: InterfaceCapability::RSS,
            link_speed: 10_000_000_000,
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        },
        NetworkInterface {
            index: 2,
            capability: InterfaceCapability::RSS | InterfaceCapability::RDMA,
            link_speed: 1,
            address: IpAddr::V6(Ipv6Addr::LOCALHOST),
        },
    ];
    let bytes = encode_interfaces(&interfaces);
    assert_eq!(bytes.len(), 304);
    assert_eq!(bytes[..24], fields(&[(4, 152), (4, 2), (4, 1), (4, 0), (8, 10_000_000_000)]));
    assert_eq!(bytes[24..32], [2, 0, 0, 0, 192, 0, 2, 1]);
    assert_eq!(bytes[32..152], [0; 120]);
    assert_eq!(bytes[152..176], fields(&[(4, 0), (4, 2), (4, 3), (4, 0), (8, 1)]));
    assert_eq!(bytes[176..184], [0x17, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[184..200], Ipv6Addr::LOCALHOST.octets());
    assert_eq!(decode_interfaces(&bytes).unwrap(), interfaces);
    assert_eq!(encode_interfaces(&[]), Bytes::new());
}

#[test]
fn object_id_compression_and_integrity_have_their_layouts() {
    let id = ObjectId { object_id: [1; 16], birth_volume_id: [2; 16], birth_object_id: [3; 16], domain_id: [0; 16] };
    assert_eq!(id.encode()[..], [[1; 16], [2; 16], [3; 16], [0; 16]].concat());
    assert_eq!(ObjectId::decode(&id.encode()), Ok(id));

    let bytes = Bytes::from_static(&[2, 0]);
    assert_eq!(Compression::decode(&bytes), Ok(Compression { format: COMPRESSION_FORMAT_LZNT1 }));
    assert_eq!(Compression { format: COMPRESSION_FORMAT_LZNT1 }.encode(), bytes);
    assert_needs_all(&bytes, Compression::decode);

    let integrity = Integrity { checksum_algorithm: 2, flags: 1, checksum_chunk_bytes: 4096, cluster_bytes: 65536 };
    assert_eq!(integrity.encode(), fields(&[(2, 2), (2, 0), (4, 1), (4, 4096), (4, 65536)]));
    let bytes = fields(&[(2, 0xffff), (2, 0), (4, 1)]);
    assert_eq!(SetIntegrity::decode(&bytes), Ok(SetIntegrity { checksum_algorithm: 0xffff, flags: 1 }));
    assert_needs_all(&bytes, SetIntegrity::decode);
}

#[test]
fn no_snapshots_fill_the_least_room() {
    assert_eq!(encode_no_snapshots(), fields(&[(4, 0), (4, 0), (4, 2), (4, 0)]));
}

#[test]
fn pipe_wait_and_resiliency_have_their_layouts() {
    let head = fields(&[(8, 50), (4, 4), (1, 1), (1, 0)]);
    let bytes = Bytes::from([&head[..], b"a\0b\0"].concat());
    assert_eq!(PipeWait::decode(&bytes), Ok(PipeWait { timeout: Some(50), name: "ab".to_owned() }));
    assert_needs_all(&bytes, PipeWait::decode);
    let bytes = fields(&[(8, 50), (4, 0), (1, 0), (1, 0)]);
    assert_eq!(PipeWait::decode(&bytes), Ok(PipeWait { timeout: None, name: String::new() }));

    let bytes = fields(&[(4, 60_000), (4, 0)]);
    assert_eq!(Resiliency::decode(&bytes), Ok(Resiliency { timeout_ms: 60_000 }));
    assert_needs_all(&bytes, Resiliency::decode);
}

#[test]
fn a_dfs_path_ends_at_its_nul_or_with_the_request() {
    for bytes in [&b"\x04\0\\\0a\0\0\0b\0"[..], b"\x04\0\\\0a\0\0\0", b"\x04\0\\\0a\0"] {
        let expected = DfsReferralRequest { max_level: 4, path: "\\a".to_owned() };
        assert_eq!(DfsReferralRequest::decode(&Bytes::from_static(bytes)), Ok(expected));
    }
    assert_eq!(DfsReferralRequest::decode(&Bytes::from_static(b"\x04\0a")), Err(Malformed));
    assert_eq!(DfsReferralRequest::decode(&Bytes::from_static(b"\x04")), Err(Malformed));
}

/// A code is made of device, access, function and method (MS-FSCC 2.3).
#[test]
fn codes_are_made_of_their_parts() {
    let code =
        |device: u32, function: u32, method: u32, access: u32| device << 16 | access << 14 | function << 2 | method;
    assert_eq!(code::FSCTL_SET_COMPRESSION, code(9, 16, 0, 3));
    assert_eq!(code::FSCTL_QUERY_ALLOCATED_RANGES, code(9, 51, 3, 1));
    assert_eq!(code::FSCTL_SET_ZERO_DATA, code(9, 50, 0, 2));
    assert_eq!(code::FSCTL_GET_INTEGRITY_INFORMATION, code(9, 159, 0, 0));
    assert_eq!(code::FSCTL_SET_INTEGRITY_INFORMATION, code(9, 160, 0, 3));
    assert_eq!(code::FSCTL_QUERY_FILE_REGIONS, code(9, 161, 0, 0));
    assert_eq!(code::FSCTL_DUPLICATE_EXTENTS_TO_FILE, code(9, 209, 0, 2));
    assert_eq!(code::FSCTL_PIPE_TRANSCEIVE, code(0x11, 5, 3, 3));
    assert_eq!(code::FSCTL_SRV_REQUEST_RESUME_KEY, code(0x14, 30, 0, 0));
    assert_eq!(code::FSCTL_SRV_COPYCHUNK, code(0x14, 60, 2, 1));
    assert_eq!(code::FSCTL_SRV_COPYCHUNK_WRITE, code(0x14, 60, 2, 2));
    assert_eq!(code::FSCTL_VALIDATE_NEGOTIATE_INFO, code(0x14, 129, 0, 0));
}

proptest! {
    #[test]
    fn copies_and_negotiations_come_back(
        source in any::<[u8; 24]>(),
        chunks in vec(any::<(u64, u64, u32)>(), 0..20),
        (capabilities, guid, security_mode) in any::<(u32, [u8; 16], u16)>(),
        dialects in vec(any::<u16>(), 0..20),
    ) {
        let chunks = chunks
            .into_iter()
            .map(|(source_offset, target_offset, length)| Chunk { source_offset, target_offset, length })
            .collect();
        let copy = CopyChunk { source: ResumeKey(source), chunks };
        prop_assert_eq!(CopyChunk::decode(&copy.encode()), Ok(copy));
        let negotiate = ValidateNegotiate { capabilities, guid, security_mode, dialects };
        prop_assert_eq!(ValidateNegotiate::decode(&negotiate.encode()), Ok(negotiate));
    }
}

use proptest::prelude::*;

use super::*;

fn context(name: &'static [u8], data: &'static [u8]) -> CreateContext {
    CreateContext { name: Bytes::from_static(name), data: Bytes::from_static(data) }
}

/// One element in 40 bytes: name at 16, data at 24.
fn element(next: u32, name: (u16, u16), data: (u16, u32)) -> Vec<u8> {
    let mut bytes = next.to_le_bytes().to_vec();
    bytes.extend_from_slice(&name.0.to_le_bytes());
    bytes.extend_from_slice(&name.1.to_le_bytes());
    bytes.extend_from_slice(&[0xFF, 0xFF]);
    bytes.extend_from_slice(&data.0.to_le_bytes());
    bytes.extend_from_slice(&data.1.to_le_bytes());
    bytes.extend_from_slice(b"AlSi....12345678........");
    bytes
}

fn decode(parts: &[Vec<u8>]) -> Result<Vec<CreateContext>, Malformed> {
    CreateContexts::decode(parts.concat().into()).map(|contexts| contexts.iter().collect())
}

#[test]
fn list_has_the_layout_of_the_standard() {
    let list = [element(40, (16, 4), (24, 8)), element(0, (16, 4), (24, 5))];
    assert_eq!(decode(&list), Ok(vec![context(b"AlSi", b"12345678"), context(b"AlSi", b"12345")]));

    let written: CreateContexts = [context(b"MxAc", b""), context(b"AlSi", b"12345678")].into_iter().collect();
    let mut expected = vec![0; 24];
    expected[0] = 24;
    expected[4] = 16;
    expected[6] = 4;
    expected[16..20].copy_from_slice(b"MxAc");
    expected.extend_from_slice(&[0, 0, 0, 0, 16, 0, 4, 0, 0, 0, 24, 0, 8, 0, 0, 0]);
    expected.extend_from_slice(b"AlSi\0\0\0\x0012345678");
    assert_eq!(written.as_bytes(), &expected);
}

#[test]
fn no_contexts_are_no_bytes() {
    assert_eq!(decode(&[]), Ok(Vec::new()));
    assert!(CreateContexts::from_iter([]).as_bytes().is_empty());
}

#[test]
fn context_without_data_has_any_data_offset() {
    for offset in [0, 1, 16, 24, u16::MAX] {
        assert_eq!(decode(&[element(0, (16, 4), (offset, 0))]), Ok(vec![context(b"AlSi", b"")]));
    }
}

/// smbtorture's create.blob tries names of all these lengths.
#[test]
fn names_of_less_than_four_bytes_are_malformed() {
    for length in 0..4 {
        assert_eq!(decode(&[element(0, (16, length), (24, 8))]), Err(Malformed));
    }
    assert_eq!(decode(&[element(0, (16, 5), (24, 8))]), Ok(vec![context(b"AlSi.", b"12345678")]));
}

#[test]
fn names_and_data_outside_are_malformed() {
    for (name, data) in [
        ((15, 4), (24, 8)),
        ((0, 4), (24, 8)),
        ((37, 4), (24, 0)),
        ((u16::MAX, u16::MAX), (24, 0)),
        ((16, 4), (19, 8)),
        ((16, 4), (0, 8)),
        ((16, 4), (33, 8)),
        ((16, 4), (24, 17)),
        ((16, 4), (24, u32::MAX)),
    ] {
        assert_eq!(decode(&[element(0, name, data)]), Err(Malformed), "{name:?} {data:?}");
    }
}

#[test]
fn next_elements_outside_are_malformed() {
    for next in [1, 8, 15, 36, 44, 48, 80, u32::MAX, u32::MAX - 7] {
        let list = [element(next, (16, 4), (24, 8)), element(0, (16, 4), (24, 8))];
        assert_eq!(decode(&list), Err(Malformed), "{next}");
    }
    assert_eq!(decode(&[element(40, (16, 4), (24, 8))]), Err(Malformed));
    assert_eq!(decode(&[element(40, (16, 4), (24, 8)), vec![0; 15]]), Err(Malformed));
}

#[test]
fn data_shares_the_allocation() {
    let bytes = Bytes::from(element(0, (16, 4), (24, 8)));
    let contexts = CreateContexts::decode(bytes.clone()).unwrap();
    assert_eq!(contexts.find(b"AlSi").unwrap().as_ptr(), bytes[24..].as_ptr());
}

fn any_context() -> impl Strategy<Value = CreateContext> {
    (prop::collection::vec(any::<u8>(), 4..40), prop::collection::vec(any::<u8>(), 0..60))
        .prop_map(|(name, data)| CreateContext { name: name.into(), data: data.into() })
}

proptest! {
    #[test]
    fn written_list_is_read_back(contexts in prop::collection::vec(any_context(), 0..6)) {
        let written: CreateContexts = contexts.iter().cloned().collect();
        let read = CreateContexts::decode(written.as_bytes().clone()).unwrap();
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), contexts);
    }

    #[test]
    fn iteration_of_any_accepted_bytes_ends_with_the_list(bytes in prop::collection::vec(0..48_u8, 0..300)) {
        let length = bytes.len();
        if let Ok(contexts) = CreateContexts::decode(bytes.into()) {
            prop_assert!(contexts.iter().count() <= length / 16);
        }
    }
}

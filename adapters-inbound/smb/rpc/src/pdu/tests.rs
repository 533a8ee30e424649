use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn pdus_are_found_however_they_are_cut(
        bodies in vec(vec(any::<u8>(), 0..100), 0..6),
        sizes in vec(1..50_usize, 1..5),
    ) {
        let written: Vec<_> = bodies
            .iter()
            .zip(0..)
            .flat_map(|(body, call_id)| pdu(packet_type::REQUEST, 3, call_id, 0, |writer| writer.put(body)))
            .collect();
        let (mut framer, mut found, mut rest) = (Framer::default(), Vec::new(), written.as_slice());
        for size in sizes.iter().cycle() {
            let (mut part, after) = rest.split_at((*size).min(rest.len()));
            while let Some((header, body)) = framer.next_pdu(&mut part).unwrap() {
                prop_assert!(header.is_supported() && header.is_first() && header.is_last());
                prop_assert_eq!(usize::try_from(header.call_id).unwrap(), found.len());
                found.push(body.to_vec());
            }
            prop_assert!(part.is_empty());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, bodies);
    }

    #[test]
    fn responses_hold_the_whole_stub(stub in vec(any::<u8>(), 0..20_000), max_fragment in 2_048..4_281_u16) {
        let fragments = response(9, 5, Bytes::from(stub.clone()), max_fragment & !7);
        let mut joined = Vec::new();
        for (index, fragment) in fragments.iter().enumerate() {
            let (mut framer, mut rest) = (Framer::default(), &fragment[..]);
            let (header, body) = framer.next_pdu(&mut rest).unwrap().unwrap();
            prop_assert!(rest.is_empty() && fragment.len() <= usize::from(max_fragment));
            prop_assert_eq!((header.packet_type, header.call_id), (packet_type::RESPONSE, 9));
            prop_assert_eq!(header.is_first(), index == 0);
            prop_assert_eq!(header.is_last(), index == fragments.len() - 1);
            prop_assert_eq!(&body[..8], &[&(stub.len() - joined.len()).to_le_bytes()[..4], &[5, 0, 0, 0]].concat());
            joined.extend_from_slice(&body[8..]);
        }
        prop_assert_eq!(joined, stub);
    }

    #[test]
    fn a_length_out_of_bounds_is_malformed(length in prop_oneof![0..16_u16, 4_281..=u16::MAX]) {
        let mut header = pdu(packet_type::BIND, 3, 1, 0, |_| {}).to_vec();
        header[8..10].copy_from_slice(&length.to_le_bytes());
        prop_assert_eq!(Framer::default().next_pdu(&mut &header[..]), Err(Malformed));
    }
}

#[test]
fn other_versions_and_orders_are_not_supported() {
    let header = |index: usize, value: u8| {
        let mut bytes = pdu(packet_type::BIND, 3, 1, 0, |_| {}).to_vec();
        bytes[index] = value;
        Header::read(&mut Reader::new(bytes.into())).unwrap().is_supported()
    };
    assert!(header(1, 0) && header(1, 1));
    assert!(!header(0, 4) && !header(1, 2));
    assert!(!header(4, 0), "big-endian");
    assert!(!header(4, 0x11), "EBCDIC");
}

#[test]
fn an_object_uuid_is_not_a_part_of_the_arguments() {
    let bytes = pdu(packet_type::REQUEST, 3 | packet_flags::OBJECT_UUID, 1, 0, |writer| {
        writer.put(&[0, 0, 0, 0, 2, 0, 3, 0]);
        writer.zeros(16);
        writer.put(b"stub");
    });
    let (header, body) = Framer::default().next_pdu(&mut &bytes[..]).unwrap().unwrap();
    let request = Request::read(header, body).unwrap();
    assert_eq!(request, Request { context_id: 2, opnum: 3, stub: Bytes::from_static(b"stub") });
}

#[test]
fn a_fault_tells_whether_the_call_did_anything() {
    assert_eq!(fault(7, 1, Fault::OP_RNG_ERROR)[3], 0x23);
    let bytes = fault(7, 1, Fault::BAD_STUB_DATA);
    assert_eq!((bytes.len(), bytes[3], &bytes[24..28]), (32, 0x03, &[0xf7, 6, 0, 0][..]));
}

#[test]
fn a_rejection_names_the_known_version() {
    let expected = [5, 0, 13, 3, 0x10, 0, 0, 0, 21, 0, 0, 0, 7, 0, 0, 0, 4, 0, 1, 5, 0];
    assert_eq!(&bind_nak(7, reject_reason::PROTOCOL_VERSION_NOT_SUPPORTED)[..], &expected);
}

#[test]
fn features_are_told_from_syntaxes() {
    let features = SyntaxId::new(0x6cb7_1c2c, 0x9812, 0x4540, [3, 0, 0, 0, 0, 0, 0, 0], 1);
    assert_eq!(features.bind_time_features(), Some(3));
    assert_eq!(SyntaxId { version: 2, ..features }.bind_time_features(), None);
    assert_eq!(crate::ndr::Syntax::Ndr64.id().bind_time_features(), None);
}

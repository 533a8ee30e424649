//! However the bytes are cut, the answer is the same.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::client::{NDR32, NDR64, bind, bound, hex, pdu, read_message, request, results, server};
use dittofs_smb_rpc::{MAX_FRAGMENT_BYTES, Pipe};

/// NetrShareEnum of level 1, in NDR32 and in NDR64.
const SHARE_ENUM: [(&str, &str); 2] = [
    (NDR32, "00000000 01000000 01000000 00000200 00000000 00000000 ffffffff 00000000"),
    (
        NDR64,
        "0000000000000000 0100000000000000 0100000000000000 0000020000000000 0000000000000000 0000000000000000 \
         ffffffff00000000 0000000000000000",
    ),
];

proptest! {
    #[test]
    fn neither_fragments_nor_writes_nor_reads_change_an_answer(
        choice in 0..2_usize,
        shares in 0..200_u32,
        fragments in vec(1..40_usize, 0..8),
        writes in vec(1..100_usize, 1..8),
        read_bytes in 1..5000_usize,
    ) {
        let (syntax, stub) = SHARE_ENUM[choice];
        let server = server(shares);
        let mut pipe = bound("srvsvc", syntax, &server);
        pipe.write(&request(15, &hex(stub), &[]), &server).unwrap();
        let whole = results(&mut pipe, usize::MAX);

        let mut pipe = Pipe::open("srvsvc").unwrap();
        let mut written = bind("srvsvc", syntax);
        written.extend(request(15, &hex(stub), &fragments));
        let mut rest = written.as_slice();
        for size in writes.iter().cycle() {
            let (part, after) = rest.split_at((*size).min(rest.len()));
            pipe.write(part, &server).unwrap();
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read_message(&mut pipe, read_bytes).unwrap()[2], 12);
        prop_assert_eq!(results(&mut pipe, read_bytes), whole);
    }

    #[test]
    fn no_fragment_is_longer_than_agreed_on(transmit in 0..6000_u16, receive in 0..6000_u16) {
        let server = server(200);
        let mut pipe = Pipe::open("srvsvc").unwrap();
        let mut bind = bind("srvsvc", NDR32);
        bind[16..18].copy_from_slice(&transmit.to_le_bytes());
        bind[18..20].copy_from_slice(&receive.to_le_bytes());
        pipe.write(&bind, &server).unwrap();
        let ack = read_message(&mut pipe, usize::MAX).unwrap();
        let agreed = usize::from(u16::from_le_bytes([ack[16], ack[17]]));
        prop_assert_eq!(&ack[16..18], &ack[18..20]);
        prop_assert!((2_048..=MAX_FRAGMENT_BYTES).contains(&agreed));

        pipe.write(&request(15, &hex(SHARE_ENUM[0].1), &[]), &server).unwrap();
        let mut hint = None;
        while let Some(fragment) = read_message(&mut pipe, usize::MAX) {
            prop_assert!(fragment.len() <= agreed);
            let left = u32::from_le_bytes([fragment[16], fragment[17], fragment[18], fragment[19]]);
            let size = u32::try_from(fragment.len() - 24).unwrap();
            prop_assert_eq!(hint.unwrap_or(left), left);
            prop_assert!(fragment[3] & 2 != 0 || size.is_multiple_of(8));
            hint = Some(left - size);
        }
        prop_assert_eq!(hint, Some(0));
    }
}

#[test]
fn several_calls_in_one_write_are_answered_in_order() {
    let server = server(3);
    let mut pipe = bound("srvsvc", NDR32, &server);
    let one = request(15, &hex(SHARE_ENUM[0].1), &[]);
    let calls: Vec<_> = (1..=3_u8)
        .flat_map(|call| {
            let mut request = one.clone();
            request[12] = call;
            request
        })
        .collect();
    pipe.write(&calls, &server).unwrap();
    for call in 1..=3 {
        assert_eq!(read_message(&mut pipe, usize::MAX).unwrap()[12], call);
    }
    assert_eq!(pipe.read(1), Ok(None));
}

#[test]
fn a_fragment_of_no_arguments_is_none_the_less_one() {
    let server = server(3);
    let mut pipe = bound("srvsvc", NDR32, &server);
    pipe.write(&pdu(0, 1, 7, &hex("00000000 0000 0f00")), &server).unwrap();
    pipe.write(&request(15, &hex(SHARE_ENUM[0].1), &[])[..16], &server).unwrap();
    assert_eq!(pipe.read(1), Ok(None));
}

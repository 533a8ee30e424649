//! Bytes that no client should send.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::client::{NDR32, NDR64, bind, bound, hex, read_message, request, server};
use dittofs_smb_rpc::{MAX_REQUEST_BYTES, MAX_UNREAD_BYTES, PipeError, fuzz};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_survived(data in vec(any::<u8>(), 0..400)) {
        fuzz::pipe(&data);
        fuzz::call(&data);
        fuzz::pdus(&data);
    }

    /// Any arguments of the calls that exist.
    #[test]
    fn any_arguments_are_survived(
        choice in 0..4_u8,
        opnum in prop::sample::select(vec![0_u8, 15, 16, 21, 36]),
        words in vec(prop_oneof![Just(0_u32), Just(1), Just(2), Just(501), Just(502), 0..100_u32, any::<u32>()], 0..60),
    ) {
        let mut data = vec![choice, opnum];
        data.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        fuzz::call(&data);
    }

    /// A real conversation with some bytes changed.
    #[test]
    fn changed_bytes_are_survived(
        line in any::<prop::sample::Index>(),
        cut in 0..128_u8,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let lines: Vec<_> = include_str!("samba.txt").lines().filter(|line| !line.starts_with('#')).collect();
        let words: Vec<_> = line.get(&lines).split(' ').collect();
        let mut data = vec![cut << 1 | u8::from(words[0] == "wkssvc")];
        data.extend(bind(words[0], if words[1] == "ndr64" { NDR64 } else { NDR32 }));
        data.extend(request(words[2].parse().unwrap(), &hex(words[3]), &[40]));
        for (index, value) in changes {
            *index.get_mut(&mut data) = value;
        }
        fuzz::pipe(&data);
        let mut call = vec![u8::from(words[0] == "wkssvc") | u8::from(words[1] == "ndr64") << 1];
        call.push(words[2].parse().unwrap());
        call.extend(&data[data.len().saturating_sub(60)..]);
        fuzz::call(&call);
    }
}

#[test]
fn a_call_of_too_many_bytes_ends_the_association() {
    let server = server(1);
    let mut pipe = bound("srvsvc", NDR32, &server);
    let allowed = vec![0; MAX_REQUEST_BYTES];
    pipe.write(&request(15, &allowed, &[4_000]), &server).unwrap();
    let answer = read_message(&mut pipe, usize::MAX).unwrap();
    assert_eq!(answer[2], 2, "the arguments are read, and the rest is ignored");

    pipe.write(&request(15, &vec![0; MAX_REQUEST_BYTES + 1], &[4_000]), &server).unwrap();
    let fault = read_message(&mut pipe, usize::MAX).unwrap();
    assert_eq!((fault[2], &fault[24..28]), (3, &[5, 0, 0, 0][..]));
    assert_eq!(pipe.read(1), Err(PipeError::Disconnected));
    assert_eq!(pipe.write(&[], &server), Err(PipeError::Disconnected));
}

#[test]
fn a_client_that_does_not_read_is_refused() {
    let server = server(100);
    let mut pipe = bound("srvsvc", NDR32, &server);
    let stub = hex("00000000 01000000 01000000 00000200 00000000 00000000 ffffffff 00000000");
    let call = request(15, &stub, &[]);
    while pipe.unread_bytes() < MAX_UNREAD_BYTES {
        pipe.write(&call, &server).unwrap();
    }
    let unread = pipe.unread_bytes();
    assert_eq!(pipe.write(&call, &server), Err(PipeError::Busy));
    assert_eq!(pipe.unread_bytes(), unread);
    while pipe.read(usize::MAX).unwrap().is_some() {}
    pipe.write(&call, &server).unwrap();
    assert!(pipe.unread_bytes() > 0);
}

#[test]
fn calls_without_end_in_one_write_end_the_association() {
    let server = server(100);
    let mut pipe = bound("srvsvc", NDR32, &server);
    let stub = hex("00000000 01000000 01000000 00000200 00000000 00000000 ffffffff 00000000");
    let calls = request(15, &stub, &[]).repeat(1_000);
    pipe.write(&calls, &server).unwrap();
    assert!(pipe.unread_bytes() < 2 * MAX_UNREAD_BYTES);
    while let Ok(Some(_)) = pipe.read(usize::MAX) {}
    assert_eq!(pipe.read(usize::MAX), Err(PipeError::Disconnected));
}

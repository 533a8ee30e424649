use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 700);

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn fragment(body: &[u8], last: bool) -> Vec<u8> {
    let mark = body.len() as u32 | if last { 1 << 31 } else { 0 };
    [&mark.to_be_bytes()[..], body].concat()
}

struct Echo;

#[async_trait]
impl Program for Echo {
    fn number(&self) -> u32 {
        7
    }

    fn versions(&self) -> &'static [u32] {
        &[2, 3, 4, 6]
    }

    async fn call(&self, mut call: Call) -> Reply {
        match call.decode::<u32>() {
            Ok(number) => Reply::success(&number),
            Err(error) => error.into(),
        }
    }
}

fn answer(record: Vec<u8>) -> Option<Vec<u8>> {
    let (xid, reply) = match Incoming::parse(record.into(), (PEER, PEER.ip())).unwrap() {
        Incoming::Call(call) => {
            let programs = Programs::new(vec![Arc::new(Echo)]);
            (call.xid, programs.call(call).now_or_never().unwrap())
        }
        Incoming::Refused { xid, reply } => (xid, reply),
        Incoming::Ignored => return None,
    };
    reply.into_datagram(xid).map(|bytes| bytes.to_vec())
}

/// A call of RPC version 2 with `AUTH_NONE`, and `rest` as its arguments.
fn call(program: u32, version: u32, procedure: u32, rest: &[u32]) -> Vec<u8> {
    words(&[&[9, 0, 2, program, version, procedure, 0, 0, 0, 0], rest].concat())
}

fn accepted(stat: u32, rest: &[u32]) -> Vec<u8> {
    words(&[&[9, 1, 0, 0, 0, stat], rest].concat())
}

#[test]
fn each_refusal_has_its_reply() {
    assert_eq!(answer(call(7, 3, 1, &[42])), Some(accepted(0, &[42])));
    assert_eq!(answer(call(8, 3, 1, &[])), Some(accepted(1, &[])));
    for version in [1, 5, 7] {
        assert_eq!(answer(call(7, version, 0, &[])), Some(accepted(2, &[2, 6])), "NULL of version {version}");
    }
    assert_eq!(answer(call(7, 3, 1, &[])), Some(accepted(4, &[])), "too few arguments");
    assert_eq!(answer(call(7, 3, 1, &[42, 2])), Some(accepted(0, &[42])), "what follows the arguments is left alone");
    assert_eq!(answer(words(&[9, 0, 3, 7])), Some(words(&[9, 1, 1, 0, 2, 2])), "RPC version 3");
}

#[test]
fn a_reply_message_is_ignored_and_no_message_is_an_error() {
    assert_eq!(answer(words(&[9, 1, 0, 0, 0, 0])), None);
    assert!(Incoming::parse(words(&[9, 2]).into(), (PEER, PEER.ip())).is_err());
    assert!(Incoming::parse(Bytes::new(), (PEER, PEER.ip())).is_err());
    assert!(Incoming::parse(words(&[9, 0, 2, 7, 3]).into(), (PEER, PEER.ip())).is_err());
}

#[test]
fn nothing_answers_under_a_flavour_that_is_not_served_not_even_null() {
    for flavour in [2, 6, 7, 390_003] {
        for (program, version, procedure) in [(7, 3, 0), (7, 3, 1), (7, 5, 0), (8, 1, 0)] {
            let record = words(&[9, 0, 2, program, version, procedure, flavour, 4, 1, 0, 0]);
            assert_eq!(answer(record), Some(words(&[9, 1, 1, 1, 1])));
        }
    }
    assert_eq!(answer(call(7, 3, 0, &[])), Some(accepted(0, &[])));
}

fn sys(gids: u32, machine_bytes: u32) -> Vec<u8> {
    let mut body = BytesMut::new();
    body.put_slice(&words(&[77, machine_bytes]));
    body.put_bytes(b'm', machine_bytes as usize);
    body.put_bytes(0, machine_bytes.wrapping_neg() as usize % 4);
    body.put_slice(&words(&[1000, 100, gids]));
    (0..gids).for_each(|gid| body.put_u32(gid));
    let head = words(&[9, 0, 2, 7, 3, 1, 1, body.len() as u32]);
    [&head[..], &body, &words(&[0, 0, 42])].concat()
}

#[test]
fn auth_sys_takes_sixteen_groups_and_refuses_more() {
    let Incoming::Call(call) = Incoming::parse(sys(16, 5).into(), (PEER, PEER.ip())).unwrap() else {
        panic!("not a call")
    };
    let Credential::Sys(credential) = call.credential else { panic!("not AUTH_SYS") };
    assert_eq!((credential.uid, credential.gid, credential.gids.len()), (1000, 100, 16));
    assert_eq!(&credential.machine_name[..], b"mmmmm");
    assert_eq!(answer(sys(16, 255)), Some(accepted(0, &[42])));
    assert_eq!(answer(sys(17, 5)), Some(words(&[9, 1, 1, 1, 1])));
    assert_eq!(answer(sys(0, 256)), Some(words(&[9, 1, 1, 1, 1])));
    assert_eq!(answer(sys(3, 600)), Some(words(&[9, 1, 1, 1, 1])), "body over 400 bytes");
}

#[test]
fn a_single_fragment_is_not_copied() {
    let mut input = BytesMut::from(&fragment(b"abcd", true)[..]);
    input.extend_from_slice(&fragment(b"efgh", true));
    let start = input.as_ptr();
    let mut reader = RecordReader::new(100);
    let first = reader.next(&mut input).unwrap().unwrap();
    assert_eq!((&first[..], first.as_ptr()), (&b"abcd"[..], start.wrapping_add(4)));
    assert_eq!(reader.next(&mut input).unwrap().unwrap(), "efgh");
    assert_eq!(reader.next(&mut input), Ok(None));
}

#[test]
fn a_record_of_as_many_fragments_as_bytes_is_taken() {
    let body: Vec<u8> = (0..3_000u32).map(|at| at as u8).collect();
    let mut stream: Vec<u8> = body.iter().flat_map(|byte| fragment(&[*byte], false)).collect();
    stream.extend(fragment(&[], false).repeat(3_000));
    stream.extend(fragment(&[], true));
    let mut reader = RecordReader::new(body.len());
    let mut input = BytesMut::from(&stream.repeat(2)[..]);
    for _ in 0..2 {
        assert_eq!(reader.next(&mut input).unwrap().unwrap(), body);
    }
    assert!(!reader.is_inside_record(&input));
}

#[test]
fn oversize_and_endless_records_are_refused_before_memory_is_reserved() {
    let mut input = BytesMut::from(&[0xff, 0xff, 0xff, 0xff][..]);
    assert_eq!(RecordReader::new(100).next(&mut input), Err(RecordError::TooLong));

    let mut reader = RecordReader::new(100);
    let mut input = BytesMut::from(&[&fragment(&[1; 60], false)[..], &fragment(&[1; 60], false)].concat()[..]);
    assert_eq!(reader.next(&mut input), Err(RecordError::TooLong));

    let mut reader = RecordReader::new(100);
    let mut input = BytesMut::from(&vec![0; 8192][..]);
    assert_eq!(reader.next(&mut input), Err(RecordError::TooManyFragments));
}

proptest! {
    #[test]
    fn records_survive_any_fragmentation_and_any_arrival(
        records in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..5), 0..6),
        arrival in 1usize..40,
    ) {
        let mut stream = Vec::new();
        for record in &records {
            for (index, body) in record.iter().enumerate() {
                stream.extend(fragment(body, index + 1 == record.len()));
            }
        }
        let mut reader = RecordReader::new(100);
        let mut input = BytesMut::new();
        let mut read = Vec::new();
        for piece in stream.chunks(arrival) {
            input.extend_from_slice(piece);
            while let Some(record) = reader.next(&mut input).unwrap() {
                read.push(record.to_vec());
            }
        }
        let expected: Vec<Vec<u8>> = records.iter().map(|record| record.concat()).collect();
        prop_assert_eq!(read, expected);
        prop_assert!(!reader.is_inside_record(&input));
    }
}

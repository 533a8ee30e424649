use bytes::Bytes;
use dittofs_xdr::{Decoder, Encode, Encoder};
use futures_util::FutureExt;

use super::wire::{IPPROTO_TCP, IPPROTO_UDP};
use super::*;
use crate::rpc::Credential;

const NFS: mapping = mapping { prog: 100_003, vers: 3, prot: IPPROTO_TCP, port: 12049 };
const ACCEPTED_BYTES: usize = 24;

fn answer(procedure: u32, arguments: &impl Encode) -> Bytes {
    let mut encoder = Encoder::default();
    arguments.encode(&mut encoder);
    let call = Call {
        peer: "127.0.0.1:700".parse().unwrap(),
        local: [127, 0, 0, 1].into(),
        xid: 1,
        program: PROGRAM,
        version: VERSION,
        procedure,
        credential: Credential::None,
        arguments: Decoder::new(encoder.finish().to_bytes()),
        record_bytes: 0,
    };
    Portmap::new(vec![NFS]).call(call).now_or_never().unwrap().into_datagram(1).unwrap()
}

fn result(procedure: u32, arguments: &impl Encode) -> Decoder {
    let reply = answer(procedure, arguments);
    assert_eq!(reply[20..24], [0; 4], "SUCCESS");
    Decoder::new(reply.slice(ACCEPTED_BYTES..))
}

#[test]
fn getport_finds_what_is_served_and_answers_zero_otherwise() {
    assert_eq!(result(3, &mapping { port: 0, ..NFS }).u32(), Ok(12049));
    assert_eq!(result(3, &mapping { vers: 4, ..NFS }).u32(), Ok(12049));
    assert_eq!(result(3, &mapping { prot: IPPROTO_UDP, ..NFS }).u32(), Ok(0));
    assert_eq!(result(3, &mapping { prog: 100_024, ..NFS }).u32(), Ok(0));
}

#[test]
fn dump_lists_everything() {
    assert_eq!(result(4, &()).get(), Ok(LinkedList(vec![NFS])));
}

#[test]
fn nothing_can_be_registered_or_passed_on() {
    assert_eq!(result(1, &NFS).bool(), Ok(false));
    assert_eq!(result(2, &NFS).bool(), Ok(false));
    assert_eq!(answer(5, &())[20..24], [0, 0, 0, 3], "PROC_UNAVAIL");
    assert_eq!(answer(6, &())[20..24], [0, 0, 0, 3], "PROC_UNAVAIL");
    assert_eq!(answer(3, &())[20..24], [0, 0, 0, 4], "GARBAGE_ARGS");
}

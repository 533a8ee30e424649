use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, Encode, Encoder};
use futures_util::FutureExt;

use super::wire::netobj;
use super::*;
use crate::rpc::{Credential, Programs};

const ACCEPTED_BYTES: usize = 24;
const COOKIE: &[u8] = b"cookie";

/// Arguments of LOCK: a cookie, two flags, and a lock of which nothing is looked at.
fn arguments() -> Bytes {
    let mut encoder = Encoder::default();
    netobj(Bytes::from_static(COOKIE)).encode(&mut encoder);
    encoder.put_words([1, 1, 4, 0x6162_6364, 0, 0, 7, 0, 0, 0, 0]);
    encoder.finish().to_bytes()
}

fn answer(version: u32, procedure: u32, arguments: Bytes) -> Bytes {
    let call = Call {
        peer: "127.0.0.1:700".parse().unwrap(),
        xid: 1,
        program: PROGRAM,
        version,
        procedure,
        credential: Credential::None,
        arguments: Decoder::new(arguments),
        record_bytes: 0,
    };
    let programs = Programs::new(vec![std::sync::Arc::new(Nlm4)]);
    programs.call(call).now_or_never().unwrap().into_datagram(1).unwrap()
}

fn result<T: Decode>(version: u32, procedure: u32) -> T {
    let reply = answer(version, procedure, arguments());
    assert_eq!(reply[20..24], [0; 4], "SUCCESS");
    let mut decoder = Decoder::new(reply.slice(ACCEPTED_BYTES..));
    let result = decoder.get().unwrap();
    decoder.finish().unwrap();
    result
}

#[test]
fn no_lock_is_granted_and_what_gives_one_up_succeeds() {
    use nlm4_stats::{NLM4_DENIED, NLM4_DENIED_NOLOCKS, NLM4_GRANTED};
    let cases = [
        (1, NLM4_DENIED_NOLOCKS),
        (2, NLM4_DENIED_NOLOCKS),
        (3, NLM4_GRANTED),
        (4, NLM4_GRANTED),
        (5, NLM4_DENIED),
        (22, NLM4_DENIED_NOLOCKS),
    ];
    for version in VERSIONS {
        for (procedure, stat) in cases {
            let expected = nlm4_res { cookie: netobj(Bytes::from_static(COOKIE)), stat };
            assert_eq!(result::<nlm4_res>(version, procedure), expected, "procedure {procedure}");
        }
        assert_eq!(result::<nlm4_shareres>(version, 20).result.stat, NLM4_DENIED_NOLOCKS);
        assert_eq!(result::<nlm4_shareres>(version, 21).result.stat, NLM4_GRANTED);
        for procedure in [0, 23] {
            result::<()>(version, procedure);
        }
    }
}

#[test]
fn what_is_not_served_is_refused_at_once() {
    for procedure in (6..20).chain([24, u32::MAX]) {
        assert_eq!(answer(4, procedure, arguments())[20..24], [0, 0, 0, 3], "PROC_UNAVAIL");
    }
    assert_eq!(answer(2, 0, arguments())[20..32], [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4], "PROG_MISMATCH");
    assert_eq!(answer(4, 2, Bytes::new())[20..24], [0, 0, 0, 4], "GARBAGE_ARGS");
    let long = Bytes::from_static(&[0xff; 8]);
    assert_eq!(answer(4, 2, long)[20..24], [0, 0, 0, 4], "GARBAGE_ARGS");
}

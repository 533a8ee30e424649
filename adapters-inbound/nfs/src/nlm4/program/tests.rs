use std::sync::LazyLock;

use bytes::Bytes;
use dittofs_domain::FsError;
use dittofs_ports::mocks::{MockEntryService, MockRecoveryService};
use dittofs_xdr::{Decode, Decoder, Encode, Encoder};
use futures_util::FutureExt;
use tokio::runtime::Runtime;

use super::*;
use crate::{
    nlm4::wire::{nlm4_lock, nlm4_testrply},
    portmap::lookup::ClientPortmap,
    rpc::{Credential, Programs},
};

const ACCEPTED_BYTES: usize = 24;
const COOKIE: &[u8] = b"cookie";

/// For calls of clients, of which there are none here.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

pub(crate) fn program() -> Nlm4 {
    Nlm4::new(manager())
}

/// A lock manager that knows no file.
pub(crate) fn manager() -> Arc<LockManager> {
    let mut entry = MockEntryService::new();
    entry.expect_enter().returning(|_, _| Err(FsError::Stale));
    let recovery = Arc::new(MockRecoveryService::new());
    let clients = ClientPortmap { port: 1 };
    Arc::new(LockManager::new(Arc::new(entry), recovery, clients, RUNTIME.handle().clone()))
}

fn cookie() -> netobj {
    netobj(Bytes::from_static(COOKIE))
}

fn alock() -> nlm4_lock {
    let opaque = || netobj(Bytes::from_static(b"opaque"));
    let caller_name = Bytes::from_static(b"pc");
    nlm4_lock { caller_name, fh: opaque(), oh: opaque(), svid: 7, l_offset: 0, l_len: 0 }
}

fn lock_arguments() -> nlm4_lockargs {
    let (block, exclusive, reclaim, state) = (true, true, false, 1);
    nlm4_lockargs { cookie: cookie(), block, exclusive, alock: alock(), reclaim, state }
}

fn bytes(arguments: &impl Encode) -> Bytes {
    let mut encoder = Encoder::default();
    arguments.encode(&mut encoder);
    encoder.finish().to_bytes()
}

fn answer(version: u32, procedure: u32, arguments: Bytes) -> Bytes {
    let call = Call {
        peer: "127.0.0.1:700".parse().unwrap(),
        local: [127, 0, 0, 1].into(),
        xid: 1,
        program: PROGRAM,
        version,
        procedure,
        credential: Credential::None,
        arguments: Decoder::new(arguments),
        record_bytes: 0,
    };
    let programs = Programs::new(vec![Arc::new(program())]);
    programs.call(call).now_or_never().unwrap().into_datagram(1).unwrap()
}

fn result<T: Decode>(version: u32, procedure: u32, arguments: &impl Encode) -> T {
    let reply = answer(version, procedure, bytes(arguments));
    assert_eq!(reply[20..24], [0; 4], "SUCCESS");
    let mut decoder = Decoder::new(reply.slice(ACCEPTED_BYTES..));
    let result = decoder.get().unwrap();
    decoder.finish().unwrap();
    result
}

#[test]
fn versions_for_nfsv2_refuse_all_that_concerns_a_lock() {
    use nlm4_stats::{NLM4_DENIED, NLM4_DENIED_NOLOCKS};
    let cases = [
        (1, NLM4_DENIED_NOLOCKS),
        (2, NLM4_DENIED_NOLOCKS),
        (3, NLM4_DENIED_NOLOCKS),
        (4, NLM4_DENIED_NOLOCKS),
        (5, NLM4_DENIED),
        (22, NLM4_DENIED_NOLOCKS),
    ];
    for version in [1, 3] {
        for (procedure, stat) in cases {
            let expected = nlm4_res { cookie: cookie(), stat };
            assert_eq!(result::<nlm4_res>(version, procedure, &lock_arguments()), expected, "procedure {procedure}");
        }
        for procedure in [20, 21] {
            assert_eq!(result::<nlm4_shareres>(version, procedure, &lock_arguments()).stat, NLM4_DENIED_NOLOCKS);
        }
        for procedure in [0, 23] {
            result::<()>(version, procedure, &lock_arguments());
        }
    }
}

#[test]
fn a_file_that_is_not_there_has_no_locks() {
    use nlm4_stats::{NLM4_DENIED, NLM4_STALE_FH};
    let stat = |procedure, arguments: Bytes| {
        let reply = answer(VERSION, procedure, arguments);
        let result: nlm4_res = Decoder::new(reply.slice(ACCEPTED_BYTES..)).get().unwrap();
        assert_eq!(result.cookie, cookie());
        result.stat
    };
    let test = nlm4_testargs { cookie: cookie(), exclusive: true, alock: alock() };
    let cancel = nlm4_cancargs { cookie: cookie(), block: true, exclusive: true, alock: alock() };
    let unlock = nlm4_unlockargs { cookie: cookie(), alock: alock() };
    let tested = result::<nlm4_testres>(VERSION, 1, &test);
    assert_eq!(tested.stat, nlm4_testrply::Other(NLM4_STALE_FH as u32));
    assert_eq!(stat(2, bytes(&lock_arguments())), NLM4_STALE_FH);
    assert_eq!(stat(22, bytes(&lock_arguments())), NLM4_STALE_FH);
    assert_eq!(stat(3, bytes(&cancel)), NLM4_STALE_FH);
    assert_eq!(stat(4, bytes(&unlock)), NLM4_STALE_FH);
    assert_eq!(stat(5, bytes(&test)), NLM4_DENIED, "nobody here waits");
}

#[test]
fn what_is_not_served_is_refused_at_once() {
    for procedure in (16..20).chain([24, u32::MAX]) {
        assert_eq!(answer(4, procedure, bytes(&lock_arguments()))[20..24], [0, 0, 0, 3], "PROC_UNAVAIL");
    }
    assert_eq!(answer(2, 0, Bytes::new())[20..32], [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4], "PROG_MISMATCH");
    for procedure in [1, 2, 3, 4, 6, 7, 8, 9, 20, 21, 22, 23] {
        assert_eq!(answer(4, procedure, Bytes::new())[20..24], [0, 0, 0, 4], "GARBAGE_ARGS of {procedure}");
        let long = Bytes::from_static(&[0xff; 8]);
        assert_eq!(answer(4, procedure, long)[20..24], [0, 0, 0, 4], "GARBAGE_ARGS of {procedure}");
    }
}

//! Bytes that no well-behaved client sends, and many calls at once.

use std::collections::BTreeSet;

use dittofs_tests::{
    rpc::{Credential, LAST_FRAGMENT, MOUNT, NFS, Outcome, RpcConnection, record},
    server::{ONE_SHARE, Server},
};
use nfs3_client::nfs3_types::{
    nfs3::*,
    rpc::auth_stat,
    xdr_codec::{Opaque, Void},
};

use crate::session::{pattern, place, serve};

const RPCSEC_GSS: u32 = 6;
const NLM: u32 = 100_021;

fn connect(server: &Server) -> RpcConnection {
    RpcConnection::open(server.address(), Credential::user(0, 0), 1)
}

fn outcome(connection: &mut RpcConnection, record: &[u8]) -> Outcome {
    connection.queue_bytes(record);
    connection.send().unwrap();
    connection.receive().expect("the server closed the connection").outcome()
}

#[test]
fn pipelined_calls_are_all_answered_in_any_order() {
    const MIB: u32 = 1 << 20;
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    let root = connection.mount("/export");
    let how = createhow3::GUARDED(sattr3::default());
    let arguments = CREATE3args { where_: place(&root, b"file"), how };
    let made: CREATE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &arguments);
    let file = made.unwrap().obj.unwrap();
    let content = pattern(MIB as usize);
    let (stable, data) = (stable_how::UNSTABLE, Opaque::borrowed(&content));
    let arguments = WRITE3args { file: file.clone(), offset: 0, count: MIB, stable, data };
    let written: WRITE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &arguments);
    written.unwrap();

    let (mut reads, mut others) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..400u32 {
        if number % 20 == 0 {
            let arguments = READ3args { file: file.clone(), offset: 0, count: MIB };
            reads.insert(connection.queue(NFS, NFS_PROGRAM::NFSPROC3_READ as u32, &arguments));
        } else {
            let arguments = GETATTR3args { object: file.clone() };
            others.insert(connection.queue(NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &arguments));
        }
    }
    connection.send().unwrap();
    while !(reads.is_empty() && others.is_empty()) {
        let reply = connection.receive().unwrap();
        if reads.remove(&reply.xid) {
            assert!(reply.results::<READ3res<'_>>().unwrap().data.as_ref() == content.as_slice());
        } else {
            assert!(others.remove(&reply.xid), "an answer to nothing: {}", reply.xid);
            assert_eq!(reply.results::<GETATTR3res>().unwrap().obj_attributes.size, u64::from(MIB));
        }
    }
}

#[test]
fn programs_versions_and_procedures_that_are_not_served_are_refused_by_name() {
    const NFSACL: (u32, u32) = (100_227, 3);
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    let root = Credential::user(0, 0);
    let cases = [
        (record(1, NFSACL, 0, &root, &Void), Outcome::ProgramUnavailable),
        (record(2, (NFS.0, 2), 0, &root, &Void), Outcome::ProgramMismatch(3, 3)),
        (record(3, (NFS.0, 4), 0, &root, &Void), Outcome::ProgramMismatch(3, 3)),
        (record(4, (MOUNT.0, 4), 0, &root, &Void), Outcome::ProgramMismatch(1, 3)),
        (record(10, (MOUNT.0, 2), 0, &root, &Void), Outcome::ProgramMismatch(1, 3)),
        (record(11, (NLM, 2), 0, &root, &Void), Outcome::ProgramMismatch(1, 4)),
        (record(5, NFS, 22, &root, &Void), Outcome::ProcedureUnavailable),
        (record(6, MOUNT, 6, &root, &Void), Outcome::ProcedureUnavailable),
        (record(7, NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &root, &Void), Outcome::GarbageArguments),
    ];
    for (record, expected) in cases {
        assert_eq!(outcome(&mut connection, &record), expected);
    }
    let mut other_rpc = record(8, NFS, 0, &root, &Void);
    other_rpc[4 + 8 + 3] = 3;
    assert_eq!(outcome(&mut connection, &other_rpc), Outcome::RpcMismatch(2, 2));
}

#[test]
fn an_unknown_flavour_is_refused_also_for_null() {
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    let object = connection.mount("/export");
    let strange = [
        Credential { flavour: RPCSEC_GSS, body: vec![0; 20] },
        Credential { flavour: 0xdead_beef, body: Vec::new() },
        Credential { flavour: 1, body: vec![0xff; 24] },
    ];
    for credential in strange {
        let null = record(1, NFS, 0, &credential, &Void);
        let refused = outcome(&mut connection, &null);
        assert_eq!(refused, Outcome::AuthError(auth_stat::AUTH_BADCRED), "{credential:?}");
        let arguments = GETATTR3args { object: object.clone() };
        let getattr = record(2, NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &credential, &arguments);
        let refused = outcome(&mut connection, &getattr);
        assert_eq!(refused, Outcome::AuthError(auth_stat::AUTH_BADCRED), "{credential:?}");
    }
}

#[test]
fn a_record_that_is_too_long_ends_its_own_connection_only() {
    let server = serve(ONE_SHARE);
    let mut good = connect(&server);
    let object = good.mount("/export");
    for mark in [LAST_FRAGMENT | (2 << 20), LAST_FRAGMENT | 0x7fff_ffff, 0x7fff_ffff] {
        let mut bad = connect(&server);
        bad.queue_bytes(&mark.to_be_bytes());
        bad.send().unwrap();
        assert!(bad.receive().is_none(), "mark {mark:#x}");
        let arguments = GETATTR3args { object: object.clone() };
        let found: GETATTR3res = good.call(NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &arguments);
        found.unwrap();
    }
}

#[test]
fn a_record_in_many_fragments_is_one_call() {
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    let object = connection.mount("/export");
    let procedure = NFS_PROGRAM::NFSPROC3_GETATTR as u32;
    let whole = record(99, NFS, procedure, &Credential::user(0, 0), &GETATTR3args { object });
    let body = &whole[4..];
    let mut pieces = Vec::new();
    for (number, piece) in body.chunks(7).enumerate() {
        let last = if (number + 1) * 7 >= body.len() { LAST_FRAGMENT } else { 0 };
        pieces.extend((last | piece.len() as u32).to_be_bytes());
        pieces.extend(piece);
    }
    connection.queue_bytes(&pieces);
    connection.send().unwrap();
    let reply = connection.receive().unwrap();
    assert_eq!(reply.xid, 99);
    reply.results::<GETATTR3res>().unwrap();
}

#[test]
fn padding_of_any_value_and_bytes_behind_the_arguments_are_left_alone() {
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    let root = connection.mount("/export");
    let how = createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"12345"), how };
    let mut strange = record(77, NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &Credential::user(0, 0), &create);
    let name = strange.windows(5).position(|bytes| bytes == b"12345").unwrap();
    strange[name + 5..name + 8].copy_from_slice(b"xyz");
    strange.extend(b"more than there should be");
    let length = LAST_FRAGMENT | (strange.len() - 4) as u32;
    strange[..4].copy_from_slice(&length.to_be_bytes());
    connection.queue_bytes(&strange);
    connection.send().unwrap();
    connection.receive().unwrap().results::<CREATE3res>().unwrap();
    let arguments = LOOKUP3args { what: place(&root, b"12345") };
    let found: LOOKUP3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_LOOKUP as u32, &arguments);
    found.unwrap();
}

#[test]
fn a_lock_of_nfsv2_is_denied_at_once() {
    const LOCK: u32 = 2;
    let server = serve(ONE_SHARE);
    let mut connection = connect(&server);
    connection.queue((NLM, 1), LOCK, &Opaque::borrowed(b"name of the call"));
    connection.send().unwrap();
    let reply = connection.receive().unwrap();
    let Outcome::Success(results) = reply.outcome() else { panic!("{:?}", reply.outcome()) };
    // The client's name for its request, and NLM4_DENIED_NOLOCKS.
    assert_eq!(&reply.bytes[results..], b"\0\0\0\x10name of the call\0\0\0\x02");
}

//! Fuzz targets, as plain functions over bytes. None may panic, whatever it is given.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::{Bytes, BytesMut};
use dittofs_xdr::{Decode, Decoder};
use futures_util::FutureExt;

use crate::mount3::wire as mount3;
use crate::nfs3::wire as nfs3;
use crate::nlm4::wire as nlm4;
use crate::nsm::wire as nsm;
use crate::portmap::Portmap;
use crate::portmap::wire::mapping;
use crate::rpc::{Incoming, Programs, RecordReader};

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
const RECORD_BYTES_MAX: usize = 4096;

/// A target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("record_reader", fuzz_record_reader),
    ("rpc_call", fuzz_rpc_call),
    ("nfs3_arguments", fuzz_nfs3_arguments),
    ("nfs3_results", fuzz_nfs3_results),
    ("mount3", fuzz_mount3),
    ("portmap", fuzz_portmap),
    ("nlm4", fuzz_nlm4),
    ("nsm1", fuzz_nsm1),
];

/// A stream of records. Its first byte says in what pieces the others arrive.
pub fn fuzz_record_reader(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let mut reader = RecordReader::new(RECORD_BYTES_MAX);
    let mut input = BytesMut::new();
    for piece in stream.chunks(usize::from(*piece).max(1)) {
        input.extend_from_slice(piece);
        loop {
            match reader.next(&mut input) {
                Ok(Some(record)) => assert!(record.len() <= RECORD_BYTES_MAX),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        let _ = reader.whole_record_bytes(&input);
        let _ = reader.is_inside_record(&input);
    }
}

/// A record: header, credential, dispatch and the portmapper's answer.
pub fn fuzz_rpc_call(data: &[u8]) {
    if let Ok(Incoming::Call(call)) = Incoming::parse(Bytes::copy_from_slice(data), (PEER, PEER.ip())) {
        let _ = crate::duplicate::DuplicateKey::of(&call).operation();
        let programs = Programs::new(vec![std::sync::Arc::new(Portmap::new(Vec::new()))]);
        let reply = programs.call(call).now_or_never();
        let _ = reply.and_then(|reply| reply.into_datagram(1));
    }
}

/// The arguments of an NFSv3 procedure, which the first byte chooses.
pub fn fuzz_nfs3_arguments(data: &[u8]) {
    choose(
        data,
        &[
            attempt::<nfs3::GETATTR3args>,
            attempt::<nfs3::SETATTR3args>,
            attempt::<nfs3::LOOKUP3args>,
            attempt::<nfs3::ACCESS3args>,
            attempt::<nfs3::READLINK3args>,
            attempt::<nfs3::READ3args>,
            attempt::<nfs3::WRITE3args>,
            attempt::<nfs3::CREATE3args>,
            attempt::<nfs3::MKDIR3args>,
            attempt::<nfs3::SYMLINK3args>,
            attempt::<nfs3::MKNOD3args>,
            attempt::<nfs3::REMOVE3args>,
            attempt::<nfs3::RMDIR3args>,
            attempt::<nfs3::RENAME3args>,
            attempt::<nfs3::LINK3args>,
            attempt::<nfs3::READDIR3args>,
            attempt::<nfs3::READDIRPLUS3args>,
            attempt::<nfs3::FSSTAT3args>,
            attempt::<nfs3::FSINFO3args>,
            attempt::<nfs3::PATHCONF3args>,
            attempt::<nfs3::COMMIT3args>,
        ],
    );
}

/// The result of an NFSv3 procedure, which the first byte chooses.
pub fn fuzz_nfs3_results(data: &[u8]) {
    choose(
        data,
        &[
            attempt::<nfs3::GETATTR3res>,
            attempt::<nfs3::LOOKUP3res>,
            attempt::<nfs3::READ3res>,
            attempt::<nfs3::WRITE3res>,
            attempt::<nfs3::CREATE3res>,
            attempt::<nfs3::RENAME3res>,
            attempt::<nfs3::READDIR3res>,
            attempt::<nfs3::READDIRPLUS3res>,
            attempt::<nfs3::FSINFO3res>,
        ],
    );
}

/// Arguments and results of MOUNT.
pub fn fuzz_mount3(data: &[u8]) {
    choose(
        data,
        &[
            attempt::<mount3::dirpath>,
            attempt::<mount3::mountres3>,
            attempt::<mount3::mountlist>,
            attempt::<mount3::exports>,
        ],
    );
}

/// The portmapper's arguments.
pub fn fuzz_portmap(data: &[u8]) {
    attempt::<mapping>(data);
}

/// Arguments and results of the lock manager.
pub fn fuzz_nlm4(data: &[u8]) {
    choose(
        data,
        &[
            attempt::<nlm4::nlm4_testargs>,
            attempt::<nlm4::nlm4_lockargs>,
            attempt::<nlm4::nlm4_cancargs>,
            attempt::<nlm4::nlm4_unlockargs>,
            attempt::<nlm4::nlm4_shareargs>,
            attempt::<nlm4::nlm4_notify>,
            attempt::<nlm4::nlm4_testres>,
            attempt::<nlm4::nlm4_res>,
        ],
    );
}

/// The status monitor's arguments.
pub fn fuzz_nsm1(data: &[u8]) {
    choose(data, &[attempt::<nsm::sm_name>, attempt::<nsm::stat_chge>]);
}

fn choose(data: &[u8], decoders: &[fn(&[u8])]) {
    let Some((choice, rest)) = data.split_first() else { return };
    if let Some(decoder) = decoders.get(usize::from(*choice) % decoders.len()) {
        decoder(rest);
    }
}

fn attempt<T: Decode>(data: &[u8]) {
    let mut decoder = Decoder::new(Bytes::copy_from_slice(data));
    if decoder.get::<T>().is_ok() {
        let _ = decoder.finish();
    }
}

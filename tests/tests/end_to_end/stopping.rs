//! SIGTERM: what is in flight is answered, and the end comes within a bound.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use dittofs_tests::{
    rpc::{Credential, NFS, RpcConnection},
    server::ONE_SHARE,
};
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque};

use crate::session::{place, serve};

/// The configured bound of 10 s, and what an overloaded machine needs beside.
const BOUND: Duration = Duration::from_secs(15);

#[test]
fn an_idle_server_stops_at_once_though_clients_stay() {
    let server = serve(ONE_SHARE);
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    connection.mount("/export");
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
    assert!(stopped.after < Duration::from_secs(5), "{stopped:?}");
    assert!(connection.receive().is_none());
}

#[test]
fn a_server_under_load_answers_stops_and_exits_with_zero() {
    let server = serve(ONE_SHARE);
    let address = server.address();
    let (answered, ready) = (AtomicU32::new(0), Barrier::new(4));
    thread::scope(|scope| {
        for client in 0..4u32 {
            let (answered, ready) = (&answered, &ready);
            scope.spawn(move || {
                let mut connection = RpcConnection::open(address, Credential::user(0, 0), client << 24);
                let root = connection.mount("/export");
                let name = format!("file {client}");
                let how = createhow3::GUARDED(sattr3::default());
                let arguments = CREATE3args { where_: place(&root, name.as_bytes()), how };
                let made: CREATE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &arguments);
                // None is still making its file when the server stops.
                ready.wait();
                write_until_closed(&mut connection, &made.unwrap().obj.unwrap(), answered);
            });
        }
        while answered.load(Ordering::Relaxed) < 200 {
            thread::sleep(Duration::from_millis(5));
        }
        let stopped = server.stop();
        assert!(stopped.status.success(), "{stopped:?}");
        assert!(stopped.after < BOUND, "{stopped:?}");
    });
}

/// Keeps 16 writes in flight. Every answer that comes is whole, and is a success.
fn write_until_closed(connection: &mut RpcConnection, file: &nfs_fh3, answered: &AtomicU32) {
    let data = vec![7; 64 << 10];
    let queue = |connection: &mut RpcConnection, number: u64| {
        let data = Opaque::borrowed(&data);
        let (offset, count, stable) = ((number % 64) << 16, data.len() as u32, stable_how::UNSTABLE);
        let arguments = WRITE3args { file: file.clone(), offset, count, stable, data };
        connection.queue(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &arguments);
        connection.send()
    };
    let mut number = 0;
    let mut is_open = true;
    while number < 16 {
        is_open &= queue(connection, number).is_ok();
        number += 1;
    }
    while let Some(reply) = connection.receive() {
        reply.results::<WRITE3res>().unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
        if is_open {
            is_open = queue(connection, number).is_ok();
            number += 1;
        }
    }
}

/// A connection that takes none of its replies keeps the drain waiting: so much is due to it.
#[test]
fn a_second_signal_ends_the_server_at_once() {
    let configuration = format!("{ONE_SHARE}\nadapters: {{ nfs: {{ limits: {{ drain_seconds: 600 }} }} }}\n");
    let mut server = serve(&configuration);
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    let root = connection.mount("/export");
    let how = createhow3::GUARDED(sattr3::default());
    let arguments = CREATE3args { where_: place(&root, b"file"), how };
    let made: CREATE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &arguments);
    let file = made.unwrap().obj.unwrap();
    let data = vec![7; 1 << 20];
    let (count, stable) = (data.len() as u32, stable_how::UNSTABLE);
    let arguments = WRITE3args { file: file.clone(), offset: 0, count, stable, data: Opaque::borrowed(&data) };
    let written: WRITE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &arguments);
    written.unwrap();
    for _ in 0..64 {
        let arguments = READ3args { file: file.clone(), offset: 0, count };
        connection.queue(NFS, NFS_PROGRAM::NFSPROC3_READ as u32, &arguments);
    }
    connection.send().unwrap();
    thread::sleep(Duration::from_millis(500));
    server.terminate();
    thread::sleep(Duration::from_secs(1));
    assert!(server.is_running(), "the drain should wait for its client");
    server.terminate();
    let stopped = server.wait();
    assert_eq!(stopped.status.code(), Some(1), "{stopped:?}");
    assert!(stopped.after < Duration::from_secs(2), "{stopped:?}");
}

//! Clients that make the server hold much.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use nfs3_types::{nfs3::*, xdr_codec::Opaque};

use super::{GETATTR, READ, WRITE, connect};
use crate::rpc::{Credential, NFS, record};

const MIB: usize = 1 << 20;
/// How long a client waits before it opens a connection again.
const RECONNECT: Duration = Duration::from_millis(100);

fn write_call(file: &nfs_fh3, xid: u32, offset: u64, data: &[u8]) -> Vec<u8> {
    let (stable, data) = (stable_how::UNSTABLE, Opaque::borrowed(data));
    let arguments = WRITE3args { file: file.clone(), offset, count: MIB as u32, stable, data };
    record(xid, NFS, WRITE, &Credential::user(0, 0), &arguments)
}

/// Connections that have sent all but the end of a WRITE of 1 MiB, as far as the server takes it. Each is a client that the
/// share knows.
pub fn half_records(address: SocketAddr, file: &nfs_fh3, connections: usize) -> Vec<TcpStream> {
    let credential = Credential::user(0, 0);
    let known = record(1, NFS, GETATTR, &credential, &GETATTR3args { object: file.clone() });
    let half = write_call(file, 2, 0, &vec![7; MIB]);
    let half = &half[..half.len() - 1000];
    let open = || {
        let mut stream = TcpStream::connect(address).unwrap();
        // Until the server takes no more, or sheds it.
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let _ = stream.write_all(&known).and_then(|()| stream.write_all(half));
        stream
    };
    // Several at a time, as each waits a little.
    let mut streams = Vec::new();
    while streams.len() < connections {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..50.min(connections - streams.len())).map(|_| scope.spawn(open)).collect();
            streams.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        });
    }
    streams
}

/// Connections that ask for a MiB so many times each, and take nothing.
pub fn replies_not_taken(address: SocketAddr, file: &nfs_fh3, connections: usize, calls: usize) -> Vec<TcpStream> {
    let arguments = READ3args { file: file.clone(), offset: 0, count: MIB as u32 };
    let call = record(3, NFS, READ, &Credential::user(0, 0), &arguments);
    let all = call.repeat(calls);
    let open = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        // The server may shed it at once.
        let _ = stream.write_all(&all);
        stream
    };
    (0..connections).map(open).collect()
}

/// Writes MiB by MiB over many connections, with so many calls under way on each. Where the server sheds a connection, its
/// client opens another one and sends again what was not answered, as an NFS client does, until all are answered. Returns
/// how many connections were shed.
pub fn write_at_full_depth(address: SocketAddr, file: &nfs_fh3, connections: usize, depth: usize) -> usize {
    let data = vec![9; MIB];
    let write = |number: usize| {
        let (mut answered, mut shed) = (0, 0);
        while answered < depth {
            let mut connection = connect(address);
            for call in answered..depth {
                let offset = ((number * depth + call) % 64 * MIB) as u64;
                let arguments = WRITE3args {
                    file: file.clone(),
                    offset,
                    count: MIB as u32,
                    stable: stable_how::UNSTABLE,
                    data: Opaque::borrowed(&data),
                };
                connection.queue(NFS, WRITE, &arguments);
            }
            // The server may have shed it while it sent: its replies tell.
            let _ = connection.send();
            while answered < depth {
                let Ok(reply) = connection.try_receive() else { break };
                // Replies come in any order: which of them were answered makes no difference to what the server holds.
                reply.results::<WRITE3res>().unwrap();
                answered += 1;
            }
            if answered < depth {
                shed += 1;
                thread::sleep(RECONNECT);
            }
        }
        shed
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|number| scope.spawn(move || write(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

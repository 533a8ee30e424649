use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::rpc::{Incoming, Programs, Reply};

/// Large enough for any call to a portmapper, to MOUNT or to the status monitor.
const DATAGRAM_BYTES_MAX: usize = 8192;

/// Calls that are carried out at once. More are not answered: their clients send them again.
const CALLS_MAX: usize = 64;

/// Answers calls that come as datagrams. Runs until it is dropped.
pub async fn serve_datagrams(socket: UdpSocket, programs: Programs) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let local = socket.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip().to_canonical());
    let (socket, mut calls) = (Arc::new(socket), JoinSet::new());
    loop {
        let (bytes, peer) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                warn_of(&error);
                tokio::task::yield_now().await;
                continue;
            }
        };
        while calls.try_join_next().is_some() {}
        if calls.len() >= CALLS_MAX {
            continue;
        }
        let record = Bytes::copy_from_slice(buffer.get(..bytes).unwrap_or_default());
        calls.spawn(serve(Arc::clone(&socket), record, (peer, local), programs.clone()));
    }
}

async fn serve(socket: Arc<UdpSocket>, record: Bytes, (peer, local): (SocketAddr, IpAddr), programs: Programs) {
    let Some(answer) = answer(record, (peer, local), &programs).await else { return };
    if let Err(error) = socket.send_to(&answer, peer).await {
        debug!(%peer, %error, "a datagram could not be sent");
    }
}

async fn answer(record: Bytes, ends: (SocketAddr, IpAddr), programs: &Programs) -> Option<Bytes> {
    let (xid, reply): (u32, Reply) = match Incoming::parse(record, ends).ok()? {
        Incoming::Call(call) => (call.xid, programs.call(call).await),
        Incoming::Refused { xid, reply } => (xid, reply),
        Incoming::Ignored => return None,
    };
    reply.into_datagram(xid)
}

fn warn_of(error: &io::Error) {
    // An earlier answer met a closed port: that is the peer's affair.
    if error.kind() != io::ErrorKind::ConnectionRefused {
        warn!(%error, "a datagram could not be received");
    }
}

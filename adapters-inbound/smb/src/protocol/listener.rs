//! Takes clients in, as far as the bounds over all protocols let them, and spreads them over the fronts.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_transport::{ClientNetwork, Control, Newcomers, Received, Serving, Wish};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::MissedTickBehavior,
};

use crate::{connection::Connection, server::Server};

/// After a failure to accept, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is tried to seat newcomers that wait.
const SEAT_PAUSE: Duration = Duration::from_millis(5);
/// A client that is gone without a word is noticed after a few of these.
const KEEPALIVE: Duration = Duration::from_secs(60);

struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    control: Arc<Control>,
}

/// Accepts until the server has enough.
pub(super) async fn accept(
    listener: TcpListener,
    serving: Serving,
    server: Arc<Server>,
    mut wish: watch::Receiver<Wish>,
) {
    let mut newcomers = Newcomers::default();
    let mut retry = tokio::time::interval(SEAT_PAUSE);
    retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut front = 0usize;
    let connections = &serving.bounds.connections;
    loop {
        let received: Vec<Received<Accepted>> = tokio::select! {
            () = async { wish.wait_for(|wish| *wish != Wish::Run).await.map_or((), drop) } => return,
            _ = retry.tick(), if !newcomers.is_empty() => newcomers.serve(connections, Instant::now()),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let control = Arc::new(Control::default());
                    let who = (ClientNetwork::of(peer.ip()), Arc::clone(&control));
                    let accepted = Accepted { stream, peer, control };
                    newcomers.receive(connections, who, accepted, Instant::now()).into_iter().collect()
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    if newcomers.turn_away().is_none() {
                        connections.make_room();
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        for received in received {
            match received {
                Received::Seated(accepted, seat) => {
                    front = front.wrapping_add(1);
                    start(&serving, &server, accepted, seat, front, wish.clone());
                }
                Received::Refused(accepted, full) => {
                    server.counts.refused.count();
                    tracing::debug!(peer = %accepted.peer, ?full, "too many busy connections: refused");
                }
            }
        }
    }
}

fn start(
    serving: &Serving,
    server: &Arc<Server>,
    Accepted { stream, peer, control }: Accepted,
    seat: dittofs_transport::Seat,
    front: usize,
    mut wish: watch::Receiver<Wish>,
) {
    let Some(front) = serving.fronts.get(front % serving.fronts.len().max(1)) else { return };
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    // A connection that is lost already fails at its first read.
    SockRef::from(&stream).set_tcp_keepalive(&keepalive).ok();
    stream.set_nodelay(true).ok();
    let account = serving.bounds.memory.account(ClientNetwork::of(peer.ip()));
    let connection = Connection::new(Arc::clone(server), peer, (seat, account));
    server.counts.accepted.count();
    let server = Arc::clone(server);
    // The socket is registered anew with the front's reactor, so that its events never cross threads.
    let Ok(stream) = stream.into_std() else { return };
    front.spawn(async move {
        if let Ok(stream) = TcpStream::from_std(stream) {
            let wishes = async {
                // Both end when the sender does, or hears that all is over.
                if wish.wait_for(|wish| *wish != Wish::Run).await.is_ok() {
                    control.ask(Wish::Drain);
                }
                if wish.wait_for(|wish| *wish == Wish::Cut).await.is_ok() {
                    control.ask(Wish::Cut);
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = connection.run(stream, &control) => {}
                () = wishes => {}
            }
        }
        server.counts.closed.count();
    });
}

//! A protocol that is no part of the program: lines of text that list, read and write files. It shows what adding one
//! takes (`docs/extending.md`); nobody should serve it to unknown clients.
//!
//! A client sends a line, and gets `ok NUMBER` and so much of what it asked for, or `error` and why:
//!
//! - `list PATH`: the names in a directory, a line each
//! - `read PATH`: the bytes of a file, and a newline
//! - `write PATH TEXT`: makes the file if it is not there, and the text all that it has
//!
//! A path begins with a share's name. Whoever connects is the share's anonymous user.

mod command;
mod connection;
mod counts;
mod files;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Protocol, Serving, Wish};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};

use connection::Connection;
use counts::Counts;

/// Clients that may wait to be accepted.
const BACKLOG: u32 = 64;
/// After a failure to accept, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The section `adapters.line`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineOptions {
    /// Where it is served; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How long calls may go on after the signal to stop, in seconds.
    #[serde(default = "drain_seconds")]
    pub drain_seconds: u64,
}

fn drain_seconds() -> u64 {
    10
}

/// The protocol.
pub struct Line {
    options: LineOptions,
    socket: Option<TcpSocket>,
    address: SocketAddr,
    counts: Arc<Counts>,
    wish: watch::Sender<Wish>,
}

#[async_trait]
impl Protocol for Line {
    type Options = LineOptions;

    async fn bind(options: &LineOptions) -> Result<Line, ListenError> {
        let socket = take(options.listen).map_err(|source| refused(options.listen, source))?;
        let (counts, wish) = (Arc::default(), watch::Sender::new(Wish::Run));
        Ok(Line { options: options.clone(), socket: Some(socket), address: options.listen, counts, wish })
    }

    fn start(&mut self, serving: Serving) -> Result<(), ListenError> {
        let Some(socket) = self.socket.take() else { return Ok(()) };
        let listening = socket.listen(BACKLOG).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listening.map_err(|source| refused(self.address, source))?;
        self.address = address;
        tokio::spawn(accept(listener, serving, Arc::clone(&self.counts), self.wish.subscribe()));
        Ok(())
    }

    fn announce(&self, share: &str) -> Vec<String> {
        vec![format!("echo list {share} | nc {} {}", self.address.ip(), self.address.port())]
    }

    fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        Arc::clone(&self.counts) as _
    }

    fn reload(&self, newer: &LineOptions) -> Vec<&'static str> {
        let LineOptions { listen, drain_seconds } = &self.options;
        let differ = [("listen", *listen != newer.listen), ("drain_seconds", *drain_seconds != newer.drain_seconds)];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    async fn drain(&self) {
        // Connections hold receivers, and so does the task that accepts.
        self.wish.send_replace(Wish::Drain);
        let bound = Duration::from_secs(self.options.drain_seconds);
        if tokio::time::timeout(bound, self.wish.closed()).await.is_err() {
            self.wish.send_replace(Wish::Cut);
        }
    }
}

fn take(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn refused(address: SocketAddr, source: io::Error) -> ListenError {
    ListenError { address, what: "lines", option: "adapters.line.listen", source }
}

/// Spreads connections over the fronts in turn, as far as the bounds over all protocols let them in.
async fn accept(listener: TcpListener, serving: Serving, counts: Arc<Counts>, mut wish: watch::Receiver<Wish>) {
    let mut next = 0usize;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = wish.wait_for(|wish| *wish != Wish::Run) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(connection) = Connection::seat(peer, &serving, &counts, wish.clone()) else { continue };
        next = next.wrapping_add(1);
        let front = &serving.fronts[next % serving.fronts.len()];
        let mut cut = wish.clone();
        // The socket is registered anew with the front's reactor.
        if let Ok(stream) = stream.into_std() {
            front.spawn(async move {
                let Ok(stream) = TcpStream::from_std(stream) else { return };
                tokio::select! {
                    () = connection.run(stream) => {}
                    _ = cut.wait_for(|wish| *wish == Wish::Cut) => {}
                }
            });
        }
    }
}

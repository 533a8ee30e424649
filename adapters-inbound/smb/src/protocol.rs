//! The adapter as a server plugs it in.

mod listener;
mod mounting;
mod options;

use std::{io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use dittofs_ports::{ShareInfo, statistics::ProtocolStatistics};
use dittofs_smb_security::ntlm::TargetNames;
use dittofs_transport::{ListenError, Protocol, Serving, Wish};
use parking_lot::Mutex;
use tokio::{net::TcpSocket, sync::watch};

use crate::{counts::Statistics, events::Events, renewal::renew_all, server::Server};
use listener::accept;
pub use options::{Encryption, SmbLimits, SmbOptions};

/// Clients that may wait to be accepted.
const BACKLOG: u32 = 256;

/// SMB 2 and 3.
pub struct Smb {
    options: SmbOptions,
    socket: Option<TcpSocket>,
    address: SocketAddr,
    server: Option<Arc<Server>>,
    wish: watch::Sender<Wish>,
    drain: Mutex<std::time::Duration>,
}

#[async_trait]
impl Protocol for Smb {
    type Options = SmbOptions;

    async fn bind(options: &SmbOptions) -> Result<Smb, ListenError> {
        let socket = take(options.listen).map_err(|source| refused(options.listen, source))?;
        Ok(Smb {
            options: options.clone(),
            socket: Some(socket),
            address: options.listen,
            server: None,
            wish: watch::Sender::new(Wish::Run),
            drain: Mutex::new(options.limits.drain),
        })
    }

    fn start(&mut self, serving: Serving) -> Result<(), ListenError> {
        let Some(socket) = self.socket.take() else { return Ok(()) };
        let listening = socket.listen(BACKLOG).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listening.map_err(|source| refused(self.address, source))?;
        self.address = address;
        let name = |_| refused(address, io::Error::other("`server_name` has 1 to 15 characters"));
        let names = TargetNames::standalone(&self.options.server_name).map_err(name)?;
        let server = Arc::new(Server::new(&serving, self.options.clone(), Arc::new(names)));
        serving.services.entry.subscribe(Arc::new(Events(Arc::downgrade(&server))));
        self.server = Some(Arc::clone(&server));
        tokio::spawn(renew_all(Arc::clone(&server), self.wish.subscribe()));
        tokio::spawn(accept(listener, serving, server, self.wish.subscribe()));
        Ok(())
    }

    fn announce(&self, share: &str) -> Vec<String> {
        let Some(server) = &self.server else { return Vec::new() };
        let found = server.services.admin.shares().into_iter().find(|known| known.name == share);
        let commands = |share: ShareInfo| {
            mounting::commands(self.address, &self.options, (&share.short_name, share.requires_encryption))
        };
        found.map(commands).unwrap_or_default()
    }

    fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        Arc::new(Statistics(self.server.clone()))
    }

    fn reload(&self, newer: &SmbOptions) -> Vec<&'static str> {
        *self.drain.lock() = newer.limits.drain;
        self.options.needing_restart(newer)
    }

    async fn drain(&self) {
        // Connections hold receivers, and so does the task that accepts.
        self.wish.send_replace(Wish::Drain);
        let bound = *self.drain.lock();
        if tokio::time::timeout(bound, self.wish.closed()).await.is_err() {
            tracing::warn!("connections were cut: their requests took too long");
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
    ListenError { address, what: "SMB", option: "adapters.smb.listen", source }
}

//! The adapter as a server plugs it in: NFS, MOUNT and the lock manager on one address, and the portmapper if it is
//! wanted.

mod options;
mod ports;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Protocol, Serving};
use parking_lot::Mutex;
use tokio::net::UdpSocket;

use crate::{
    NfsStatistics,
    duplicate::DuplicateRequests,
    mount3::{self, Mount3},
    nfs3::{self, Nfs3},
    nlm4::{self, Nlm4},
    portmap::{
        self, Portmap,
        wire::{IPPROTO_TCP, IPPROTO_UDP, mapping},
    },
    rpc::Programs,
    transport::{Server, serve_datagrams},
};
pub use options::{NfsLimits, NfsOptions};
use ports::{Port, Ports};

/// NFS version 3.
pub struct Nfs {
    options: NfsOptions,
    /// Those that nobody can connect to yet.
    ports: Option<Ports>,
    servers: Vec<Arc<Server>>,
    duplicates: Arc<DuplicateRequests>,
    address: SocketAddr,
    drain: Mutex<Duration>,
}

#[async_trait]
impl Protocol for Nfs {
    type Options = NfsOptions;

    async fn bind(options: &NfsOptions) -> Result<Nfs, ListenError> {
        Ok(Nfs {
            options: options.clone(),
            ports: Some(Ports::take(options).await?),
            servers: Vec::new(),
            duplicates: Arc::new(DuplicateRequests::new(&options.duplicates())),
            address: options.listen,
            drain: Mutex::new(options.limits.drain),
        })
    }

    fn start(&mut self, serving: Serving) -> Result<(), ListenError> {
        let Some(Ports { nfs, portmap }) = self.ports.take() else { return Ok(()) };
        self.address = nfs.address()?;
        let programs = programs(&serving, Arc::clone(&self.duplicates));
        self.listen(nfs, programs, &serving)?;
        if let Some((streams, datagrams)) = portmap {
            self.start_portmap(streams, datagrams, &serving)?;
        }
        Ok(())
    }

    fn announce(&self, share: &str) -> Vec<String> {
        let (host, port) = (self.address.ip(), self.address.port());
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        vec![format!("mount -t nfs -o vers=3,tcp,port={port},mountport={port},nolock,nosuid,nodev {host}:{share} /mnt")]
    }

    fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        Arc::new(NfsStatistics::new(self.servers.clone(), Arc::clone(&self.duplicates)))
    }

    fn reload(&self, newer: &NfsOptions) -> Vec<&'static str> {
        *self.drain.lock() = newer.limits.drain;
        self.options.needing_restart(newer)
    }

    async fn drain(&self) {
        let bound = *self.drain.lock();
        for server in &self.servers {
            let drained = server.drain(bound).await;
            if drained.cut > 0 {
                tracing::warn!(connections = drained.cut, "connections were cut: their calls took too long");
            }
        }
    }
}

impl Nfs {
    fn listen(&mut self, port: Port, programs: Programs, serving: &Serving) -> Result<(), ListenError> {
        let listener = port.listen()?;
        let limits = self.options.limits(serving);
        let server = Server::new(programs, limits, serving.bounds.clone(), serving.fronts.clone());
        tokio::spawn({
            let server = Arc::clone(&server);
            async move { server.serve(listener).await }
        });
        self.servers.push(server);
        Ok(())
    }

    fn start_portmap(&mut self, streams: Port, datagrams: UdpSocket, serving: &Serving) -> Result<(), ListenError> {
        let address = streams.address()?;
        let programs = Programs::new(vec![Arc::new(Portmap::new(mappings(address.port(), self.address.port())))]);
        self.listen(streams, programs.clone(), serving)?;
        tokio::spawn(serve_datagrams(datagrams, programs));
        tracing::info!(%address, port = portmap::PORT, "portmapper");
        Ok(())
    }
}

fn programs(serving: &Serving, duplicates: Arc<DuplicateRequests>) -> Programs {
    let services = serving.services.clone();
    let mount = Mount3::new(Arc::clone(&services.entry), Arc::clone(&services.admin));
    let nfs = Nfs3::new(services, duplicates, serving.slow);
    Programs::new(vec![Arc::new(nfs), Arc::new(mount), Arc::new(Nlm4)])
}

/// Where everything is: the portmapper itself, and what is served on the port of NFS.
fn mappings(of_portmap: u16, of_nfs: u16) -> Vec<mapping> {
    let at = |port: u16, prog: u32, vers: u32, prot: u32| mapping { prog, vers, prot, port: u32::from(port) };
    let own = [IPPROTO_TCP, IPPROTO_UDP].map(|prot| at(of_portmap, portmap::PROGRAM, portmap::VERSION, prot));
    let served =
        [(nfs3::PROGRAM, nfs3::VERSION), (mount3::PROGRAM, mount3::VERSION), (mount3::PROGRAM, mount3::VERSION_1)];
    let locks = nlm4::VERSIONS.map(|version| (nlm4::PROGRAM, version));
    let served = served.into_iter().chain(locks).map(|(prog, vers)| at(of_nfs, prog, vers, IPPROTO_TCP));
    own.into_iter().chain(served).collect()
}

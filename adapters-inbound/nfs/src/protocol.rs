//! The adapter as a server plugs it in: NFS, MOUNT, the lock manager and the status monitor on one address, and the
//! portmapper if it is wanted.

mod options;
mod ports;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Protocol, Serving};
use parking_lot::Mutex;
use tokio::{net::UdpSocket, runtime::Handle};

use crate::{
    NfsStatistics,
    duplicate::DuplicateRequests,
    mount3::{self, Mount3},
    nfs3::{self, Nfs3},
    nlm4::{self, Events, LockManager, Nlm4},
    nsm::{self, Nsm1, tell_earlier_clients},
    portmap::{
        self, Portmap,
        lookup::ClientPortmap,
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
    /// The locks of its clients, from the start.
    locks: Option<Arc<LockManager>>,
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
            locks: None,
        })
    }

    fn start(&mut self, serving: Serving) -> Result<(), ListenError> {
        let Some(Ports { nfs, portmap }) = self.ports.take() else { return Ok(()) };
        self.address = nfs.address()?;
        let locks = self.start_locks(&serving);
        let monitor = Arc::new(Nsm1::new(Arc::clone(&locks)));
        let programs = programs(&serving, (&locks, &monitor), Arc::clone(&self.duplicates));
        self.listen(nfs, programs, &serving)?;
        if let Some((streams, datagrams)) = portmap {
            let of_monitor = start_monitor(self.address, monitor)?;
            self.start_portmap(streams, datagrams, of_monitor, &serving)?;
        }
        tokio::spawn(tell_earlier_clients(Arc::clone(&locks)));
        self.locks = Some(locks);
        Ok(())
    }

    fn announce(&self, share: &str) -> Vec<String> {
        let (host, port) = (self.address.ip(), self.address.port());
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        // Clients look for the lock manager in a portmapper at its usual port.
        // That of version 2 is found by IPv4 only.
        let has_locks = self.options.portmap.is_some_and(|at| at.port() == portmap::PORT && at.is_ipv4());
        let locks = if has_locks { "" } else { "nolock," };
        vec![format!("mount -t nfs -o vers=3,tcp,port={port},mountport={port},{locks}nosuid,nodev {host}:{share} /mnt")]
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

    /// Takes in the clients that an earlier life of the server has left, and hears of what others do with locks.
    fn start_locks(&self, serving: &Serving) -> Arc<LockManager> {
        let (entry, recovery) = (Arc::clone(&serving.services.entry), Arc::clone(&serving.services.recovery));
        let clients = ClientPortmap { port: self.options.client_portmap };
        let locks = Arc::new(LockManager::new(Arc::clone(&entry), recovery, clients, Handle::current()));
        locks.recall();
        entry.subscribe(Arc::new(Events(Arc::downgrade(&locks))));
        tokio::spawn(LockManager::look_after(Arc::downgrade(&locks)));
        locks
    }

    fn start_portmap(
        &mut self,
        streams: Port,
        datagrams: UdpSocket,
        of_monitor: u16,
        serving: &Serving,
    ) -> Result<(), ListenError> {
        let address = streams.address()?;
        let mappings = mappings(address.port(), self.address.port(), of_monitor);
        let programs = Programs::new(vec![Arc::new(Portmap::new(mappings))]);
        self.listen(streams, programs.clone(), serving)?;
        tokio::spawn(serve_datagrams(datagrams, programs));
        tracing::info!(%address, port = portmap::PORT, "portmapper");
        Ok(())
    }
}

/// Clients announce by datagrams that they have started again. Returns the port, which the portmapper tells: that of
/// NFS, if nobody else has it.
fn start_monitor(nfs: SocketAddr, monitor: Arc<Nsm1>) -> Result<u16, ListenError> {
    let refused =
        |source| ListenError { address: nfs, what: "the status monitor", option: "adapters.nfs.listen", source };
    let bind = |port| UdpSocket::from_std(bound(SocketAddr::new(nfs.ip(), port))?);
    let socket = bind(nfs.port()).or_else(|_| bind(0)).map_err(refused)?;
    let port = socket.local_addr().map_err(refused)?.port();
    tokio::spawn(serve_datagrams(socket, Programs::new(vec![monitor])));
    Ok(port)
}

fn bound(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn programs(
    serving: &Serving,
    (locks, monitor): (&Arc<LockManager>, &Arc<Nsm1>),
    duplicates: Arc<DuplicateRequests>,
) -> Programs {
    let services = serving.services.clone();
    let mount = Mount3::new(Arc::clone(&services.entry), Arc::clone(&services.admin));
    let nfs = Nfs3::new(services, duplicates, serving.slow);
    let locks = Nlm4::new(Arc::clone(locks));
    Programs::new(vec![Arc::new(nfs), Arc::new(mount), Arc::new(locks), Arc::<Nsm1>::clone(monitor)])
}

/// Where everything is: the portmapper itself, and what is served on the port of NFS.
fn mappings(of_portmap: u16, of_nfs: u16, of_monitor: u16) -> Vec<mapping> {
    let at = |port: u16, prog: u32, vers: u32, prot: u32| mapping { prog, vers, prot, port: u32::from(port) };
    let own = [IPPROTO_TCP, IPPROTO_UDP].map(|prot| at(of_portmap, portmap::PROGRAM, portmap::VERSION, prot));
    let served =
        [(nfs3::PROGRAM, nfs3::VERSION), (mount3::PROGRAM, mount3::VERSION), (mount3::PROGRAM, mount3::VERSION_1)];
    let locks = nlm4::VERSIONS.map(|version| (nlm4::PROGRAM, version));
    let served = served.into_iter().chain(locks).map(|(prog, vers)| at(of_nfs, prog, vers, IPPROTO_TCP));
    let monitor = [(of_nfs, IPPROTO_TCP), (of_monitor, IPPROTO_UDP)];
    let monitor = monitor.map(|(port, prot)| at(port, nsm::PROGRAM, nsm::VERSION, prot));
    own.into_iter().chain(served).chain(monitor).collect()
}

//! Wires the NFS adapter to the services.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use dittofs_application::Services;
use dittofs_nfs::{
    NfsStatistics,
    duplicate::{DuplicateLimits, DuplicateRequests},
    mount3::{self, Mount3},
    nfs3::{self, Nfs3},
    portmap::{self, Portmap, wire::mapping},
    rpc::Programs,
    transport::{Limits, Server, serve_datagrams},
};
use dittofs_ports::statistics::ProtocolStatistics;
use tokio::net::UdpSocket;

use super::{
    ServeError,
    fronts::Fronts,
    ports::{NfsPorts, Port},
};
use crate::config::{Config, NfsConfig};

const TCP: u32 = 6;

/// NFS and MOUNT on one address, and the portmapper if it is wanted.
pub(super) struct NfsAdapter {
    servers: Vec<Arc<Server>>,
    duplicates: Arc<DuplicateRequests>,
    address: SocketAddr,
}

impl NfsAdapter {
    /// Listens on ports that are taken already.
    pub(super) fn start(
        ports: NfsPorts,
        config: &Config,
        services: Arc<Services>,
        fronts: &Fronts,
    ) -> Result<NfsAdapter, ServeError> {
        let (slow, config) = (config.log.slow, &config.adapters.nfs);
        let listener = ports.nfs.listen()?;
        let address = listener.local_addr().map_err(ServeError::Threads)?;
        let limits_of =
            DuplicateLimits { bytes_max: config.limits.reply_cache.0 as usize, ..DuplicateLimits::default() };
        let duplicates = Arc::new(DuplicateRequests::new(&limits_of));
        let programs = programs(services, Arc::clone(&duplicates), slow);
        let server = Server::new(programs, limits(config), fronts.handles());
        tokio::spawn({
            let server = Arc::clone(&server);
            async move { server.serve(listener).await }
        });
        let mut servers = vec![server];
        if let Some((portmap, datagrams)) = ports.portmap {
            servers.push(start_portmap(portmap, datagrams, address.port(), config, fronts)?);
        }
        Ok(NfsAdapter { servers, duplicates, address })
    }

    /// What it counts.
    pub(super) fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        Arc::new(NfsStatistics::new(self.servers.clone(), Arc::clone(&self.duplicates)))
    }

    /// Where NFS is served.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers what is in flight and closes all connections, within a bound.
    pub(super) async fn drain(&self, bound: Duration) {
        for server in &self.servers {
            let drained = server.drain(bound).await;
            if drained.cut > 0 {
                tracing::warn!(connections = drained.cut, "connections were cut: their calls took too long");
            }
        }
    }
}

fn programs(services: Arc<Services>, duplicates: Arc<DuplicateRequests>, slow: Option<Duration>) -> Programs {
    let of_nfs = nfs3::Services { metadata: services.clone(), block: services.clone(), admin: services.clone() };
    let mount = Mount3::new(services.clone(), services);
    Programs::new(vec![Arc::new(Nfs3::new(of_nfs, duplicates, slow)), Arc::new(mount)])
}

fn limits(config: &NfsConfig) -> Limits {
    Limits {
        connections_max: config.limits.connections,
        calls_in_flight_max: config.limits.in_flight,
        bytes_in_flight_max: config.limits.in_flight_bytes.0 as usize,
        slow_reader_timeout: config.limits.stall,
        partial_record_timeout: config.limits.stall,
        ..Limits::default()
    }
}

fn start_portmap(
    streams: Port,
    datagrams: UdpSocket,
    port: u16,
    config: &NfsConfig,
    fronts: &Fronts,
) -> Result<Arc<Server>, ServeError> {
    let maps =
        [(nfs3::PROGRAM, nfs3::VERSION), (mount3::PROGRAM, mount3::VERSION), (mount3::PROGRAM, mount3::VERSION_1)];
    let maps = maps.map(|(prog, vers)| mapping { prog, vers, prot: TCP, port: u32::from(port) });
    let programs = Programs::new(vec![Arc::new(Portmap::new(maps.to_vec()))]);
    let address = streams.address();
    let listener = streams.listen()?;
    let server = Server::new(programs.clone(), limits(config), fronts.handles());
    tokio::spawn(serve_datagrams(datagrams, programs));
    tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.serve(listener).await }
    });
    tracing::info!(%address, port = portmap::PORT, "portmapper");
    Ok(server)
}

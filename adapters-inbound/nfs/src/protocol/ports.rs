//! The ports of the server, taken before anything is opened: a port that somebody else has is reported at once, and
//! not after a journal has been replayed. Clients can't connect until the shares are open.

use std::{io, net::SocketAddr};

use dittofs_transport::ListenError;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};

use super::NfsOptions;

/// Clients that may wait to be accepted. As many as may be connected by default: after a restart all may come at once.
/// The kernel may lower it.
const BACKLOG: u32 = 1024;

/// A port that is ours, and that nobody can connect to yet.
pub(super) struct Port {
    socket: TcpSocket,
    wanted: Wanted,
}

/// The purpose of a port.
#[derive(Clone, Copy)]
struct Wanted {
    address: SocketAddr,
    what: &'static str,
    option: &'static str,
}

impl Wanted {
    fn refused(self) -> impl FnOnce(io::Error) -> ListenError {
        let Wanted { address, what, option } = self;
        move |source| ListenError { address, what, option, source }
    }
}

impl Port {
    fn take(address: SocketAddr, what: &'static str, option: &'static str) -> Result<Port, ListenError> {
        let wanted = Wanted { address, what, option };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            // A port whose last server has just ended may be taken; one that is listened on may not.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(socket)
        });
        Ok(Port { socket: bound.map_err(wanted.refused())?, wanted })
    }

    /// Where it is: the system chose the port if that was left to it.
    pub(super) fn address(&self) -> Result<SocketAddr, ListenError> {
        self.socket.local_addr().map_err(self.wanted.refused())
    }

    /// Lets clients connect.
    pub(super) fn listen(self) -> Result<TcpListener, ListenError> {
        self.socket.listen(BACKLOG).map_err(self.wanted.refused())
    }
}

/// The ports of the NFS adapter.
pub(super) struct Ports {
    pub(super) nfs: Port,
    pub(super) portmap: Option<(Port, UdpSocket)>,
}

impl Ports {
    /// Takes those that are configured.
    pub(super) async fn take(options: &NfsOptions) -> Result<Ports, ListenError> {
        let nfs = Port::take(options.listen, "NFS", "adapters.nfs.listen or --nfs")?;
        let Some(address) = options.portmap else { return Ok(Ports { nfs, portmap: None }) };
        let option = "adapters.nfs.portmap";
        let streams = Port::take(address, "the portmapper", option)?;
        let datagrams = Wanted { address, what: "the portmapper's datagrams", option };
        let datagrams = UdpSocket::bind(address).await.map_err(datagrams.refused())?;
        Ok(Ports { nfs, portmap: Some((streams, datagrams)) })
    }
}

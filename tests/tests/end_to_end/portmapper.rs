//! The portmapper, where it is configured.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};

use dittofs_tests::{
    rpc::{Credential, Outcome, RpcReply, record},
    server::ONE_SHARE,
};
use nfs3_client::{
    PortmapError, PortmapperClient,
    nfs3_types::{
        portmap::{IPPROTO_TCP, IPPROTO_UDP, mapping, pmaplist},
        xdr_codec::{Pack, Void},
    },
    tokio::TokioIo,
};
use tokio::net::TcpStream;

use crate::session::serve;

const PORTMAP: (u32, u32) = (100_000, 2);
const GETPORT: u32 = 3;
const DUMP: u32 = 4;
const NFS: u32 = 100_003;
const MOUNT: u32 = 100_005;
const NLM: u32 = 100_021;
const NSM: u32 = 100_024;

/// A port that is free now, over TCP and UDP.
pub(crate) fn free_address() -> SocketAddr {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

fn ask(address: SocketAddr, procedure: u32, arguments: &impl Pack) -> RpcReply {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let credential = Credential { flavour: 0, body: Vec::new() };
    // A datagram has no record mark.
    socket.send_to(&record(5, PORTMAP, procedure, &credential, arguments)[4..], address).unwrap();
    let mut bytes = vec![0; 2048];
    let (length, from) = socket.recv_from(&mut bytes).unwrap();
    assert_eq!(from, address);
    bytes.truncate(length);
    RpcReply { xid: 5, bytes }
}

#[tokio::test]
async fn it_tells_the_ports_over_tcp_and_udp() {
    let address = free_address();
    let server = serve(&format!("{ONE_SHARE}adapters: {{ nfs: {{ portmap: \"{address}\" }} }}\n"));
    let port = server.address().port();
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut portmapper = PortmapperClient::new(io);
    portmapper.null().await.unwrap();
    assert_eq!(portmapper.getport(NFS, 3, IPPROTO_TCP).await.unwrap(), port);
    assert_eq!(portmapper.getport(MOUNT, 3, IPPROTO_TCP).await.unwrap(), port);
    assert_eq!(portmapper.getport(NLM, 4, IPPROTO_TCP).await.unwrap(), port);
    for protocol in [IPPROTO_TCP, IPPROTO_UDP] {
        assert_eq!(portmapper.getport(PORTMAP.0, 2, protocol).await.unwrap(), address.port());
    }
    assert_eq!(portmapper.getport(NSM, 1, IPPROTO_TCP).await.unwrap(), port);
    let monitor = portmapper.getport(NSM, 1, IPPROTO_UDP).await.unwrap();
    for (program, protocol) in [(NFS, IPPROTO_UDP), (NLM, IPPROTO_UDP), (100_025, IPPROTO_TCP)] {
        let unknown = portmapper.getport(program, 3, protocol).await;
        assert!(matches!(unknown, Err(PortmapError::ProgramUnavailable)), "{unknown:?}");
    }
    let served = [(NFS, 3), (MOUNT, 3), (MOUNT, 1), (NLM, 1), (NLM, 3), (NLM, 4), (NSM, 1)];
    let served = served.map(|(program, version)| (program, version, 6, u32::from(port)));
    let own = [6, 17].map(|protocol| (PORTMAP.0, PORTMAP.1, protocol, u32::from(address.port())));
    let expected = [&own[..], &served, &[(NSM, 1, 17, u32::from(monitor))]].concat();
    let plain = |mappings: Vec<mapping>| -> Vec<_> {
        mappings.into_iter().map(|map| (map.prog, map.vers, map.prot, map.port)).collect()
    };
    assert_eq!(plain(portmapper.dump().await.unwrap()), expected);

    let wanted = mapping { prog: NFS, vers: 3, prot: IPPROTO_TCP, port: 0 };
    assert_eq!(ask(address, GETPORT, &wanted).results::<u32>(), u32::from(port));
    assert_eq!(plain(ask(address, DUMP, &Void).results::<pmaplist>().into_inner()), expected);
    // SET registers nothing, and CALLIT passes nothing on.
    assert!(!ask(address, 1, &wanted).results::<bool>());
    assert_eq!(ask(address, 5, &Void).outcome(), Outcome::ProcedureUnavailable);
}

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::crc32c::crc32c;
use dittofs_nfs::duplicate::{DuplicateKey, DuplicateLimits, DuplicateRequests};
use dittofs_nfs::rpc::{Call, Operations, Procedure, Program, Programs, Reply};
use dittofs_nfs::transport::{Limits, Server};
use dittofs_transport::Bounds;
use dittofs_xdr::{Encode, Payload};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::runtime::{Builder, Handle};

pub(crate) const TOY: u32 = 0x2000_0001;
/// Echoes a `u32`.
pub(crate) const ECHO: u32 = 1;
/// Waits so many milliseconds, then echoes them.
pub(crate) const WAIT: u32 = 2;
/// Answers so many bytes, in pieces of 128 KiB.
pub(crate) const READ: u32 = 3;
/// Takes opaque data, answers their CRC-32C.
pub(crate) const WRITE: u32 = 4;
/// Like [`WRITE`], but keeps the data for ten milliseconds first.
pub(crate) const WRITE_LATER: u32 = 5;

/// Waits ten milliseconds, then answers how often it has been carried out. Through the duplicate-request cache.
pub(crate) const COUNT: u32 = 6;
/// Keeps its front for so many milliseconds, then answers how many such calls have begun.
pub(crate) const SPIN: u32 = 7;
/// Answers how many calls of [`SPIN`] have begun.
pub(crate) const SPUN: u32 = 8;

struct Toy {
    duplicates: DuplicateRequests,
    count: AtomicU32,
    spun: AtomicU32,
    /// Does not tell the ports of a client apart.
    blind: bool,
}

/// Of all procedures only ECHO has a status: who has echoed 0 is admitted.
const OPERATIONS: Operations = Operations {
    protocol: "toy",
    procedures: &[Procedure::sure("NULL"), Procedure::new("ECHO")],
    statuses: &[(0, "OK")],
};

#[async_trait]
impl Program for Toy {
    fn number(&self) -> u32 {
        TOY
    }

    fn versions(&self) -> &'static [u32] {
        &[1]
    }

    fn operations(&self) -> Operations {
        OPERATIONS
    }

    fn reply_bytes_max(&self, call: &Call) -> usize {
        match call.procedure {
            READ => call.arguments.clone().u32().map_or(0, |bytes| bytes as usize),
            _ => 0,
        }
    }

    async fn call(&self, mut call: Call) -> Reply {
        let result = match call.procedure {
            ECHO => call.decode::<u32>().map(|number| Reply::success(&number)),
            WAIT => match call.decode::<u32>() {
                Ok(millis) => {
                    tokio::time::sleep(Duration::from_millis(millis.into())).await;
                    Ok(Reply::success(&millis))
                }
                Err(error) => Err(error),
            },
            READ => call.decode::<u32>().map(|bytes| Reply::success(&payload(bytes as usize))),
            WRITE => call.decode::<Bytes>().map(|data| Reply::success(&crc32c(&data))),
            WRITE_LATER => {
                let data = call.decode::<Bytes>();
                tokio::time::sleep(Duration::from_millis(10)).await;
                data.map(|data| Reply::success(&crc32c(&data)))
            }
            COUNT => {
                let count = async {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    Reply::success(&self.count.fetch_add(1, Ordering::Relaxed))
                };
                if self.blind {
                    call.peer.set_port(0);
                }
                Ok(self.duplicates.answer(DuplicateKey::of(&call), count).await)
            }
            SPIN => call.decode::<u32>().map(|millis| {
                let begun = self.spun.fetch_add(1, Ordering::Relaxed) + 1;
                let end = Instant::now() + Duration::from_millis(millis.into());
                while Instant::now() < end {}
                Reply::success(&begun)
            }),
            SPUN => Ok(Reply::success(&self.spun.load(Ordering::Relaxed))),
            _ => Ok(Reply::proc_unavail()),
        };
        result.unwrap_or_else(Reply::from)
    }
}

fn payload(bytes: usize) -> Payload {
    let piece = Bytes::from(vec![b'r'; 128 << 10]);
    let mut pieces = vec![piece.clone(); bytes / piece.len()];
    pieces.push(piece.slice(..bytes % piece.len()));
    Payload(pieces)
}

/// A server with two fronts on threads of their own.
pub(crate) struct Running {
    pub(crate) server: Arc<Server>,
    pub(crate) bounds: Bounds,
    pub(crate) address: SocketAddr,
    pub(crate) runtime: Handle,
}

pub(crate) fn start(limits: Limits) -> Running {
    start_remembering(limits, &DuplicateLimits::default())
}

/// A server that takes calls from any port of a client for the same client's.
pub(crate) fn start_blind() -> Running {
    start_with(Limits::default(), &DuplicateLimits::default(), Bounds::default(), (2, true))
}

/// A server that remembers so many calls.
pub(crate) fn start_remembering(limits: Limits, remembered: &DuplicateLimits) -> Running {
    start_with(limits, remembered, Bounds::default(), (2, false))
}

/// A server with bounds over all connections, on so many fronts.
pub(crate) fn start_bounded(limits: Limits, bounds: Bounds, fronts: usize) -> Running {
    start_with(limits, &DuplicateLimits::default(), bounds, (fronts, false))
}

fn start_with(limits: Limits, remembered: &DuplicateLimits, bounds: Bounds, (fronts, blind): (usize, bool)) -> Running {
    let fronts: Vec<Handle> = (0..fronts).map(|_| front()).collect();
    let runtime = fronts[0].clone();
    let (count, spun) = (AtomicU32::default(), AtomicU32::default());
    let toy = Toy { duplicates: DuplicateRequests::new(remembered), count, spun, blind };
    let server = Server::new(Programs::new(vec![Arc::new(toy)]), limits, bounds.clone(), fronts);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = server.clone();
    // Not on a front: those of tests may be kept busy.
    front().spawn(async move { accepting.serve(tokio::net::TcpListener::from_std(listener).unwrap()).await });
    Running { server, bounds, address, runtime }
}

fn front() -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Connects from an address of this machine that the caller chooses.
    pub(crate) fn connect_from(local: SocketAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&local.into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    /// Goes away so that another one can come from the same port at once, and answers from where.
    pub(crate) fn reset(self) -> SocketAddr {
        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
        self.socket.local_addr().unwrap()
    }

    fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { socket }
    }

    /// From an address of this machine that no other process of tests uses, so that nobody takes a port of it in the
    /// midst of a test that comes back from the same one.
    pub(crate) fn connect_from_own_host(address: SocketAddr) -> Self {
        let [.., high, middle, low] = std::process::id().to_be_bytes();
        Self::connect_from(SocketAddr::from(([127, high | 0x80, middle, low], 0)), address)
    }

    /// From another address of this machine, 127.0.0.`last`.
    pub(crate) fn connect_from_host(last: u8, address: SocketAddr) -> Self {
        Self::connect_from(SocketAddr::from(([127, 0, 0, last], 0)), address)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// The next reply: its xid and its result.
    pub(crate) fn reply(&mut self) -> Option<(u32, Vec<u8>)> {
        let mut mark = [0; 4];
        self.socket.read_exact(&mut mark).ok()?;
        let bytes = u32::from_be_bytes(mark);
        assert_ne!(bytes & (1 << 31), 0, "replies come in one fragment");
        let mut record = vec![0; (bytes & !(1 << 31)) as usize];
        self.socket.read_exact(&mut record).ok()?;
        assert_eq!(&record[4..24], &[[0, 0, 0, 1], [0; 4], [0; 4], [0; 4], [0; 4]].concat()[..], "accepted, SUCCESS");
        Some((u32::from_be_bytes(record[..4].try_into().unwrap()), record[24..].to_vec()))
    }

    pub(crate) fn echo(&mut self, number: u32) {
        self.send(&call(number, ECHO, &number));
        assert_eq!(self.reply(), Some((number, number.to_be_bytes().to_vec())));
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.socket.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}

pub(crate) fn record(xid: u32, procedure: u32, arguments: &impl Encode) -> Vec<u8> {
    let mut encoder = dittofs_xdr::Encoder::default();
    encoder.put_words([xid, 0, 2, TOY, 1, procedure, 0, 0, 0, 0]);
    arguments.encode(&mut encoder);
    encoder.finish().to_bytes().to_vec()
}

pub(crate) fn call(xid: u32, procedure: u32, arguments: &impl Encode) -> Vec<u8> {
    let record = record(xid, procedure, arguments);
    [&(record.len() as u32 | 1 << 31).to_be_bytes()[..], &record].concat()
}

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dittofs_domain::counters::Counter;
use dittofs_ports::statistics::{ConnectionCounts, OperationCounts};
use dittofs_transport::{Bounds, ClientNetwork, Control, Full, Newcomers, Received, Seat, Wish};
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{debug, warn};

use super::Limits;
use super::buffers::BufferPool;
use super::connection::Connection;
use super::meter::FrontCounts;
use crate::rpc::Programs;

/// Accepts connections and spreads them over the fronts.
pub struct Server {
    programs: Programs,
    limits: Limits,
    bounds: Bounds,
    fronts: Vec<Front>,
    connections: Mutex<Connections>,
    /// The number of connections.
    open: watch::Sender<usize>,
    draining: watch::Sender<bool>,
    accepted: Counter,
    refused: Counter,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that weren't done within the bound, and were cut.
    pub cut: usize,
}

struct Front {
    runtime: Handle,
    connections: AtomicUsize,
    pool: Arc<BufferPool>,
    counts: FrontCounts,
}

/// A connection that was accepted, before it has a front.
struct Accepted {
    socket: TcpStream,
    peer: SocketAddr,
    control: Arc<Control>,
}

#[derive(Default)]
struct Connections {
    open: HashMap<u64, Arc<Control>>,
    next: u64,
    draining: bool,
    /// In a row.
    refused: u64,
}

/// How long cut connections may take to notice. Their tasks have to run once more for that; one that does not is left
/// behind.
const CUT_BOUND: Duration = Duration::from_secs(2);
/// After a failure to accept, most often for want of file descriptors. A front would spin otherwise; connections that
/// end meanwhile give descriptors back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The empty receive buffers that all fronts keep: this part of the memory of all connections, once for each of three
/// sizes. All three together are less than a fifth of it.
const POOLS_PART: u64 = 16;
/// How often it is tried to seat newcomers that wait. Most new clients are heard within a few milliseconds. It is the
/// delay that a newcomer sees, and 200 looks a second only while some wait.
const SEAT_PAUSE: Duration = Duration::from_millis(5);
/// An idle client that is gone without a word is noticed after a few of these. NATs and firewalls forget connections
/// that are silent for some minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);

impl Server {
    /// A server of `programs` over these fronts: handles of single-threaded runtimes with I/O and time enabled, at least one. Its
    /// connections count against `bounds`, with those of others.
    pub fn new(programs: Programs, limits: Limits, bounds: Bounds, fronts: Vec<Handle>) -> Arc<Self> {
        let pools = bounds.memory.usage().limit / POOLS_PART / fronts.len().max(1) as u64;
        let front = |runtime| Front {
            runtime,
            connections: AtomicUsize::new(0),
            pool: Arc::new(BufferPool::new(limits.record_bytes_max, usize::try_from(pools).unwrap_or(usize::MAX))),
            counts: FrontCounts::new(&programs),
        };
        let fronts = fronts.into_iter().map(front).collect();
        Arc::new(Self {
            programs,
            fronts,
            limits,
            bounds,
            connections: Mutex::default(),
            open: watch::Sender::new(0),
            draining: watch::Sender::new(false),
            accepted: Counter::default(),
            refused: Counter::default(),
        })
    }

    /// Accepts connections until [`Server::drain`]. Several listeners may be served at a time.
    pub async fn serve(self: &Arc<Self>, listener: TcpListener) {
        let mut draining = self.draining.subscribe();
        let mut newcomers = Newcomers::default();
        let mut retry = tokio::time::interval(SEAT_PAUSE);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_failed = false;
        loop {
            let accepted = tokio::select! {
                _ = draining.wait_for(|draining| *draining) => return,
                _ = retry.tick(), if !newcomers.is_empty() => {
                    let served = newcomers.serve(&self.bounds.connections, Instant::now());
                    served.into_iter().for_each(|received| self.seat_or_refuse(received));
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => {
                    has_failed = false;
                    self.receive(&mut newcomers, (socket, peer));
                }
                Err(error) => {
                    // The first of a run of failures is logged.
                    if !std::mem::replace(&mut has_failed, true) {
                        warn!(%error, "connections can't be accepted");
                    }
                    if is_out_of_descriptors(&error) {
                        self.free_descriptor(&mut newcomers);
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Stops accepting and reading, waits until all calls in flight are answered, and closes; what isn't done after `bound` is cut.
    pub async fn drain(&self, bound: Duration) -> Drained {
        self.draining.send_replace(true);
        self.ask_all(Wish::Drain);
        let mut open = self.open.subscribe();
        if tokio::time::timeout(bound, open.wait_for(|open| *open == 0)).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.connections();
        self.ask_all(Wish::Cut);
        if tokio::time::timeout(CUT_BOUND, open.wait_for(|open| *open == 0)).await.is_err() {
            warn!(connections = self.connections(), "connections did not end when they were cut");
        }
        Drained { cut }
    }

    /// The number of connections now.
    pub fn connections(&self) -> usize {
        *self.open.borrow()
    }

    /// Returns the counts of its connections, and of the bytes that they have carried.
    pub fn connection_counts(&self) -> ConnectionCounts {
        let sum = |of: fn(&Front) -> &Counter| self.fronts.iter().map(|front| of(front).read()).sum();
        ConnectionCounts {
            open: self.connections() as u64,
            accepted: self.accepted.read(),
            refused: self.refused.read(),
            bytes_received: sum(|front| &front.counts.bytes_received),
            bytes_sent: sum(|front| &front.counts.bytes_sent),
        }
    }

    /// Adds its calls, by procedure, to those of others.
    pub fn add_operations_to(&self, all: &mut Vec<OperationCounts>) {
        for front in &self.fronts {
            front.counts.add_to(all);
        }
    }

    fn ask_all(&self, wish: Wish) {
        let mut connections = self.connections.lock();
        connections.draining = true;
        for control in connections.open.values() {
            control.ask(wish);
        }
    }

    /// Takes in a connection that was accepted: it has a front at once, waits among the newcomers, or is closed.
    fn receive(self: &Arc<Self>, newcomers: &mut Newcomers<Accepted>, (socket, peer): (TcpStream, SocketAddr)) {
        let control = Arc::new(Control::default());
        let who = (ClientNetwork::of(peer.ip()), Arc::clone(&control));
        let accepted = Accepted { socket, peer, control };
        if let Some(received) = newcomers.receive(&self.bounds.connections, who, accepted, Instant::now()) {
            self.seat_or_refuse(received);
        }
    }

    fn seat_or_refuse(self: &Arc<Self>, received: Received<Accepted>) {
        match received {
            Received::Seated(accepted, seat) => {
                let peer = accepted.peer;
                if let Err(error) = self.start(accepted, seat) {
                    debug!(%peer, %error, "connection lost before it began");
                }
            }
            Received::Refused(accepted, full) => self.refuse(accepted.peer, full),
        }
    }

    /// Who waits goes before those that are served.
    fn free_descriptor(self: &Arc<Self>, newcomers: &mut Newcomers<Accepted>) {
        if let Some(refused) = newcomers.turn_away() {
            self.seat_or_refuse(refused);
        } else {
            self.bounds.connections.make_room();
        }
    }

    /// Has a connection served on the front that has the fewest.
    fn start(self: &Arc<Self>, Accepted { socket, peer, control }: Accepted, seat: Seat) -> io::Result<()> {
        let account = self.bounds.memory.account(ClientNetwork::of(peer.ip()));
        let Some(place) = self.place(control) else { return Ok(()) };
        socket.set_nodelay(true)?;
        SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
        // The socket is registered anew with the front's reactor, so that its events never cross threads.
        let socket = socket.into_std()?;
        let Some(front) = self.fronts.get(place.front) else { return Ok(()) };
        front.runtime.spawn(async move {
            let server = &place.server;
            let Some(front) = server.fronts.get(place.front) else { return };
            match TcpStream::from_std(socket) {
                Ok(socket) => {
                    let pool = front.pool.clone();
                    let (of_all, of_it) = ((&server.programs, &server.limits), (seat, account));
                    let connection = Connection::new((socket, peer), of_all, of_it, pool, &front.counts);
                    debug!(%peer, front = place.front, "connection accepted");
                    connection.run(&place.control).await;
                    debug!(%peer, "connection ended");
                }
                Err(error) => warn!(%peer, %error, "a connection could not be moved to its front"),
            }
        });
        Ok(())
    }

    fn refuse(&self, peer: SocketAddr, full: Full) {
        self.refused.count();
        let mut connections = self.connections.lock();
        connections.refused += 1;
        // The first of a run of refusals is logged, and then each thousandth: a flood must not flood the log.
        if connections.refused % 1000 == 1 {
            warn!(%peer, ?full, bounds = ?self.bounds.connections.bounds(), "too many busy connections: refused");
        }
    }

    /// A place for one more connection, on the front that has the fewest.
    fn place(self: &Arc<Self>, control: Arc<Control>) -> Option<Place> {
        let mut connections = self.connections.lock();
        if connections.draining {
            return None;
        }
        connections.refused = 0;
        self.accepted.count();
        let fronts = self.fronts.iter().enumerate();
        let (front, chosen) = fronts.min_by_key(|(_, front)| front.connections.load(Ordering::Relaxed))?;
        chosen.connections.fetch_add(1, Ordering::Relaxed);
        let id = connections.next;
        connections.next += 1;
        connections.open.insert(id, control.clone());
        self.open.send_replace(connections.open.len());
        Some(Place { server: self.clone(), front, id, control })
    }
}

/// Whether a call failed as the process, or the machine, has too many files open.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errors = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| errors.contains(&code))
}

/// A connection's place in the server's count, given back when the connection's task ends, however that happens.
struct Place {
    server: Arc<Server>,
    front: usize,
    id: u64,
    control: Arc<Control>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(front) = self.server.fronts.get(self.front) {
            front.connections.fetch_sub(1, Ordering::Relaxed);
        }
        let mut connections = self.server.connections.lock();
        connections.open.remove(&self.id);
        self.server.open.send_replace(connections.open.len());
    }
}

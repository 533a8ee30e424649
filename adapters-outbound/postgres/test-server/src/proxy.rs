//! A way to a server that counts round trips, and on which things can happen.

mod passing;
mod plans;

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use passing::Passing;

/// How the next requests are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the request has gone through.
    Request,
    /// When the answer has come, which is not passed on.
    Answer,
    /// The same, and the client hears nothing of it: nothing goes through this connection any more.
    Silence,
}

/// Where plans are stopped on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Before the server gets them.
    Request,
    /// When it has carried them out.
    Answer,
}

/// The proxy; it ends with this value. It runs on the runtime that it is started from.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// The orders to all connections.
#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    /// So many plans are stopped there.
    stop: Option<(Stop, usize)>,
    /// Connections of lower numbers end.
    ended_below: u64,
    /// The bytes of connections of lower numbers are lost, and nobody hears of it.
    lost_below: u64,
}

#[derive(Default)]
struct Shared {
    trips: AtomicU64,
    /// How the next requests are cut off, and how many.
    cut: parking_lot::Mutex<Option<Cut>>,
    cuts_left: AtomicUsize,
    /// The number of the next connection.
    next: AtomicU64,
    /// Plans that were stopped.
    stopped: AtomicUsize,
    orders: watch::Sender<Orders>,
    /// Whether it drops the settings that a client asks for at its start.
    is_pooler: bool,
}

impl Proxy {
    /// Starts one in front of a port of 127.0.0.1.
    pub async fn start(to: u16) -> Proxy {
        Proxy::with(to, Shared::default()).await
    }

    /// One that drops the settings of sessions, as poolers do that give a session to one client after another.
    pub async fn pooler(to: u16) -> Proxy {
        Proxy::with(to, Shared { is_pooler: true, ..Shared::default() }).await
    }

    async fn with(to: u16, shared: Shared) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(shared);
        let passing = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&passing);
                let number = shared.next.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await {
                        Passing::new(shared, number).pass(client, server).await;
                    }
                });
            }
        });
        Proxy { port, shared, task }
    }

    /// The port of 127.0.0.1 where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Round trips so far, over all connections.
    pub fn trips(&self) -> u64 {
        self.shared.trips.load(Ordering::Relaxed)
    }

    /// The next requests are cut off, so many of them.
    pub fn cut(&self, how: Cut, times: usize) {
        *self.shared.cut.lock() = Some(how);
        self.shared.cuts_left.store(times, Ordering::Relaxed);
    }

    /// Cuts that have not come about.
    pub fn cuts_left(&self) -> usize {
        self.shared.cuts_left.load(Ordering::Relaxed)
    }

    /// Stops the next plans on their way, so many of them: later ones get through.
    pub fn stop_plans(&self, at: Stop, most: usize) {
        self.shared.stopped.store(0, Ordering::SeqCst);
        self.shared.orders.send_modify(|orders| orders.stop = Some((at, most)));
    }

    /// Plans that were stopped since then.
    pub fn stopped(&self) -> usize {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    /// Lets plans go on that were stopped, also where whoever sent them is gone.
    pub fn release_plans(&self) {
        self.shared.orders.send_modify(|orders| orders.stop = None);
    }

    /// Ends all connections.
    pub fn end_connections(&self) {
        let next = self.next();
        self.shared.orders.send_modify(|orders| orders.ended_below = next);
    }

    /// From now on whatever comes is lost, and nobody hears of it: as where a machine has vanished.
    pub fn begin_black_hole(&self) {
        self.shared.orders.send_modify(|orders| orders.lost_below = u64::MAX);
    }

    /// New connections get through. What was there, or has come meanwhile, stays lost.
    pub fn end_black_hole(&self) {
        let next = self.next();
        self.shared.orders.send_modify(|orders| orders.lost_below = next);
    }

    fn next(&self) -> u64 {
        self.shared.next.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

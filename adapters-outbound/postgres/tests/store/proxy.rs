//! A way to the database that counts round trips, and that can be cut off.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How a connection is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the request has gone through.
    Request,
    /// When the answer has come, which is not passed on.
    Answer,
    /// The same, and the client hears nothing of it: nothing goes through this connection any more.
    Silence,
}

/// The proxy; it ends with this value.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    trips: AtomicU64,
    cut: Mutex<Option<Cut>>,
    cuts_left: AtomicUsize,
    /// Whether it drops the settings that a client asks for at its start.
    is_pooler: bool,
}

impl Proxy {
    pub(crate) async fn start(to: u16) -> Proxy {
        Proxy::with(to, Shared::default()).await
    }

    /// One that drops the settings of sessions, as poolers do that give a session to one client after another.
    pub(crate) async fn pooler(to: u16) -> Proxy {
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
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await {
                        shared.pass(client, server).await;
                    }
                });
            }
        });
        Proxy { port, shared, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Round trips so far, over all connections.
    pub(crate) fn trips(&self) -> u64 {
        self.shared.trips.load(Ordering::Relaxed)
    }

    /// The next requests are cut off, so many of them.
    pub(crate) fn cut(&self, how: Cut, times: usize) {
        *self.shared.cut.lock() = Some(how);
        self.shared.cuts_left.store(times, Ordering::Relaxed);
    }

    /// Cuts that have not come about.
    pub(crate) fn cuts_left(&self) -> usize {
        self.shared.cuts_left.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn next_cut(&self) -> Option<Cut> {
        let left = self.cuts_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.ok().and_then(|_| *self.cut.lock())
    }

    async fn pass(&self, mut client: TcpStream, mut server: TcpStream) {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        if self.is_pooler {
            let start = without_settings(&mut client).await;
            server.write_all(&start).await.unwrap();
        }
        let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        let asks = AtomicBool::new(true);
        let mut cut = None;
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let Ok(len @ 1..) = read else { return };
                    if asks.swap(false, Ordering::Relaxed) {
                        self.trips.fetch_add(1, Ordering::Relaxed);
                    }
                    cut = cut.or_else(|| self.next_cut());
                    if cut == Some(Cut::Request) || server.write_all(&asked[..len]).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut answered) => {
                    let Ok(len @ 1..) = read else { return };
                    asks.store(true, Ordering::Relaxed);
                    match cut {
                        Some(Cut::Silence) => {
                            // Until the client has had enough of it.
                            while client.read(&mut asked).await.is_ok_and(|len| len > 0) {}
                            return;
                        }
                        Some(_) => return,
                        None => {}
                    }
                    if client.write_all(&answered[..len]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Reads the first message of a client, which is its length, the version of the protocol, and pairs of texts that each end
/// with a 0; returns it without the pair of settings.
async fn without_settings(client: &mut TcpStream) -> Vec<u8> {
    let len = client.read_u32().await.unwrap() as usize;
    let mut rest = vec![0; len - 4];
    client.read_exact(&mut rest).await.unwrap();
    let (version, pairs) = rest.split_at(4);
    let texts: Vec<&[u8]> = pairs.split(|byte| *byte == 0).collect();
    let kept = texts.chunks(2).filter(|pair| pair.len() == 2 && !pair[0].is_empty() && pair[0] != b"options");
    let mut start = version.to_vec();
    for text in kept.flatten() {
        start.extend_from_slice(text);
        start.push(0);
    }
    start.push(0);
    [&(start.len() as u32 + 4).to_be_bytes()[..], &start].concat()
}

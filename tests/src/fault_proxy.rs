//! Between a client and an HTTP server: it delays, refuses, loses and damages what the test says.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};

/// A request that came by.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// The query behind the path.
    pub query: String,
    /// Its number, from 0.
    pub number: usize,
    /// Bytes of its body.
    pub bytes: usize,
}

impl Seen {
    /// Whether it is about an object of a share: its name has 32 digits.
    pub fn is_of_object(&self) -> bool {
        // Some services have the whole name in one part of the path, or in the query.
        let last = |text: &str| text.rsplit('/').next().and_then(|part| part.rsplit("%2F").next()).map(str::len);
        let named = self.query.split('&').find_map(|field| field.strip_prefix("name="));
        last(&self.path) == Some(32) || named.and_then(last) == Some(32)
    }
}

/// The fate of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing unusual.
    Pass,
    /// It waits before it goes on.
    Delay(Duration),
    /// It is refused with this status and this code of S3, without effect.
    Refuse(u16, &'static str),
    /// The connection ends, without effect.
    DropBefore,
    /// It takes effect, then the connection ends: the answer is lost.
    DropAfter,
    /// A byte of the answer is another one.
    Corrupt,
    /// The answer has half of its bytes, and says so.
    Shorten,
    /// No answer ever comes.
    Hang,
}

type Rule = dyn Fn(&Seen) -> Fate + Send + Sync;

struct Shared {
    upstream: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    rule: std::sync::Mutex<Arc<Rule>>,
    seen: std::sync::Mutex<Vec<(Seen, Fate)>>,
}

/// A running proxy, which ends with this value.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FaultProxy {
    /// One before this server. It passes everything on.
    pub fn start(upstream: SocketAddr) -> FaultProxy {
        let (stop, stopped) = oneshot::channel();
        let (started, shared_of) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let shared = Arc::new(Shared {
                    upstream,
                    client: Client::builder(TokioExecutor::new()).build_http(),
                    rule: std::sync::Mutex::new(Arc::new(|_: &Seen| Fate::Pass)),
                    seen: std::sync::Mutex::default(),
                });
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                started.send((listener.local_addr().unwrap(), Arc::clone(&shared))).unwrap();
                tokio::select! { () = serve(shared, listener) => {}, _ = stopped => {} }
            });
            runtime.shutdown_background();
        });
        let (address, shared) = shared_of.recv().unwrap();
        FaultProxy { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this says what becomes of each request.
    pub fn rule(&self, rule: impl Fn(&Seen) -> Fate + Send + Sync + 'static) {
        *self.shared.rule.lock().unwrap() = Arc::new(rule);
    }

    /// From now on nothing goes through.
    pub fn begin_outage(&self) {
        self.rule(|_| Fate::DropBefore);
    }

    /// From now on everything goes through.
    pub fn end_outage(&self) {
        self.rule(|_| Fate::Pass);
    }

    /// Returns the requests that came by, and their fates.
    pub fn seen(&self) -> Vec<(Seen, Fate)> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many requests with bytes of objects came by: whole ones, and parts.
    pub fn uploads(&self) -> usize {
        self.seen().iter().filter(|(seen, _)| seen.method == Method::PUT && seen.is_of_object()).count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let answer = service_fn(move |request| pass(Arc::clone(&shared), request));
            // It ends with an error wherever an answer is dropped.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

/// A connection is to end.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("dropped")
    }
}

impl std::error::Error for Dropped {}

async fn pass(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let fate = judge(&shared, &parts, body.len());
    match fate {
        Fate::Delay(time) => tokio::time::sleep(time).await,
        Fate::DropBefore => return Err(Dropped),
        Fate::Refuse(status, code) => return Ok(refusal(status, code)),
        Fate::Hang => std::future::pending().await,
        Fate::Pass | Fate::DropAfter | Fate::Corrupt | Fate::Shorten => {}
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut forwarded = Request::builder().method(parts.method).uri(format!("http://{}{path}", shared.upstream));
    *forwarded.headers_mut().unwrap() = parts.headers;
    let answer = shared.client.request(forwarded.body(Full::new(body)).unwrap()).await.map_err(|_| Dropped)?;
    let (mut parts, body) = answer.into_parts();
    let mut body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    match fate {
        Fate::DropAfter => return Err(Dropped),
        Fate::Corrupt if !body.is_empty() => {
            let mut damaged = body.to_vec();
            let middle = damaged.len() / 2;
            damaged[middle] ^= 1;
            body = damaged.into();
        }
        Fate::Shorten if !body.is_empty() => {
            body.truncate(body.len() / 2);
            parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
        }
        _ => {}
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}

fn judge(shared: &Shared, parts: &hyper::http::request::Parts, bytes: usize) -> Fate {
    let mut seen = shared.seen.lock().unwrap();
    let one = Seen {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        number: seen.len(),
        bytes,
    };
    let rule = Arc::clone(&shared.rule.lock().unwrap());
    let fate = rule(&one);
    seen.push((one, fate));
    fate
}

fn refusal(status: u16, code: &str) -> Response<Full<Bytes>> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test says</Message></Error>");
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

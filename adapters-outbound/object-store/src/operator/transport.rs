//! Requests over HTTP: with connections that are kept, a bound on how many run at once, a window of uploads that adapts
//! to the link, and an end to those of which no byte moves any more.
//!
//! Redirections are answered as they are: a signed request is not good for another host.

mod body;
mod window;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::{Method, Request, Response, StatusCode, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::sleep};

use crate::{OpenError, TransferOptions};
use body::{Answer, Held, Upload};
use window::Window;

/// An idle connection is closed after so long: servers close theirs after a minute or less.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// A connection that isn't made in so long is given up. TCP asks at 0, 1, 3 and 7 s by then.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Requests with fewer bytes say nothing about the link. They take a round trip, however fast the link.
const UPLOAD_BYTES_MIN: usize = 64 << 10;

/// A client; copies are the same one.
#[derive(Clone)]
pub(crate) struct Transport {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client<HttpsConnector<HttpConnector>, Upload>,
    timeout: Duration,
    requests: Arc<Semaphore>,
    uploads: Window,
    skew_seconds: AtomicI64,
    region: Mutex<Option<String>>,
}

impl Transport {
    pub(crate) fn new(options: &TransferOptions) -> Result<Transport, OpenError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(30)));
        connector.set_connect_timeout(Some(CONNECT_MAX.min(options.timeout())));
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| {
                OpenError::Unavailable(format!("the system's certificates can't be read: {error}").into())
            })?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(options.requests)
            .build(connector);
        let shared = Shared {
            client,
            timeout: options.timeout(),
            requests: Arc::new(Semaphore::new(options.requests.clamp(1, Semaphore::MAX_PERMITS))),
            uploads: Window::new(options.uploads),
            skew_seconds: AtomicI64::new(0),
            region: Mutex::new(None),
        };
        Ok(Transport { shared: Arc::new(shared) })
    }

    /// Seconds that this machine's clock was ahead of the store's at the last answer.
    pub(crate) fn skew_seconds(&self) -> i64 {
        self.shared.skew_seconds.load(Ordering::Relaxed)
    }

    /// The region that an answer named last.
    pub(crate) fn region(&self) -> Option<String> {
        self.shared.region.lock().clone()
    }

    /// Sends a request; fails where no byte of it or of the answer's head moves for too long.
    async fn send(&self, request: Request<Buffer>) -> opendal::Result<Response<hyper::body::Incoming>> {
        let moved = Arc::new(AtomicU64::new(0));
        let request = request.map(|bytes| Upload::new(bytes, Arc::clone(&moved)));
        let mut answer = std::pin::pin!(self.shared.client.request(request));
        let mut seen = 0;
        loop {
            tokio::select! {
                answer = &mut answer => return answer.map_err(|error| not_answered(&error)),
                () = sleep(self.shared.timeout) => {
                    let now = moved.load(Ordering::Relaxed);
                    if now == seen {
                        return Err(stalled(self.shared.timeout));
                    }
                    seen = now;
                }
            }
        }
    }

    fn note(&self, answer: &Response<hyper::body::Incoming>) {
        let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        if let Some(theirs) = text(header::DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok()) {
            let ours = SystemTime::now();
            let ahead = match ours.duration_since(theirs) {
                Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX),
                Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(i64::MAX),
            };
            self.shared.skew_seconds.store(ahead, Ordering::Relaxed);
        }
        if let Some(region) = text("x-amz-bucket-region") {
            *self.shared.region.lock() = Some(region.to_owned());
        }
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, mut request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let (uri, bytes) = (request.uri().clone(), request.body().len());
        let is_head = request.method() == Method::HEAD;
        // Services set headers for the version that they expect, which is this one.
        *request.version_mut() = hyper::Version::HTTP_11;
        if !request.headers().contains_key(header::CONTENT_LENGTH)
            && matches!(*request.method(), Method::PUT | Method::POST)
        {
            request.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
        }
        let upload = if bytes >= UPLOAD_BYTES_MIN { Some(self.shared.uploads.enter().await) } else { None };
        let permit = Arc::clone(&self.shared.requests).acquire_owned().await;
        let permit = permit.map_err(|_| Error::new(ErrorKind::Unexpected, "the store is closed"))?;
        let sent = self.send(request).await;
        if let Some(upload) = upload {
            let slow = |answer: &Response<_>| is_slow_down(answer.status());
            match &sent {
                Ok(answer) if slow(answer) => upload.refused(),
                Ok(_) => upload.done(bytes),
                Err(_) => upload.refused(),
            }
        }
        let answer = sent?;
        self.note(&answer);
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // Of OpenDAL's services only that of S3 knows it, and that by its text.
            return Err(Error::new(ErrorKind::RangeNotSatisfied, "the range is behind the end"));
        }
        let (mut parts, incoming) = answer.into_parts();
        let length = match is_head || parts.headers.contains_key(header::CONTENT_ENCODING) {
            true => None,
            false => parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()),
        };
        parts.extensions.insert(uri);
        let held = Held { _permit: permit, timeout: self.shared.timeout };
        Ok(Response::from_parts(parts, HttpBody::new(Answer::new(incoming, held), length)))
    }
}

fn is_slow_down(status: StatusCode) -> bool {
    matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
}

/// Begins the messages of requests without an answer.
pub(crate) const NO_ANSWER: &str = "no answer";

fn not_answered(error: &hyper_util::client::legacy::Error) -> Error {
    let mut causes = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        causes = inner.to_string();
        cause = inner.source();
    }
    let what = if error.is_connect() { "connecting failed" } else { "the connection broke" };
    Error::new(ErrorKind::Unexpected, format!("{NO_ANSWER}: {what}: {causes}")).set_temporary()
}

fn stalled(timeout: Duration) -> Error {
    let seconds = timeout.as_secs();
    Error::new(ErrorKind::Unexpected, format!("{NO_ANSWER}: nothing moved for {seconds} s")).set_temporary()
}

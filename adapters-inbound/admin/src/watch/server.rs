//! The listener, and the three requests.
//!
//! Each request has a way of its own: so many at once are answered, and further ones must come again. So neither
//! requests that nobody finishes nor costly ones keep anybody from learning whether the server lives.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Watch,
    places::{Place, Places},
};
use crate::{listener::ACCEPT_PAUSE, server::http};

/// How long a peer may take over its request's head. Probes and scrapers send it at once.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection may last: the threads and stores that are asked have 2 s.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(6);
/// Requests of one kind that are answered at once. More than scrape one server; each may wait for stores.
const ANSWERS_AT_ONCE: usize = 16;
const TEXT: &str = "text/plain; charset=utf-8";
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many requests of each kind may be answered at once.
struct Ways {
    health: Semaphore,
    readiness: Semaphore,
    metrics: Semaphore,
}

/// Answers whoever connects, until this is dropped.
pub async fn serve_watch(listener: TcpListener, watch: Arc<Watch>) {
    let places = Places::default();
    let way = || Semaphore::new(ANSWERS_AT_ONCE);
    let ways = Arc::new(Ways { health: way(), readiness: way(), metrics: way() });
    let mut connections = JoinSet::new();
    let mut has_failed = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                has_failed = false;
                let place = Place::default();
                let task = connections.spawn(talk(stream, place.clone(), Arc::clone(&watch), Arc::clone(&ways)));
                places.enter(place, task);
            }
            Err(error) => {
                // The first of a run of failures is logged.
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::warn!(%error, "a connection of monitoring could not be accepted");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn talk(stream: TcpStream, place: Place, watch: Arc<Watch>, ways: Arc<Ways>) {
    let answer = service_fn(|request| {
        let (watch, ways, answering) = (Arc::clone(&watch), Arc::clone(&ways), place.answer());
        async move {
            let answer = watch.answer(&request, &ways).await;
            drop(answering);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http();
    http.header_read_timeout(HEAD_TIMEOUT);
    match timeout(CONNECTION_TIME_MAX, http.serve_connection(TokioIo::new(stream), answer)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of monitoring failed"),
        Err(_) => tracing::debug!("a connection of monitoring took too long"),
    }
}

impl Watch {
    /// Answers a request. None takes a body, so none is read.
    async fn answer<B>(&self, request: &Request<B>, ways: &Ways) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned());
        }
        let way = match request.uri().path() {
            "/healthz" => &ways.health,
            "/readyz" => &ways.readiness,
            "/metrics" => &ways.metrics,
            _ => return text(StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
        };
        let Ok(_permit) = way.try_acquire() else {
            return text(StatusCode::TOO_MANY_REQUESTS, TEXT, "too many ask at once\n".to_owned());
        };
        match request.uri().path() {
            "/healthz" => state(self.silent_threads().await),
            "/readyz" => state(self.unready().await),
            _ => text(StatusCode::OK, EXPOSITION, self.exposition().await),
        }
    }
}

/// All is well if there is nothing to report.
fn state(reasons: Vec<String>) -> Response<Full<Bytes>> {
    if reasons.is_empty() {
        return text(StatusCode::OK, TEXT, "ok\n".to_owned());
    }
    text(StatusCode::SERVICE_UNAVAILABLE, TEXT, reasons.iter().map(|reason| format!("{reason}\n")).collect())
}

fn text(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

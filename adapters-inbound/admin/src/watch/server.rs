//! The listener, and the three requests.

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
    time::timeout,
};

use super::Watch;
use crate::{listener::talk_with_all, server::http};

/// How long a connection may last: a peer that takes nothing must not keep its place.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(30);
const TEXT: &str = "text/plain; charset=utf-8";
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers whoever connects, until this is dropped.
pub async fn serve_watch(listener: TcpListener, watch: Arc<Watch>) {
    talk_with_all(listener, |stream| talk(stream, Arc::clone(&watch))).await;
}

async fn talk(stream: TcpStream, watch: Arc<Watch>) {
    let answer = service_fn(|request| {
        let watch = Arc::clone(&watch);
        async move { Ok::<_, Infallible>(watch.answer(&request).await) }
    });
    match timeout(CONNECTION_TIME_MAX, http().serve_connection(TokioIo::new(stream), answer)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of monitoring failed"),
        Err(_) => tracing::debug!("a connection of monitoring took too long"),
    }
}

impl Watch {
    /// Answers a request. None takes a body, so none is read.
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned());
        }
        match request.uri().path() {
            "/healthz" => state(self.silent_threads().await),
            "/readyz" => state(self.unready().await),
            "/metrics" => text(StatusCode::OK, EXPOSITION, self.exposition().await),
            _ => text(StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
        }
    }
}

/// All is well if there is nothing to tell.
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

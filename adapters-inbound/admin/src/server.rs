//! The server's end of the socket.

use std::{convert::Infallible, sync::Arc, time::Duration};

use dittofs_ports::{AccountService, AdminService};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};

use crate::{configured::Configured, listener::talk_with_all, routes::Routes};

/// The most bytes that a request's head may take. A path and a few headers are a fraction of it.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a peer may take over it. The peer is on this machine and sends it at once: only one that hangs needs
/// longer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP within bounds, one request a connection.
pub(crate) fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD_BYTES_MAX).timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    http
}

/// Answers whoever connects, until this is dropped.
pub async fn serve(
    listener: UnixListener,
    service: Arc<dyn AdminService>,
    accounts: Arc<dyn AccountService>,
    configured: Arc<dyn Configured>,
) {
    let routes = Arc::new(Routes { service, accounts, configured });
    talk_with_all(listener, |stream| talk(stream, Arc::clone(&routes))).await;
}

async fn talk(stream: UnixStream, routes: Arc<Routes>) {
    let answer = service_fn(|request| {
        let routes = Arc::clone(&routes);
        async move { Ok::<_, Infallible>(routes.answer(request).await) }
    });
    if let Err(error) = http().serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "a connection to the local socket failed");
    }
}

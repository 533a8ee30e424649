//! The server's end of the socket.

use std::{convert::Infallible, sync::Arc, time::Duration};

use dittofs_ports::AdminService;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::sleep,
};

use crate::{routes::Routes, wire::ShareFacts};

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 16;
/// What a request's head may take.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a peer may take over it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers whoever connects, until this is dropped. `facts` is what the running shares were configured with.
pub async fn serve(listener: UnixListener, service: Arc<dyn AdminService>, facts: Vec<ShareFacts>) {
    let routes = Arc::new(Routes { service, facts });
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = Arc::clone(&routes);
                connections.spawn(async move {
                    talk(stream, routes).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local socket does not accept");
                sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn talk(stream: UnixStream, routes: Arc<Routes>) {
    let answer = service_fn(|request| {
        let routes = Arc::clone(&routes);
        async move { Ok::<_, Infallible>(routes.answer(&request).await) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD_BYTES_MAX).timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "a connection to the local socket failed");
    }
}

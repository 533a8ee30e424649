//! Connections to the local socket, a bounded number of them at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::sleep,
};

/// Connections at once; more wait. Commands are given by people and a few scripts.
const CONNECTIONS_MAX: usize = 16;
/// After a failure to accept, such as too many open files. It spares the processor while the failure lasts, and nobody
/// notices the wait.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Talks with whoever connects, until this is dropped.
pub(crate) async fn talk_with_all<T>(listener: UnixListener, talk: impl Fn(UnixStream) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let talk = talk(stream);
                connections.spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection of an administrator could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

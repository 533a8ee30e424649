//! Work that must not stop half-way when its caller goes away.

use dittofs_ports::Spawner;
use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::lock_order::strand;

/// Runs something in a task of its own and waits for its end. The task goes on to its end even where nobody waits any
/// more. Returns none if the task was ended with its runtime.
pub(crate) async fn run_to_end<T: Send + 'static>(
    spawner: &dyn Spawner,
    name: &'static str,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    // Nobody may be waiting any more.
    let task = strand(work).map(|result| drop(answer.send(result)));
    spawner.spawn(name, Box::pin(task));
    answered.await.ok()
}

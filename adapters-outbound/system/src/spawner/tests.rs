use std::sync::mpsc;

use super::*;

#[test]
fn a_task_runs_on_the_runtime_though_a_plain_thread_asks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let spawner = TokioSpawner::new(runtime.handle().clone());
    let (send, receive) = mpsc::channel();
    spawner.spawn("test", Box::pin(async move { send.send(tokio::runtime::Handle::try_current().is_ok()).unwrap() }));
    assert!(receive.recv_timeout(std::time::Duration::from_secs(10)).unwrap());
}

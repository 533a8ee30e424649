//! Whoever asked for a flush goes away before it is done.

use std::sync::Arc;

use dittofs_application::Services;
use dittofs_ports::{AdminService, CheckOptions, Journal};
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::{
    interposed::After,
    world::{SHARE, World},
};

const BYTES: &[u8] = b"bytes that are on their way";

async fn is_done_though_nobody_waits(ask: impl FnOnce(Arc<Services>) -> BoxFuture<'static, ()>) {
    let world = World::new().await;
    let node = world.file(BYTES).await;
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let event = (Arc::clone(&reached), Arc::clone(&go_on));
    // The object is noted, and not put yet.
    world.next.set(After::Apply, async move {
        event.0.notify_one();
        event.1.notified().await;
    });
    let asked = tokio::spawn(ask(Arc::clone(&world.services)));
    reached.notified().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    go_on.notify_one();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.journal.usage().used, 0, "they are in the content store");
    assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
}

#[tokio::test]
async fn a_flush_goes_on_to_its_end() {
    is_done_though_nobody_waits(|services| Box::pin(async move { services.flush().await.unwrap() })).await;
}

#[tokio::test]
async fn the_flush_before_a_check_goes_on_to_its_end() {
    let check = |services: Arc<Services>| async move {
        services.check(SHARE, CheckOptions::default(), Arc::new(())).await.unwrap();
    };
    is_done_though_nobody_waits(|services| Box::pin(check(services))).await;
}

//! Reads that something comes between, again and again.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use dittofs_application::Services;
use dittofs_domain::NodeId;
use dittofs_ports::{AdminService, BlockService, Stability};
use futures_util::FutureExt;

use crate::{
    interposed::{After, Next},
    world::{SHARE, World, caller},
};

const BYTES: &[u8] = b"bytes that are in the content store";
/// So often the file changes under the eyes of a read before it takes the lock of the file.
const CHANGES: u32 = 4;

async fn write(services: &Services, node: NodeId, at: u64) {
    let byte = Bytes::from_static(b"b");
    let share = services.share(SHARE).unwrap();
    share.write(&caller(), node, at, byte, Stability::Unstable).await.unwrap();
}

/// Writes and flushes, and has that happen again.
fn change(
    (services, next): (Arc<Services>, Arc<Next>),
    node: NodeId,
    left: u32,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        write(&services, node, 0).await;
        services.flush().await.unwrap();
        // The next read has something unflushed to compare with.
        write(&services, node, 0).await;
        if left > 1 {
            let again = change((services, Arc::clone(&next)), node, left - 1);
            next.set(After::View, again);
        }
    })
}

#[tokio::test]
async fn a_read_that_has_locked_its_file_lets_go_of_it_before_the_store_is_waited_for() {
    let world = World::new().await;
    let node = world.file(BYTES).await;
    world.services.flush().await.unwrap();
    world.write(node, b"b", Stability::Unstable).await.unwrap();
    let shared = (Arc::clone(&world.services), Arc::clone(&world.next));
    world.next.set(After::View, change(shared, node, CHANGES));
    let services = Arc::clone(&world.services);
    world.faults.get.set(move || {
        write(&services, node, 1).now_or_never().expect("somebody can write meanwhile");
        None
    });
    assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
    assert!(world.next.is_over());
}

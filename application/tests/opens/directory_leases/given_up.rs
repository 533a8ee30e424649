//! Calls that are given up between a change and telling of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dittofs_domain::{ClientId, NodeId};
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{OpenChange, OpenHint, OpenQuestion, OpenState, OpenStateError};

use super::{HOLDER, Holder, ROOT, directory, file};
use crate::world::{World, nfs};

/// A store of opens that can be made to never answer an update.
#[derive(Default)]
struct Stopping {
    store: MemoryOpenState,
    is_stopped: AtomicBool,
}

#[async_trait]
impl OpenState for Stopping {
    fn is_idle(&self) -> bool {
        self.store.is_idle()
    }

    fn hint<'a>(&'a self, node: NodeId, question: &'a mut (dyn OpenQuestion + 'a)) -> OpenHint {
        self.store.hint(node, question)
    }

    async fn is_open(&self, node: NodeId) -> Result<bool, OpenStateError> {
        self.store.is_open(node).await
    }

    async fn update<'a>(&'a self, node: NodeId, change: &'a mut (dyn OpenChange + 'a)) -> Result<(), OpenStateError> {
        if self.is_stopped.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        self.store.update(node, change).await
    }

    async fn nodes_of(&self, client: ClientId) -> Result<Vec<NodeId>, OpenStateError> {
        self.store.nodes_of(client).await
    }
}

/// A change that is given up while the store of opens does not answer: all lose their leases afterwards, as nobody knows
/// any more which directory it was.
async fn leaves_it_to_others(world: &World, opens: &Stopping, there: NodeId, change: impl Future) {
    let (holder, other) = (Holder::new(world, HOLDER, there, 1).await, Holder::new(world, HOLDER, ROOT, 2).await);
    opens.is_stopped.store(true, Ordering::Release);
    assert!(tokio::time::timeout(Duration::from_secs(1), change).await.is_err());
    assert_eq!(holder.breaks(), []);
    opens.is_stopped.store(false, Ordering::Release);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(holder.is_broken(0).await);
    assert!(other.is_broken(0).await);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_given_up_before_it_has_told_leaves_that_to_others() {
    let opens = Arc::<Stopping>::default();
    let world = World::with(Arc::clone(&opens) as Arc<dyn OpenState>).await;
    let there = directory(&world, "there").await;
    leaves_it_to_others(&world, &opens, there, file(&world, there, "a")).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_given_up_before_it_has_told_leaves_that_to_others() {
    let opens = Arc::<Stopping>::default();
    let world = World::with(Arc::clone(&opens) as Arc<dyn OpenState>).await;
    let there = directory(&world, "there").await;
    let made = file(&world, there, "a").await;
    leaves_it_to_others(&world, &opens, there, async { world.write(&nfs(1), made, 0, b"bytes").await.unwrap() }).await;
}

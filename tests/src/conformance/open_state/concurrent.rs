use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dittofs_domain::{
    NodeId,
    opens::{NodeOpens, OpenToken},
};
use dittofs_ports::OpenState;
use tokio::task::JoinSet;

use super::{client, close, hinted, nodes_of, open, open_of, stored};

const TASKS: u64 = 8;
const ROUNDS: u64 = 100;

pub async fn concurrent_updates_of_a_node_come_one_after_the_other(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = make().await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let state = Arc::clone(&state);
        tasks.spawn(async move {
            let mut counts = Vec::new();
            for round in 0..ROUNDS {
                let mut count = 0;
                let mut one_more = |opens: &mut NodeOpens| {
                    let _ = opens.open(OpenToken(task * ROUNDS + round), open_of(client(task)), false, 0);
                    count = opens.opens().count() as u64;
                };
                state.update(NodeId(3), &mut one_more).await.unwrap();
                counts.push(count);
            }
            counts
        });
    }
    let counts: Vec<u64> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<u64> = counts.into_iter().collect();
    assert!(distinct.into_iter().eq(1..=TASKS * ROUNDS), "two updates began from one state");
    assert_eq!(stored(&*state, 3).await.opens().count() as u64, TASKS * ROUNDS);
}

pub async fn concurrent_opens_and_closes_leave_nothing(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = make().await;
    let was_idle = state.is_idle();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let state = Arc::clone(&state);
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                // Nodes that several tasks have at once, and that come and go.
                let node = 3 + (round + task) % 3;
                open(&*state, node, client(task), task).await.unwrap();
                assert!(state.is_open(NodeId(node)).await.unwrap());
                assert_eq!(nodes_of(&*state, client(task)).await, [node]);
                close(&*state, node, task).await;
            }
        });
    }
    tasks.join_all().await;
    for node in 3..6 {
        assert!(stored(&*state, node).await.is_empty());
    }
    assert_eq!(state.is_idle(), was_idle);
}

pub async fn nobody_sees_half_an_update(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = make().await;
    open(&*state, 3, client(0), 0).await.unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let (state, is_done) = (Arc::clone(&state), Arc::clone(&is_done));
        readers.spawn(async move {
            let mut looks = 0;
            while !is_done.load(Ordering::Acquire) || looks == 0 {
                if let Some(opens) = hinted(&*state, 3) {
                    assert_eq!(opens.opens().count(), 1, "one open is put in the place of another");
                }
                assert!(state.is_open(NodeId(3)).await.unwrap());
                looks += 1;
                tokio::task::yield_now().await;
            }
        });
    }
    for token in 1..TASKS * ROUNDS {
        let mut swap = |opens: &mut NodeOpens| {
            opens.close(OpenToken(token - 1));
            let _ = opens.open(OpenToken(token), open_of(client(token)), false, 0);
        };
        state.update(NodeId(3), &mut swap).await.unwrap();
        tokio::task::yield_now().await;
    }
    is_done.store(true, Ordering::Release);
    readers.join_all().await;
}

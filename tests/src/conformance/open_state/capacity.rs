use std::sync::Arc;

use dittofs_domain::{
    NodeId,
    opens::{LockKind, NodeOpens, OpenToken},
};
use dittofs_ports::{OpenState, OpenStateError};

use super::{client, close, lock_of, nodes_of, open, open_of, stored};

/// A store in which no other node has room than 3 to 10, each open by client 1.
async fn full(make: impl AsyncFn(usize) -> Arc<dyn OpenState>) -> Arc<dyn OpenState> {
    let state = make(8).await;
    for node in 3..11 {
        open(&*state, node, client(1), 1).await.unwrap();
    }
    state
}

pub async fn a_full_store_refuses_new_nodes_and_changes_nothing(make: impl AsyncFn(usize) -> Arc<dyn OpenState>) {
    let state = &*full(make).await;
    let refused = open(state, 11, client(2), 1).await;
    assert!(matches!(refused, Err(OpenStateError::Full)), "{refused:?}");
    assert!(stored(state, 11).await.is_empty());
    assert_eq!(nodes_of(state, client(2)).await, Vec::<u64>::new());
    assert_eq!(nodes_of(state, client(1)).await, (3..11).collect::<Vec<_>>());
    close(state, 3, 1).await;
    open(state, 11, client(2), 1).await.unwrap();
    assert!(stored(state, 11).await.is_open());
}

pub async fn a_full_store_refuses_nothing_that_leaves_no_more(make: impl AsyncFn(usize) -> Arc<dyn OpenState>) {
    let state = &*full(make).await;
    state.update(NodeId(11), &mut |_: &mut NodeOpens| {}).await.unwrap();
    let mut swap = |opens: &mut NodeOpens| {
        opens.close(OpenToken(1));
        let _ = opens.open(OpenToken(2), open_of(client(2)), false, 0);
    };
    state.update(NodeId(3), &mut swap).await.unwrap();
    let mut lock_instead = |opens: &mut NodeOpens| {
        opens.close(OpenToken(1));
        let _ = opens.lock(lock_of(client(2), LockKind::Exclusive), None, 0);
    };
    state.update(NodeId(4), &mut lock_instead).await.unwrap();
    assert_eq!(nodes_of(state, client(2)).await, [3, 4]);
    for node in 3..11 {
        let mut release = |opens: &mut NodeOpens| *opens = NodeOpens::default();
        state.update(NodeId(node), &mut release).await.unwrap();
    }
    assert_eq!(nodes_of(state, client(1)).await, Vec::<u64>::new());
}

pub async fn nodes_that_nobody_has_anything_on_take_no_room(make: impl AsyncFn(usize) -> Arc<dyn OpenState>) {
    let state = &*full(make).await;
    close(state, 3, 1).await;
    for node in 11..1_011 {
        open(state, node, client(2), 1).await.unwrap();
        close(state, node, 1).await;
    }
    open(state, 3, client(1), 1).await.unwrap();
    assert!(matches!(open(state, 11, client(2), 1).await, Err(OpenStateError::Full)));
}

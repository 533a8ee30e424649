use std::sync::Arc;

use dittofs_domain::{
    NodeId,
    opens::{LockKind, NodeOpens, OpenToken},
};
use dittofs_ports::OpenState;

use super::{client, close, hinted, lock_of, nodes_of, open, open_of, stored};

pub async fn an_update_is_seen_once_it_has_returned(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    for node in [3, 4, 67, u64::MAX >> 1] {
        assert!(stored(state, node).await.is_empty());
        open(state, node, client(1), node).await.unwrap();
        open(state, node, client(2), 1).await.unwrap();
        let opens = stored(state, node).await;
        let tokens: Vec<u64> = opens.opens().map(|(token, _)| token.0).collect();
        assert_eq!(tokens, [1, node]);
        assert_eq!(opens.find(OpenToken(node)), Some(&open_of(client(1))));
        assert!(stored(state, node + 1_000).await.is_empty(), "nothing of other nodes");
    }
    close(state, 3, 3).await;
    assert!(stored(state, 3).await.is_open(), "another has it open");
    close(state, 3, 1).await;
    assert!(!stored(state, 3).await.is_open());
    assert!(stored(state, 4).await.is_open());
}

pub async fn a_state_that_is_left_empty_is_dropped(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    let was_idle = state.is_idle();
    for node in 3..203 {
        open(state, node, client(1), node).await.unwrap();
        assert!(!state.is_idle());
    }
    for node in 3..203 {
        close(state, node, node).await;
        assert!(hinted(state, node).is_none_or(|opens| opens == NodeOpens::default()), "{node}");
    }
    assert_eq!(state.is_idle(), was_idle);
    assert_eq!(nodes_of(state, client(1)).await, Vec::<u64>::new());
}

pub async fn an_update_that_changes_nothing_leaves_nothing(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    let was_idle = state.is_idle();
    let mut runs = 0;
    state.update(NodeId(3), &mut |_: &mut NodeOpens| runs += 1).await.unwrap();
    assert!(runs > 0);
    // An open that the same update takes back was never there.
    let mut there_and_back = |opens: &mut NodeOpens| {
        let _ = opens.open(OpenToken(1), open_of(client(1)), false, 0);
        opens.close(OpenToken(1));
    };
    state.update(NodeId(3), &mut there_and_back).await.unwrap();
    assert_eq!(state.is_idle(), was_idle);
    assert!(stored(state, 3).await.is_empty());
    assert_eq!(nodes_of(state, client(1)).await, Vec::<u64>::new());
}

pub async fn locks_alone_keep_no_node_open(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    let mut lock = |opens: &mut NodeOpens| drop(opens.lock(lock_of(client(1), LockKind::Shared), None, 0));
    state.update(NodeId(3), &mut lock).await.unwrap();
    let opens = stored(state, 3).await;
    assert!(!opens.is_empty() && !opens.is_open());
    open(state, 3, client(2), 1).await.unwrap();
    assert!(stored(state, 3).await.is_open());
    close(state, 3, 1).await;
    assert_eq!(stored(state, 3).await.locks().len(), 1, "the close of one leaves the lock of another");
}

pub async fn an_update_that_was_given_up_is_whole_or_nothing(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    for node in 3..103 {
        open(state, node, client(1), 0).await.unwrap();
        let mut two_for_one = |opens: &mut NodeOpens| {
            opens.close(OpenToken(0));
            let _ = opens.open(OpenToken(1), open_of(client(1)), false, 0);
            let _ = opens.open(OpenToken(2), open_of(client(1)), false, 0);
        };
        let mut update = state.update(NodeId(node), &mut two_for_one);
        let _ = futures_util::poll!(&mut update);
        drop(update);
        let tokens: Vec<u64> = stored(state, node).await.opens().map(|(token, _)| token.0).collect();
        assert!(tokens == [0] || tokens == [1, 2], "{tokens:?}");
    }
}

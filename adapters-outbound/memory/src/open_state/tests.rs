use std::future::Future;

use dittofs_domain::opens::{Locking, Open, OpenToken, ShareMode};

use super::*;

const CLIENT: ClientId = ClientId::Nfs4(1);

/// Nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a memory store waited"),
    }
}

fn open(state: &MemoryOpenState, node: u64) -> Result<(), OpenStateError> {
    now(state.update(NodeId(node), &mut |opens: &mut NodeOpens| {
        let (share, locking) = (ShareMode::default(), Locking::Mandatory);
        let open = Open { client: CLIENT, share, locking, lease: None, file: None };
        let _ = opens.open(OpenToken(node), open, false, 0);
    }))
}

/// Whether a node is open; none if it has no state at all.
fn hint(state: &MemoryOpenState, node: u64) -> Option<bool> {
    let mut is_open = None;
    let hint = state.hint(NodeId(node), &mut |opens: &NodeOpens| is_open = Some(opens.is_open()));
    assert_eq!(hint, if is_open.is_some() { OpenHint::Seen } else { OpenHint::Nothing });
    is_open
}

fn close(state: &MemoryOpenState, node: u64) {
    now(state.update(NodeId(node), &mut |opens: &mut NodeOpens| {
        opens.close(OpenToken(node));
    }))
    .unwrap();
}

#[test]
fn it_is_idle_exactly_while_no_node_has_state() {
    let state = MemoryOpenState::new();
    assert!(state.is_idle());
    now(state.update(NodeId(3), &mut |_: &mut NodeOpens| {})).unwrap();
    assert!(state.is_idle(), "an empty state is not kept");
    open(&state, 3).unwrap();
    open(&state, 3).unwrap();
    open(&state, 4).unwrap();
    assert!(!state.is_idle());
    close(&state, 3);
    assert!(!state.is_idle());
    assert_eq!(hint(&state, 3), None);
    assert_eq!(hint(&state, 4), Some(true));
    close(&state, 4);
    assert!(state.is_idle());
}

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use dittofs_domain::{
    ClientId, NodeId,
    opens::{LeaseForm, LeaseKey, LockKind, NodeOpens, Open, OpenToken, Rights, WaitToken},
};
use dittofs_ports::OpenState;

use super::{client, close, lock_of, nodes_of, open, open_of, stored};

pub async fn nodes_of_a_client_are_those_where_it_has_anything(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    open(state, 3, client(1), 1).await.unwrap();
    let mut locks = |opens: &mut NodeOpens| {
        let _ = opens.lock(lock_of(client(1), LockKind::Exclusive), None, 0);
        let _ = opens.lock(lock_of(client(2), LockKind::Exclusive), Some(WaitToken(1)), 0);
    };
    state.update(NodeId(4), &mut locks).await.unwrap();
    let key = LeaseKey { client: client(3), form: LeaseForm::Delegation, id: 0 };
    let mut delegate = |opens: &mut NodeOpens| {
        let _ = opens.open(OpenToken(1), Open { lease: Some(key), ..open_of(client(3)) }, false, 0);
        opens.request_lease(key, Rights::READ | Rights::HANDLE);
        opens.close(OpenToken(1));
    };
    state.update(NodeId(67), &mut delegate).await.unwrap();
    open(state, 5, client(4), 1).await.unwrap();
    close(state, 5, 1).await;

    assert_eq!(nodes_of(state, client(1)).await, [3, 4], "an open, and a lock");
    assert_eq!(nodes_of(state, client(2)).await, [4], "a request for a lock");
    assert_eq!(nodes_of(state, client(3)).await, [67], "caching rights");
    assert_eq!(nodes_of(state, client(4)).await, Vec::<u64>::new(), "what was closed");
    assert_eq!(nodes_of(state, client(5)).await, Vec::<u64>::new());
}

/// Releases a client wherever it has anything, as the services do.
async fn release(state: &dyn OpenState, client: ClientId) {
    for node in nodes_of(state, client).await {
        let mut release = |opens: &mut NodeOpens| drop(opens.release_client(client));
        state.update(NodeId(node), &mut release).await.unwrap();
    }
}

pub async fn the_end_of_a_client_leaves_those_of_other_protocols(make: impl AsyncFn() -> Arc<dyn OpenState>) {
    let state = &*make().await;
    let clients = [ClientId::Nfs3(IpAddr::V4(Ipv4Addr::from_bits(7))), ClientId::Nfs4(7), ClientId::Smb(7)];
    for (token, client) in clients.into_iter().enumerate() {
        for node in [3, 4 + token as u64] {
            open(state, node, client, token as u64).await.unwrap();
        }
    }
    for (gone, client) in clients.into_iter().enumerate() {
        for (token, other) in clients.into_iter().enumerate() {
            let expected = if token < gone { vec![] } else { vec![3, 4 + token as u64] };
            assert_eq!(nodes_of(state, other).await, expected, "of {other}, before the end of {client}");
        }
        release(state, client).await;
        assert_eq!(nodes_of(state, client).await, Vec::<u64>::new());
        let left: Vec<ClientId> = stored(state, 3).await.opens().map(|(_, open)| open.client).collect();
        assert_eq!(left, clients[gone + 1..]);
        for (token, _) in clients.iter().enumerate() {
            assert_eq!(stored(state, 4 + token as u64).await.is_open(), token > gone);
        }
    }
}

//! States of opens: updates of one node come one after the other, and whoever asks sees each of them whole.

mod capacity;
mod clients;
mod concurrent;
mod update;

pub use capacity::*;
pub use clients::*;
pub use concurrent::*;
pub use update::*;

use dittofs_domain::{
    ClientId, NodeId,
    opens::{
        Lock, LockHolder, LockKind, LockOwner, LockRange, Locking, NodeOpens, Open, OpenToken, Outcome, ShareMode,
    },
};
use dittofs_ports::{OpenHint, OpenState, OpenStateError};

/// Stamps the suite of states of opens on an adapter; the factory is an `async || -> Arc<dyn OpenState>`.
#[macro_export]
macro_rules! open_state_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                open_state, $open;
                an_update_is_seen_once_it_has_returned,
                a_state_that_is_left_empty_is_dropped,
                an_update_that_changes_nothing_leaves_nothing,
                locks_alone_keep_no_node_open,
                an_update_that_was_given_up_is_whole_or_nothing,
                nodes_of_a_client_are_those_where_it_has_anything,
                the_end_of_a_client_leaves_those_of_other_protocols,
                concurrent_updates_of_a_node_come_one_after_the_other,
                concurrent_opens_and_closes_leave_nothing,
                nobody_sees_half_an_update,
            }
        }
    };
}

/// Stamps the suite of states of opens with a bound on an adapter; the factory is an
/// `async |nodes: usize| -> Arc<dyn OpenState>`.
#[macro_export]
macro_rules! open_state_capacity_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                open_state, $open;
                a_full_store_refuses_new_nodes_and_changes_nothing,
                a_full_store_refuses_nothing_that_leaves_no_more,
                nodes_that_nobody_has_anything_on_take_no_room,
            }
        }
    };
}

fn client(number: u64) -> ClientId {
    ClientId::Nfs4(number)
}

fn open_of(client: ClientId) -> Open {
    Open { client, share: ShareMode::default(), locking: Locking::Advisory, lease: None, file: None }
}

fn lock_of(client: ClientId, kind: LockKind) -> Lock {
    let holder = LockHolder::Owner(LockOwner::new(client, b"process").unwrap());
    Lock { range: LockRange::to_end(0), kind, holder }
}

async fn open(state: &dyn OpenState, node: u64, client: ClientId, token: u64) -> Result<(), OpenStateError> {
    let mut outcome = None;
    let mut change = |opens: &mut NodeOpens| outcome = Some(opens.open(OpenToken(token), open_of(client), false, 0));
    state.update(NodeId(node), &mut change).await?;
    assert_eq!(outcome, Some(Outcome::Granted(Vec::new())), "the change was not run");
    Ok(())
}

async fn close(state: &dyn OpenState, node: u64, token: u64) {
    let mut change = |opens: &mut NodeOpens| drop(opens.close(OpenToken(token)));
    state.update(NodeId(node), &mut change).await.unwrap();
}

/// A node's state, as an update that changes nothing finds it.
async fn stored(state: &dyn OpenState, node: u64) -> NodeOpens {
    let mut found = None;
    let mut change = |opens: &mut NodeOpens| found = Some(opens.clone());
    state.update(NodeId(node), &mut change).await.unwrap();
    let found = found.expect("an update runs its change");
    assert_eq!(state.is_open(NodeId(node)).await.unwrap(), found.is_open());
    assert!(found.is_empty() || !state.is_idle(), "idle, and {found:?}");
    assert_eq!(hinted(state, node).unwrap_or_else(|| found.clone()), found);
    found
}

/// Returns what is known of a node's state without waiting, if it is known.
fn hinted(state: &dyn OpenState, node: u64) -> Option<NodeOpens> {
    let mut seen = Vec::new();
    let hint = state.hint(NodeId(node), &mut |opens: &NodeOpens| seen.push(opens.clone()));
    match hint {
        OpenHint::Nothing => assert_eq!(seen, [], "asked of nothing"),
        OpenHint::Unknown => {
            assert_eq!(seen, [], "asked of what is not known");
            return None;
        }
        OpenHint::Seen => assert_eq!(seen.len(), 1, "asked once"),
    }
    Some(seen.pop().unwrap_or_default())
}

async fn nodes_of(state: &dyn OpenState, client: ClientId) -> Vec<u64> {
    let mut nodes: Vec<u64> = state.nodes_of(client).await.unwrap().into_iter().map(|node| node.0).collect();
    nodes.sort_unstable();
    nodes
}

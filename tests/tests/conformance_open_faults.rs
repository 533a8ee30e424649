//! The suite of states of opens finds faults: each of these stores breaks one promise, and a case says so.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use async_trait::async_trait;
use dittofs_domain::{ClientId, NodeId, opens::NodeOpens};
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{OpenChange, OpenHint, OpenQuestion, OpenState, OpenStateError};
use dittofs_tests::conformance::open_state as suite;

/// How a store is broken.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// An update puts what it made of the state in the place of whatever stands there by then.
    UpdatesLost,
    /// An update takes a state away before it puts the new one.
    HalvesSeen,
    /// Clients of one number are one client.
    ProtocolsMixed,
    /// The stored state is not known at once.
    SaysNothing,
    /// Whoever wants to change something is refused, though it is to make room.
    FullForAll,
}

struct FaultyState(MemoryOpenState, Fault);

impl FaultyState {
    async fn put(&self, node: NodeId, state: &NodeOpens) -> Result<(), OpenStateError> {
        self.0.update(node, &mut |opens: &mut NodeOpens| *opens = state.clone()).await?;
        tokio::task::yield_now().await;
        Ok(())
    }
}

#[async_trait]
impl OpenState for FaultyState {
    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    fn hint<'a>(&'a self, node: NodeId, question: &'a mut (dyn OpenQuestion + 'a)) -> OpenHint {
        if self.1 == Fault::SaysNothing { OpenHint::Nothing } else { self.0.hint(node, question) }
    }

    async fn is_open(&self, node: NodeId) -> Result<bool, OpenStateError> {
        self.0.is_open(node).await
    }

    async fn update<'a>(&'a self, node: NodeId, change: &'a mut (dyn OpenChange + 'a)) -> Result<(), OpenStateError> {
        let mut state = NodeOpens::default();
        match self.1 {
            Fault::ProtocolsMixed | Fault::SaysNothing => return self.0.update(node, change).await,
            Fault::FullForAll if self.0.nodes_of(ClientId::Nfs4(1)).await?.len() == 8 => {
                return Err(OpenStateError::Full);
            }
            Fault::UpdatesLost | Fault::HalvesSeen | Fault::FullForAll => {}
        }
        self.0.update(node, &mut |opens: &mut NodeOpens| state = opens.clone()).await?;
        if self.1 == Fault::UpdatesLost {
            tokio::task::yield_now().await;
        }
        change.change(&mut state);
        if self.1 == Fault::HalvesSeen {
            self.put(node, &NodeOpens::default()).await?;
        }
        self.put(node, &state).await
    }

    async fn nodes_of(&self, client: ClientId) -> Result<Vec<NodeId>, OpenStateError> {
        let mut nodes = self.0.nodes_of(client).await?;
        if let (Fault::ProtocolsMixed, ClientId::Smb(number)) = (self.1, client) {
            nodes.extend(self.0.nodes_of(ClientId::Nfs4(number)).await?);
        }
        nodes.dedup();
        Ok(nodes)
    }
}

/// Asserts that a case fails on a store with the fault.
macro_rules! finds {
    ($($name:ident: $case:ident, $fault:expr, $open:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let run = || {
                    // One thread: what meets is decided by where the faulty store waits, not by chance.
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let faulty = |store| Arc::new(FaultyState(store, $fault)) as Arc<dyn OpenState>;
                    runtime.block_on(suite::$case($open(faulty)));
                };
                assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "the fault was not found");
            }
        )*
    };
}

type Faulty = fn(MemoryOpenState) -> Arc<dyn OpenState>;

fn ample(faulty: Faulty) -> impl AsyncFn() -> Arc<dyn OpenState> {
    async move || faulty(MemoryOpenState::new())
}

fn bounded(faulty: Faulty) -> impl AsyncFn(usize) -> Arc<dyn OpenState> {
    async move |nodes| faulty(MemoryOpenState::with_capacity(nodes))
}

finds! {
    updates_that_overwrite_each_other: concurrent_updates_of_a_node_come_one_after_the_other, Fault::UpdatesLost, ample;
    opens_that_are_lost: concurrent_opens_and_closes_leave_nothing, Fault::UpdatesLost, ample;
    a_moment_without_a_state: nobody_sees_half_an_update, Fault::HalvesSeen, ample;
    an_update_that_ends_half_way: an_update_that_was_given_up_is_whole_or_nothing, Fault::HalvesSeen, ample;
    a_client_taken_for_one_of_another_protocol: the_end_of_a_client_leaves_those_of_other_protocols,
        Fault::ProtocolsMixed, ample;
    a_store_that_does_not_see_its_own_updates: an_update_is_seen_once_it_has_returned, Fault::SaysNothing, ample;
    a_full_store_that_lets_nobody_go: a_full_store_refuses_nothing_that_leaves_no_more, Fault::FullForAll, bounded;
}

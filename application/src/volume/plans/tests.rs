use dittofs_domain::{
    Epoch, NodeId, Timestamp,
    plan::{Change, Expectation, KeptLease, NodeLease},
};

use super::*;
use crate::volume::node_locks::NodeLocks;

const NODE: NodeId = NodeId(4);

async fn required(lease: NodeLease, changes: &[Change]) -> Vec<Expectation> {
    let locks = NodeLocks::new();
    let lock = locks.lock(NODE).await.under(lease);
    let mut decide = leased(&lock, |_| Ok((Plan { changes: changes.into(), ..Plan::at(Timestamp::EPOCH) }, ())));
    decide(&View::default()).unwrap().0.expectations.to_vec()
}

#[tokio::test]
async fn a_plan_under_a_lock_requires_the_lease_under_which_it_was_locked() {
    let lease = KeptLease::NONE.granted_to(Epoch(7));
    let changes = [Change::DeleteRow { node: NODE, page: 0 }];
    let expected = vec![Expectation::LeaseIs { node: NODE, lease }];
    assert_eq!(required(NodeLease::Kept(lease), &changes).await, expected);
    assert_eq!(required(NodeLease::Kept(lease), &[]).await, [], "nothing is applied");
    assert_eq!(required(NodeLease::Sole, &changes).await, []);
}

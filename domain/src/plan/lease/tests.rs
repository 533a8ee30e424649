use proptest::prelude::*;

use super::*;
use crate::{error::FsError, plan::View, time::Timestamp};

#[test]
fn a_sole_instance_requires_nothing() {
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.require_lease(NodeId(4), View::default().lease(NodeId(4)).unwrap());
    assert!(plan.expectations.is_empty());
}

#[test]
fn a_kept_lease_is_required_as_it_was_seen() {
    let lease = KeptLease::NONE.granted_to(Epoch(7));
    let view = View { leases: Some(vec![(NodeId(4), lease)]), ..View::default() };
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.require_lease(NodeId(4), view.lease(NodeId(4)).unwrap());
    assert_eq!(view.lease(NodeId(5)), Err(FsError::Stale), "nobody asked for it");
    assert_eq!(plan.expectations.as_slice(), [Expectation::LeaseIs { node: NodeId(4), lease }]);
}

proptest! {
    #[test]
    fn the_epoch_counts_changes_of_hands_and_nothing_else(holders in prop::collection::vec(1..4u64, 0..20)) {
        let mut lease = KeptLease::NONE;
        for holder in holders {
            let before = lease;
            lease = before.granted_to(Epoch(holder));
            prop_assert_eq!(lease.holder, Some(Epoch(holder)));
            let has_changed_hands = before.holder != Some(Epoch(holder));
            prop_assert_eq!(lease.epoch.0 - before.epoch.0, u64::from(has_changed_hands));
        }
    }
}

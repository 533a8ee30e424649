//! Caching rights on a directory, whose entries change.

use proptest::prelude::*;

use super::{
    random::{clients, keys, steps, take},
    *,
};

const RH: Rights = Rights::READ.union(Rights::HANDLE);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn only_who_changes_entries_goes_on_to_cache_them(steps in steps(), at in 0..80_usize) {
        let mut node = NodeOpens::default();
        for (index, step) in steps.iter().enumerate() {
            take(&mut node, step, 10 * index as u64);
        }
        let requesters: Vec<Requester> = clients()
            .flat_map(|client| keys(client).map(Some).chain([None]).map(move |lease| Requester { client, lease }))
            .collect();
        let by = requesters[at % requesters.len()];
        let before = node.clone();
        let breaks = node.change_entries(&by, DEADLINE);
        for (key, lease) in node.leases().iter() {
            let had = before.leases().find(key).unwrap();
            let is_kept = lease.rights == had.rights && lease.state == LeaseState::Granted;
            prop_assert!(!is_kept || by.owns(key) || lease.rights.is_empty(), "{key:?} keeps {lease:?}");
        }
        for request in &breaks {
            prop_assert_eq!(request.to, Rights::empty());
            prop_assert_eq!(before.leases().find(&request.key).unwrap().state, LeaseState::Granted);
        }
        prop_assert_eq!(node.change_entries(&by, DEADLINE), vec![], "each is told once");
        prop_assert_eq!(node.opens().count(), before.opens().count());
    }
}

#[test]
fn key_of_the_parent_spares_its_own_lease() {
    let (mut node, first) = leased(1, LeaseForm::Lease, RH);
    let second = key(2, LeaseForm::Lease);
    assert_eq!(
        node.open(OpenToken(2), Open { lease: Some(second), ..open(2, ShareAccess::READ) }, false, 0),
        granted()
    );
    assert_eq!(node.request_lease(second, RH).rights, RH);
    let by = Requester { client: ClientId::Nfs4(1), lease: Some(first) };
    let broken = Break { key: second, from: RH, to: Rights::empty(), epoch: 2, deadline_ms: Some(DEADLINE) };
    assert_eq!(node.change_entries(&by, DEADLINE), [broken]);
    assert_eq!(node.leases().find(&first).unwrap().rights, RH);
    let nobody = Requester { client: ClientId::Nfs4(9), lease: None };
    assert_eq!(node.change_entries(&nobody, DEADLINE).len(), 1);
}

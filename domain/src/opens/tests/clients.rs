//! Clients of different protocols are different clients, whatever their numbers.

use std::{collections::BTreeSet, net::IpAddr};

use proptest::prelude::*;

use super::{
    random::{client, clients, steps, take},
    *,
};

/// The state of all clients but one: their opens, their rights, and the bytes that they have locked or wait to lock.
/// After a release, a lock that was waited for may be held, may have merged with another, and may have replaced a
/// weaker one.
type OfOthers = (Vec<(OpenToken, Open)>, Vec<(LeaseKey, Lease)>, BTreeSet<(LockHolder, u64)>);

fn of_others(node: &NodeOpens, client: ClientId) -> OfOthers {
    let opens = node.opens().filter(|(_, open)| open.client != client).map(|(token, open)| (*token, *open));
    let leases = node.leases().iter().filter(|(key, _)| key.client != client).map(|(key, lease)| (*key, *lease));
    let locks = node.locks().iter().chain(node.waiters().map(|waiter| &waiter.lock));
    let locked = locks.filter(|lock| lock.holder.client() != client).flat_map(|lock| {
        let bytes = lock.range.offset()..=lock.range.last().unwrap_or(lock.range.offset());
        bytes.map(|byte| (lock.holder.clone(), byte))
    });
    (opens.collect(), leases.collect(), locked.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn release_of_a_client_drops_nothing_of_another(steps in steps(), gone in client()) {
        let mut node = NodeOpens::default();
        for (at, step) in steps.iter().enumerate() {
            take(&mut node, step, 10 * at as u64);
        }
        let before = of_others(&node, gone);
        node.release_client(gone);
        prop_assert_eq!(of_others(&node, gone), before);
        prop_assert!(!node.involves(gone));
        prop_assert!(node.is_empty() || clients().any(|client| node.involves(client)));
    }
}

#[test]
fn a_client_is_shown_by_its_protocol() {
    let shown = [
        (ClientId::Nfs3(IpAddr::from([192, 0, 2, 1])), "nfs3:192.0.2.1"),
        (ClientId::Nfs3(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])), "nfs3:2001:db8::1"),
        (ClientId::Nfs4(u64::MAX), "nfs4:18446744073709551615"),
        (ClientId::Smb(17), "smb:17"),
    ];
    for (client, text) in shown {
        assert_eq!(client.to_string(), text);
    }
}

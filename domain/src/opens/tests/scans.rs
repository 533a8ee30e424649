//! A node answers by its counts. The answers must be those that a look at each of its opens, locks and rights gives.

use proptest::prelude::*;

use super::{
    random::{clients, keys, operation, steps, take},
    *,
};
use crate::opens::open_files::OpenFiles;

fn is_concerned(key: &LeaseKey, lease: &Lease, trigger: Trigger) -> bool {
    let to = trigger.leaves(key.form, lease.rights);
    match lease.state {
        LeaseState::Granted => to != lease.rights,
        LeaseState::Breaking { to: keeps, is_further, .. } => {
            let crosses = trigger.waits(key.form, lease.rights - to) || !to.contains(keeps);
            (to != lease.rights && crosses) || (is_further && trigger.opens())
        }
    }
}

fn concerns(node: &NodeOpens, trigger: Trigger, by: &Requester) -> bool {
    // Nobody writes under a level II oplock, not even who has it.
    let is_lost = |key: &LeaseKey, lease: &Lease| {
        let is_level_ii = key.form == LeaseForm::Oplock && lease.rights == Rights::READ;
        is_level_ii && matches!(trigger, Trigger::Write | Trigger::Truncate | Trigger::Lock)
    };
    let mut leases = node.leases().iter();
    leases.any(|(key, lease)| (!by.owns(key) || is_lost(key, lease)) && is_concerned(key, lease, trigger))
}

/// The answer of [`NodeOpens::admits`]; for a refusal, only that it is one.
fn admits(node: &NodeOpens, client: ClientId, opener: Option<OpenToken>, operation: Operation) -> Option<bool> {
    let own = opener.and_then(|token| node.find(token).map(|open| (token, open)));
    let by = Requester { client, lease: own.and_then(|(_, open)| open.lease) };
    let share = ShareMode { access: operation.access(), deny: ShareAccess::empty() };
    if !own.is_some_and(|(_, open)| open.share.access.contains(share.access)) {
        let others = node.opens().filter(|(token, open)| Some(**token) != opener && open.share.conflicts(share));
        let is_cached = |key: LeaseKey| {
            !by.owns(&key) && node.leases().find(&key).is_some_and(|lease| lease.rights.contains(Rights::HANDLE))
        };
        let cached: Vec<bool> = others.map(|(_, open)| open.lease.is_some_and(is_cached)).collect();
        if !cached.is_empty() {
            return if cached.contains(&false) { Some(false) } else { None };
        }
    }
    let mandatory = own.filter(|(_, open)| open.locking == Locking::Mandatory).map(|(token, _)| token);
    let write = operation.access() == ShareAccess::WRITE;
    if operation.range().is_some_and(|range| node.locks().iter().any(|lock| lock.stops(mandatory, range, write))) {
        return Some(false);
    }
    (!concerns(node, operation.trigger(), &by)).then_some(true)
}

/// The most that a key can have.
fn allowed(node: &NodeOpens, key: &LeaseKey) -> Rights {
    if key.form != LeaseForm::Delegation && !node.opens().any(|(_, open)| open.lease == Some(*key)) {
        return Rights::empty();
    }
    let owns = |client, lease| Requester { client, lease }.owns(key);
    let locks = node.locks().iter().map(|lock| &lock.holder).chain(node.waiters().map(|waiter| &waiter.lock.holder));
    let lease_of = |holder: &LockHolder| holder.open().and_then(|token| node.find(token)).and_then(|open| open.lease);
    let mut other_holders = locks.filter(|holder| !owns(holder.client(), lease_of(holder)));
    let others: Vec<Rights> = node.leases().iter().filter(|(k, _)| *k != key).map(|(_, lease)| lease.rights).collect();
    if other_holders.next().is_some() || others.iter().any(|rights| rights.contains(Rights::WRITE)) {
        return Rights::empty();
    }
    let other_opens = node.opens().map(|(_, open)| open).filter(|open| !owns(open.client, open.lease));
    let opened = other_opens.fold(ShareAccess::empty(), |all, open| all | open.share.access);
    if key.form == LeaseForm::Delegation && opened.contains(ShareAccess::WRITE) {
        return Rights::empty();
    }
    let is_alone = opened.is_empty() && others.iter().all(|rights| rights.is_empty());
    if is_alone {
        return Rights::all();
    }
    let of_form = |form, rights| {
        let mut leases = node.leases().iter();
        leases.any(|(k, lease)| k != key && k.form == form && lease.rights.contains(rights))
    };
    match key.form {
        LeaseForm::Oplock if of_form(LeaseForm::Lease, Rights::HANDLE) => Rights::empty(),
        LeaseForm::Lease if of_form(LeaseForm::Oplock, Rights::READ) => Rights::READ,
        _ => Rights::READ | Rights::HANDLE,
    }
}

/// The counts are those of a node that only has what this one has now, whatever it had before.
fn assert_counts(node: &NodeOpens) {
    let (mut opens, mut leases, mut locks) = (OpenFiles::default(), LeaseTable::default(), LockTable::default());
    node.opens().for_each(|(token, open)| opens.insert(*token, *open));
    for (key, lease) in node.leases().iter() {
        leases.put(*key, Some(*lease));
    }
    node.locks().iter().for_each(|lock| locks.insert(lock.clone()));
    assert_eq!((&node.opens, &node.leases, &node.locks), (&opens, &leases, &locks));
}

fn assert_leases(node: &NodeOpens) {
    for client in clients() {
        let leases = keys(client).map(Some).chain([None]);
        for (by, trigger) in leases.flat_map(|lease| TRIGGERS.map(|trigger| (Requester { client, lease }, trigger))) {
            assert_eq!(node.leases().concerns(trigger, &by), concerns(node, trigger, &by), "{trigger:?} by {by:?}");
        }
        for key in keys(client) {
            let had = node.leases().find(&key).copied();
            let mut asked = node.clone();
            let grant = asked.request_lease(key, Rights::all());
            let fit = key.form.fit(Rights::all(), allowed(node, &key));
            let is_whole = key.form != LeaseForm::Lease || fit == Rights::all();
            let grows = had.is_none_or(|lease| {
                lease.state == LeaseState::Granted
                    && fit.contains(lease.rights)
                    && (is_whole || lease.rights.is_empty())
            });
            let expected = if grows { fit } else { had.map_or(Rights::empty(), |lease| lease.rights) };
            assert_eq!(grant.rights, expected, "{key:?}, which had {had:?}");
        }
    }
    let due = |lease: &Lease| match lease.state {
        LeaseState::Granted => None,
        LeaseState::Breaking { deadline_ms, .. } => Some(deadline_ms),
    };
    assert_eq!(node.leases().next_deadline_ms(), node.leases().iter().filter_map(|(_, lease)| due(lease)).min());
}

fn assert_clients(node: &NodeOpens) {
    for client in clients() {
        let opened = node.opens().any(|(_, open)| open.client == client);
        let cached = node.leases().iter().any(|(key, _)| key.client == client);
        let mut holders = node.locks().iter().map(|lock| &lock.holder).chain(node.waiters().map(|w| &w.lock.holder));
        assert_eq!(node.has_open_of(client), opened, "{client}");
        assert_eq!(node.involves(client), opened || cached || holders.any(|h| h.client() == client), "{client}");
    }
}

/// A check that can be answered without a change is answered so, and changes nothing.
fn assert_check(node: &NodeOpens, client: ClientId, opener: Option<OpenToken>, operation: Operation) {
    let said = node.admits(client, opener, operation);
    assert_eq!(said.as_ref().map(Result::is_ok), admits(node, client, opener, operation), "{operation:?} by {client}");
    let mut after = node.clone();
    match (said, after.check(client, opener, operation, DEADLINE)) {
        (Some(Ok(())), outcome) => assert_eq!((outcome, &after), (granted(), node)),
        (Some(Err(denied)), outcome) => assert_eq!((outcome, &after), (Outcome::Denied(denied), node)),
        (None, outcome) => assert_ne!(outcome, granted(), "{operation:?} by {client} takes something away"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn counts_say_what_a_look_at_each_says(steps in steps(), operation in operation()) {
        let mut node = NodeOpens::default();
        for (at, step) in steps.iter().enumerate() {
            take(&mut node, step, 10 * at as u64);
            assert_counts(&node);
            assert_leases(&node);
            assert_clients(&node);
            for client in clients() {
                let openers = node.opens().filter(|(_, open)| open.client == client).map(|(token, _)| Some(*token));
                openers.chain([None]).for_each(|opener| assert_check(&node, client, opener, operation));
            }
        }
        clients().for_each(|client| drop(node.release_client(client)));
        prop_assert_eq!(node, NodeOpens::default(), "counts of a node that nobody has anything on");
    }
}

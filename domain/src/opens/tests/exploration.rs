//! Every sequence of a few operations by three clients: one of SMB with a lease, one of SMB with an oplock, one of NFS
//! with a delegation. After each, what `NodeOpens` promises is looked at from outside.

use std::collections::HashSet;

use super::*;

const DEPTH: usize = 8;
const AT: [(u64, u64); 2] = [(0, 5), (4, 9)];

#[derive(Clone, Copy, Debug)]
enum Step {
    Open { client: u64, access: ShareAccess, deny: ShareAccess },
    Close { client: u64 },
    RequestLease { client: u64, rights: Rights },
    Acknowledge { client: u64 },
    Lock { client: u64, kind: LockKind, wait: bool },
    Unlock { client: u64 },
    Check { client: u64, operation: Operation },
    Expire,
    Release { client: u64 },
}

fn clients() -> [(u64, LeaseForm); 3] {
    [(1, LeaseForm::Lease), (2, LeaseForm::Oplock), (3, LeaseForm::Delegation)]
}

fn lease_of(client: u64) -> LeaseKey {
    key(client, clients()[client as usize - 1].1)
}

fn holder_of(client: u64) -> LockHolder {
    if client == 3 { process(3) } else { by_open(client) }
}

fn range_of(client: u64) -> LockRange {
    let (first, last) = AT[client as usize % 2];
    bytes(first, last)
}

fn steps() -> Vec<Step> {
    let (read, write) = (ShareAccess::READ, ShareAccess::WRITE);
    let nothing = ShareAccess::empty();
    let mut steps = vec![Step::Expire];
    for (client, form) in clients() {
        let deny = if form == LeaseForm::Lease { ShareAccess::WRITE | ShareAccess::DELETE } else { nothing };
        steps.extend([
            Step::Open { client, access: read, deny },
            Step::Open { client, access: read | write, deny: nothing },
            Step::Close { client },
            Step::RequestLease { client, rights: Rights::all() },
            Step::Acknowledge { client },
            Step::Lock { client, kind: LockKind::Exclusive, wait: true },
            Step::Unlock { client },
        ]);
    }
    steps.extend([
        Step::RequestLease { client: 3, rights: Rights::READ | Rights::HANDLE },
        Step::Lock { client: 1, kind: LockKind::Shared, wait: false },
        Step::Lock { client: 3, kind: LockKind::Shared, wait: true },
        Step::Check { client: 3, operation: Operation::Write(bytes(0, 9)) },
        Step::Check { client: 3, operation: Operation::Remove },
        Step::Check { client: 2, operation: Operation::Read(bytes(0, 9)) },
        Step::Release { client: 2 },
    ]);
    steps
}

fn run(node: &mut NodeOpens, step: Step) -> Result<(), &'static str> {
    let before = node.clone();
    let settled = match step {
        Step::Open { client, access, deny } => {
            let locking = if client == 3 { Locking::Advisory } else { Locking::Mandatory };
            let share = ShareMode { access, deny };
            let lease = (client != 3).then(|| lease_of(client));
            let open = Open { client: ClientId::Nfs4(client), share, locking, lease, file: None };
            let token = OpenToken(client);
            match node.find(token).is_some() {
                true => judge(node, &before, |node| node.change_share(token, share, DEADLINE)),
                false => judge(node, &before, |node| node.open(token, open, false, DEADLINE)),
            }
        }
        Step::Check { client, operation } => judge(node, &before, |node| {
            node.check(ClientId::Nfs4(client), Some(OpenToken(client)), operation, DEADLINE)
        }),
        Step::Lock { client, kind, wait } => {
            let wanted = Lock { range: range_of(client), kind, holder: holder_of(client) };
            // A second request of an open for the same lock has a token of its own, which would make endless states.
            if wanted.holder.open().is_some() && node.waiters().any(|waiter| waiter.lock == wanted) {
                return Ok(());
            }
            let token = wait.then_some(WaitToken(client));
            let outcome = node.lock(wanted, token, DEADLINE);
            let unchanged =
                !matches!(outcome, LockOutcome::Denied(_) | LockOutcome::Wait { .. }) || is_same(node, &before);
            if let LockOutcome::Granted { woken, .. } = &outcome {
                assert_order(&before, node, woken);
            }
            unchanged
        }
        Step::Unlock { client } => {
            if let Ok(woken) = node.unlock(&holder_of(client), range_of(client)) {
                assert_order(&before, node, &woken);
            }
            true
        }
        Step::Close { client } => {
            if let Some(closed) = node.close(OpenToken(client)) {
                assert_order(&before, node, &closed.woken);
            }
            true
        }
        Step::RequestLease { client, rights } => {
            let grant = node.request_lease(lease_of(client), rights);
            node.leases().find(&lease_of(client)).map_or(Rights::empty(), |l| l.rights) == grant.rights
        }
        Step::Acknowledge { client } => {
            let may_keep = node.leases().find(&lease_of(client)).map(|l| l.state);
            let Some(LeaseState::Breaking { to, .. }) = may_keep else { return Ok(()) };
            node.acknowledge(&lease_of(client), to, DEADLINE).is_ok()
        }
        Step::Expire => node.expire(DEADLINE).len() <= before.leases().len(),
        Step::Release { client } => {
            let woken = node.release_client(ClientId::Nfs4(client)).woken;
            assert_order(&before, node, &woken);
            true
        }
    };
    if settled { Ok(()) } else { Err("an answer does not fit the state") }
}

/// Refusals and waits change nothing, and every waiter gets an answer once all breaks are over.
fn judge(node: &mut NodeOpens, before: &NodeOpens, ask: impl Fn(&mut NodeOpens) -> Outcome) -> bool {
    match ask(node) {
        Outcome::Granted(_) => true,
        Outcome::Denied(_) => node == before,
        outcome @ (Outcome::MustBreak(_) | Outcome::Wait { .. }) => {
            let waits = matches!(outcome, Outcome::Wait { .. });
            let mut later = node.clone();
            later.expire(DEADLINE);
            // Opening may take a handle first, and what is written from a cache then.
            let mut last = ask(&mut later);
            later.expire(DEADLINE);
            if matches!(last, Outcome::MustBreak(_)) {
                last = ask(&mut later);
            }
            (!waits || is_same(node, before)) && matches!(last, Outcome::Granted(_) | Outcome::Denied(_))
        }
    }
}

/// Whether nothing differs but what those who wait leave of rights that are being taken away.
fn is_same(node: &NodeOpens, before: &NodeOpens) -> bool {
    let mut same = node.clone();
    for (key, lease) in node.leases().iter() {
        let had = before.leases().find(key).map(|had| had.state);
        if let (LeaseState::Breaking { to, is_further, deadline_ms, .. }, Some(LeaseState::Breaking { required, .. })) =
            (lease.state, had)
        {
            let state = LeaseState::Breaking { to, required, is_further, deadline_ms };
            same.leases.put(*key, Some(Lease { state, ..*lease }));
        }
    }
    same == *before
}

/// Nobody who was woken passed one that stood before it, unless that one waits for
/// something that was held before or that one before it got.
fn assert_order(before: &NodeOpens, after: &NodeOpens, woken: &[Waiter]) {
    let line: Vec<&Waiter> = before.waiters().collect();
    for passed in after.waiters() {
        let place = line.iter().position(|w| *w == passed).unwrap();
        let stands_before = |w: &&Waiter| line.iter().position(|other| other == w).is_some_and(|p| p < place);
        let lost = woken.iter().filter(stands_before).any(|w| w.lock.blocks(&passed.lock));
        let still_blocks = |l: &&Lock| {
            l.blocks(&passed.lock) && after.locks().iter().any(|a| a.holder == l.holder && a.blocks(&passed.lock))
        };
        let blocked = lost || before.locks().iter().any(|l| still_blocks(&l));
        assert!(blocked || woken.iter().all(|w| stands_before(&w)), "{woken:?} passed {passed:?}");
    }
}

fn check_promises(node: &NodeOpens) -> Result<(), &'static str> {
    let opens: Vec<_> = node.opens().map(|(_, open)| open).collect();
    for (i, a) in opens.iter().enumerate() {
        if opens[i + 1..].iter().any(|b| a.share.conflicts(b.share)) {
            return Err("two opens conflict");
        }
    }
    let locks: Vec<_> = node.locks().iter().collect();
    for (i, a) in locks.iter().enumerate() {
        if locks[i + 1..].iter().any(|b| a.blocks(b) && b.blocks(a)) {
            return Err("two locks conflict");
        }
    }
    let open = |holder: &LockHolder| holder.open().is_none_or(|token| node.find(token).is_some());
    if !locks.iter().all(|l| open(&l.holder)) || !node.waiters().all(|w| open(&w.lock.holder)) {
        return Err("a lock of an open that is gone");
    }
    if node.waiters().any(|w| node.test_lock(&w.lock).is_none()) {
        return Err("somebody waits for nothing");
    }
    node.leases().iter().filter(|(_, l)| l.state == LeaseState::Granted).try_for_each(|(k, l)| check_lease(node, k, l))
}

fn check_lease(node: &NodeOpens, key: &LeaseKey, lease: &Lease) -> Result<(), &'static str> {
    let others = || node.opens().map(|(_, open)| open).filter(|open| open.client != key.client);
    if lease.rights.contains(Rights::WRITE) {
        if others().any(|open| !open.share.access.is_empty()) {
            return Err("another has open what is written from a cache");
        }
        if node.leases().iter().any(|(other, l)| other != key && !l.rights.is_empty()) {
            return Err("another caches what is written from a cache");
        }
    }
    let waits = node.waiters().map(|w| &w.lock.holder);
    let mut holders = node.locks().iter().map(|l| &l.holder).chain(waits);
    if !lease.rights.is_empty() && holders.any(|h| h.client() != key.client) {
        return Err("a lock of another beside rights to cache");
    }
    if key.form == LeaseForm::Delegation && others().any(|open| open.share.access.contains(ShareAccess::WRITE)) {
        return Err("a writer beside a delegation");
    }
    Ok(())
}

fn check_release(node: &NodeOpens) -> Result<(), &'static str> {
    let mut node = node.clone();
    for (client, _) in clients() {
        node.release_client(ClientId::Nfs4(client));
    }
    if node.is_empty() && node == NodeOpens::default() { Ok(()) } else { Err("released, and not empty") }
}

#[test]
fn promises_hold_after_every_sequence_of_operations() {
    let steps = steps();
    let mut seen = HashSet::from([NodeOpens::default()]);
    let mut frontier: Vec<(NodeOpens, Vec<Step>)> = vec![(NodeOpens::default(), Vec::new())];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (node, path) in &frontier {
            for step in &steps {
                let mut after = node.clone();
                let answered = run(&mut after, *step);
                let mut path = path.clone();
                path.push(*step);
                let kept = answered.and_then(|()| check_promises(&after)).and_then(|()| check_release(&after));
                assert_eq!(kept, Ok(()), "{path:#?}\n{after:#?}");
                if seen.insert(after.clone()) {
                    next.push((after, path));
                }
            }
        }
        frontier = next;
    }
    assert!(seen.len() > 5_000, "{} states", seen.len());
}

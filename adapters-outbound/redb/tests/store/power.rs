//! Power cuts at random, over database and log together: nothing that was acknowledged is lost, and nothing is half
//! applied. `POWER_CUTS` sets how many.

use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    node::Parent,
    plan::{Change, EntryKey, NodeUpdate, Plan, Query},
};
use dittofs_ports::{Counter, ShareMetadata};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use tokio::{runtime, task::JoinSet};

use crate::{
    disk::{Dice, Disk, Faults},
    fixture::{creation, key, node, open_share},
};

/// Cuts of one database, one after the other.
const LIVES: u64 = 20;
const TASKS: u64 = 4;
/// Pairs of names of each task.
const PAIRS: u64 = 8;

/// A pair's files are made, changed and removed together: none, or the size of both.
type Pair = Option<u64>;

/// The states that may be found.
#[derive(Default)]
struct Oracle {
    /// The known state, then those that were asked for and not acknowledged.
    pairs: BTreeMap<u64, Vec<Pair>>,
    /// Numbers up to this one have been given out.
    numbers: u64,
    acknowledged: u64,
    unanswered: u64,
}

fn names(pair: u64) -> [EntryKey; 2] {
    [key(&format!("a{pair}")), key(&format!("b{pair}"))]
}

fn open(disk: &Disk) -> Result<RedbMetadataStore, String> {
    // Small, so that logs fill up, and pages are read again.
    let small = RedbOptions { cache_bytes: 256 << 10, row_cache_bytes: 32 << 10, ..RedbOptions::new("") };
    let disk = disk.clone();
    let options = RedbOptions { log_bytes: 32 << 10, ..small };
    RedbMetadataStore::open_on(&options, move |part| disk.open(part)).map_err(|error| error.to_string())
}

async fn found(share: &dyn ShareMetadata, pair: u64) -> Result<Pair, String> {
    let entries = names(pair).into_iter().collect();
    let view = share.view(&Query { entries, ..Query::default() }).await.map_err(|error| error.to_string())?;
    let sizes: Vec<Pair> = view.entries.iter().map(|found| found.as_ref().map(|found| found.node.size)).collect();
    if sizes[0] == sizes[1] { Ok(sizes[0]) } else { Err(format!("half a plan is there: pair {pair} is {sizes:?}")) }
}

async fn check(share: &dyn ShareMetadata, oracle: &mut Oracle) -> Result<(), String> {
    for (pair, may_be) in &mut oracle.pairs {
        let found = found(share, *pair).await?;
        if !may_be.contains(&found) {
            return Err(format!("pair {pair} is {found:?}, which is none of {may_be:?}"));
        }
        *may_be = vec![found];
    }
    let next = share.allocate(Counter::Ids, 1).await.map_err(|error| error.to_string())?;
    if next.start < oracle.numbers {
        return Err(format!("number {} is given out again: {} was reached", next.start, oracle.numbers));
    }
    oracle.numbers = next.end;
    Ok(())
}

/// Makes, changes or removes both files of a pair, in one plan.
async fn change(share: &dyn ShareMetadata, pair: u64, before: Pair, dice: &mut Dice) -> Option<(Plan, Pair)> {
    let now = creation("x", 9).now;
    let mut plan = Plan::at(now);
    if before.is_none() {
        let first = share.allocate(Counter::Ids, 4).await.ok()?.start;
        for (name, id) in names(pair).into_iter().zip([first, first + 2]) {
            let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(id + 1) };
            let mut file = node(NodeId(id), NodeKind::File, parent);
            file.size = 1;
            plan.change(Change::InsertNode(Box::new(file)));
            plan.change(Change::InsertEntry { key: name, node: NodeId(id), cookie: Cookie(id + 1) });
        }
        return Some((plan, Some(1)));
    }
    let after = if dice.below(3) == 0 { None } else { Some(dice.below(1 << 40)) };
    let view = share.view(&Query { entries: names(pair).into_iter().collect(), ..Query::default() }).await.ok()?;
    for (index, name) in names(pair).into_iter().enumerate() {
        let id = view.entry(index)?.node.id;
        match after {
            None => {
                plan.change(Change::DeleteEntry(name));
                plan.change(Change::DeleteNode(id));
            }
            size => {
                plan.change(Change::UpdateNode(id, NodeUpdate { size, ..NodeUpdate::changed() }));
            }
        }
    }
    Some((plan, after))
}

/// One task's changes, until the power is gone or they are enough.
async fn work(share: Arc<dyn ShareMetadata>, oracle: Arc<Mutex<Oracle>>, task: u64, steps: u64, mut dice: Dice) {
    for _ in 0..steps {
        let pair = task * PAIRS + dice.below(PAIRS);
        let before = oracle.lock().unwrap().pairs.entry(pair).or_insert_with(|| vec![None]).clone();
        // The outcome of an unanswered plan is known only after the next opening.
        let [before] = before[..] else { continue };
        let Some((plan, after)) = change(&*share, pair, before, &mut dice).await else { continue };
        oracle.lock().unwrap().pairs.get_mut(&pair).unwrap().push(after);
        let answer = share.apply(plan, None).await;
        let mut oracle = oracle.lock().unwrap();
        if answer.is_ok() {
            oracle.pairs.insert(pair, vec![after]);
            oracle.acknowledged += 1;
        } else {
            oracle.unanswered += 1;
        }
    }
}

/// One life: opens the database, checks it, changes it until the power goes.
async fn live(disk: &Disk, oracle: Oracle, faults: Faults, dice: &mut Dice) -> Result<Oracle, String> {
    disk.fail(Faults { power_ends_at: None, sync_fails_at: None, ..faults });
    let store = open(disk)?;
    let share = open_share(&store).await;
    let mut oracle = oracle;
    check(&*share, &mut oracle).await?;
    disk.fail(faults);
    let oracle = Arc::new(Mutex::new(oracle));
    let mut tasks = JoinSet::new();
    let steps = 1 + dice.below(25);
    for task in 0..TASKS {
        let dice = Dice(dice.below(u64::MAX));
        tasks.spawn(work(Arc::clone(&share), Arc::clone(&oracle), task, steps, dice));
    }
    tasks.join_all().await;
    // Either still with power, and closed, or without.
    drop((share, store));
    Ok(Arc::into_inner(oracle).unwrap().into_inner().unwrap())
}

fn run(seed: u64, lives: u64, broken: Faults) -> Result<Oracle, String> {
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let mut dice = Dice(seed);
    let mut disk = Disk::new(seed);
    let mut oracle = Oracle::default();
    runtime.block_on(live(&disk, Oracle::default(), Faults::default(), &mut Dice(seed)))?;
    drop(open(&disk)?);
    disk = disk.after_power_cut(&mut dice);
    let mut is_first = true;
    for life in 0..lives {
        let power_ends_at = (dice.below(8) > 0).then(|| dice.below(150));
        let sync_fails_at = (dice.below(3) == 0).then(|| dice.below(60));
        let faults = Faults { power_ends_at, sync_fails_at, ..broken };
        if std::mem::take(&mut is_first) {
            adopt(&runtime, &disk, &mut oracle)?;
        }
        let lived = runtime.block_on(live(&disk, oracle, faults, &mut dice));
        oracle = lived.map_err(|error| format!("seed {seed}, life {life}: {error}"))?;
        disk = disk.after_power_cut(&mut dice);
    }
    Ok(oracle)
}

/// Takes what is there for granted.
fn adopt(runtime: &runtime::Runtime, disk: &Disk, oracle: &mut Oracle) -> Result<(), String> {
    runtime.block_on(async {
        let store = open(disk)?;
        let share = open_share(&store).await;
        for pair in 0..TASKS * PAIRS {
            oracle.pairs.insert(pair, vec![found(&*share, pair).await?]);
        }
        Ok(())
    })
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let cuts = std::env::var("POWER_CUTS").map_or(1_000, |cuts| cuts.parse().unwrap());
    let (mut acknowledged, mut unanswered) = (0, 0);
    for seed in 0..cuts / LIVES {
        let oracle = run(seed, LIVES, Faults::default()).unwrap();
        acknowledged += oracle.acknowledged;
        unanswered += oracle.unanswered;
    }
    println!("{cuts} cuts: {acknowledged} plans acknowledged, {unanswered} not");
    assert!(acknowledged > cuts * 5 && unanswered > cuts / 2, "the cuts come too early or too late");
}

/// If this did not fail, the test above would prove nothing.
#[test]
fn without_syncs_a_power_cut_loses_something() {
    for syncs_off in [[true, false], [false, true], [true, true]] {
        let broken = Faults { syncs_off, ..Faults::default() };
        assert!(loses(broken), "nothing was lost with syncs of database and log off: {syncs_off:?}");
    }
}

#[test]
fn where_the_log_is_synced_after_the_answer_a_power_cut_loses_something() {
    assert!(loses(Faults { log_syncs_late: true, ..Faults::default() }));
}

fn loses(broken: Faults) -> bool {
    // A page that makes no sense may also show as a panic of the check.
    let is_lost = |seed| !matches!(catch_unwind(|| run(seed, LIVES, broken)), Ok(Ok(_)));
    (0..20).any(is_lost)
}

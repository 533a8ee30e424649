//! Prints what one thread pays for each call of the memory metadata store, at a million files in one directory: CPU
//! time where the system tells it, since other programs' work would count in the time that passes.
//!
//! `cargo run --release -p dittofs-memory --example measure`

use std::{error::Error, future::Future, pin::pin, sync::Arc, task};

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind, ShareId, Timestamp,
    node::Parent,
    plan::{Change, EntryKey, Expectation, LinkChange, NodeUpdate, Plan, Query, Space},
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{MetadataStore, ShareMetadata, ShareRecord};

type Outcome<T> = Result<T, Box<dyn Error>>;

const FILES: u64 = 1_000_000;
const DIRECTORIES: u64 = 200_000;
const STEPS: u64 = 4;

fn main() -> Outcome<()> {
    println!("size of a node's record: {} bytes", size_of::<Node>());
    let record = ShareRecord::new(ShareId(1), "/export");
    let store = MemoryMetadataStore::new();
    now(store.create_share(&record, &node(NodeId::ROOT.0, NodeKind::Directory)))??;
    let share = now(store.share(ShareId(1)))??.ok_or("no share")?;

    let resident = resident_bytes();
    for step in 0..STEPS {
        let numbers = FILES + step * DIRECTORIES / STEPS..FILES + (step + 1) * DIRECTORIES / STEPS;
        each("create a directory, 10 a parent", numbers, |n| {
            let parent = if n < FILES + 10 { NodeId::ROOT } else { NodeId(id(FILES + (n - FILES) / 10)) };
            create(&share, parent, n, NodeKind::Directory)
        })?;
    }
    println!("memory per directory: {} bytes", resident_bytes().saturating_sub(resident) / DIRECTORIES);

    let resident = resident_bytes();
    for step in 0..STEPS {
        let numbers = step * FILES / STEPS..(step + 1) * FILES / STEPS;
        each("create a file", numbers, |n| create(&share, NodeId::ROOT, n, NodeKind::File))?;
    }
    println!("memory per file: {} bytes", (resident_bytes() - resident) / FILES);
    each("view of a node", 0..FILES, |n| view(&share, Query::node(NodeId(id(scattered(n))))))?;
    each("view of one node again and again", 0..FILES, |_| view(&share, Query::node(NodeId::ROOT)))?;
    each("view of a directory and a name", 0..FILES, |n| {
        let key = EntryKey::child(NodeId::ROOT, &name(scattered(n))?);
        view(&share, Query::child(NodeId::ROOT, key))
    })?;
    list(&share, false)?;
    list(&share, true)?;
    for step in 0..STEPS {
        each("remove a file", step * FILES / STEPS..(step + 1) * FILES / STEPS, |n| remove(&share, scattered(n)))?;
    }
    Ok(())
}

fn create(share: &Arc<dyn ShareMetadata>, directory: NodeId, n: u64, kind: NodeKind) -> Outcome<()> {
    let key = EntryKey::child(directory, &name(n)?);
    let mut plan = Plan::at(Timestamp::EPOCH.plus_ms(n));
    plan.require(Expectation::Linked(directory)).require(Expectation::EntryAbsent(key.clone()));
    plan.require(Expectation::PermissionVersion { node: directory, version: 0 });
    let links = if kind == NodeKind::Directory { LinkChange::Add(1) } else { LinkChange::Keep };
    plan.change(Change::InsertNode(Box::new(node(id(n), kind))));
    plan.change(Change::InsertEntry { key, node: NodeId(id(n)), cookie: Cookie(id(n) + 1) });
    plan.change(Change::UpdateNode(directory, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
    now(share.apply(plan, None))??;
    Ok(())
}

fn remove(share: &Arc<dyn ShareMetadata>, n: u64) -> Outcome<()> {
    let key = EntryKey::child(NodeId::ROOT, &name(n)?);
    let mut plan = Plan::at(Timestamp::EPOCH.plus_ms(n));
    plan.require(Expectation::EntryIs { key: key.clone(), node: NodeId(id(n)), cookie: Cookie(id(n) + 1) });
    plan.change(Change::DeleteEntry(key)).change(Change::DeleteNode(NodeId(id(n))));
    plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate::entries_changed()));
    now(share.apply(plan, None))??;
    Ok(())
}

fn view(share: &Arc<dyn ShareMetadata>, query: Query) -> Outcome<()> {
    let view = now(share.view(&query))??;
    if view.nodes.is_empty() { Err("no node".into()) } else { Ok(()) }
}

fn list(share: &Arc<dyn ShareMetadata>, records: bool) -> Outcome<()> {
    let (start, mut after, mut entries) = (cpu_nanos(), Cookie::START, 0);
    loop {
        let listing = now(share.list(NodeId::ROOT, Space::Children, after, 1_000, records))??;
        entries += listing.entries.len() as u64;
        after = listing.entries.last().map_or(after, |entry| entry.cookie);
        if listing.complete {
            break;
        }
    }
    report(if records { "list an entry with its node" } else { "list an entry" }, start, entries);
    Ok(())
}

fn each(what: &str, numbers: std::ops::Range<u64>, mut call: impl FnMut(u64) -> Outcome<()>) -> Outcome<()> {
    let (start, count) = (cpu_nanos(), numbers.end - numbers.start);
    numbers.into_iter().try_for_each(&mut call)?;
    report(what, start, count);
    Ok(())
}

fn report(what: &str, start: u64, count: u64) {
    println!("{what}: {} ns each over {count}", (cpu_nanos() - start) / count.max(1));
}

fn id(n: u64) -> u64 {
    NodeId::FIRST_FREE.0 + 2 * n
}

/// The files in an order that no cache foresees.
fn scattered(n: u64) -> u64 {
    n * 611_953 % FILES
}

fn name(n: u64) -> Outcome<Name> {
    Name::new(format!("some-file-{n:08}.txt").as_bytes()).map_err(|_| "no name".into())
}

fn node(id: u64, kind: NodeKind) -> Node {
    let time = Timestamp::EPOCH;
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(3) };
    Node { mode: 0o755, links: 1, ..Node::bare(NodeId(id), kind, parent, time) }
}

/// This process's resident memory, where the system tells.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// Time that this thread has spent on a processor, where the system tells.
fn cpu_nanos() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// A memory store never waits.
fn now<T>(future: impl Future<Output = T>) -> Outcome<T> {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(value) => Ok(value),
        task::Poll::Pending => Err("the store waited".into()),
    }
}

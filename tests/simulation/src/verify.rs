//! After a recovery, and at the end: what is there is what may be there. From then on it is what must be there.

use std::sync::Arc;

use dittofs_domain::{Attributes, Cookie, NodeId, NodeKind};
use dittofs_ports::{Entered, ListRequest};

use crate::{
    oracle::{Mtime, Target},
    world::{Running, World, number},
};

const READ_BYTES: u64 = 256 << 10;

/// Compares everything, when no client has an operation on its way.
pub(crate) async fn everything(world: &Arc<World>, running: &Running) -> Result<(), String> {
    let mut directories = vec![NodeId::ROOT];
    while let Some(directory) = directories.pop() {
        let names = list(world, running, directory).await?;
        for (name, node) in names {
            let known = world.oracle.lock().nodes.contains_key(&node);
            let shown = attributes(world, running, node, known).await?;
            if !known {
                world.learn(node, shown.kind);
            }
            check_entry(world, directory, name, &shown, known)?;
            check_node(world, running, &shown).await?;
            if shown.kind == NodeKind::Directory {
                directories.push(node);
            }
        }
        check_missing(world, running, directory).await?;
    }
    check_gone(world, running).await
}

fn of(running: &Running, world: &World, node: NodeId) -> Result<Entered, String> {
    let handle = {
        let oracle = world.oracle.lock();
        oracle.nodes.get(&node).map_or_else(|| crate::world::handle(node), |model| model.handle)
    };
    running.node(&handle, 99).map_err(|error| format!("the handle of {node} is refused: {error}"))
}

async fn list(world: &Arc<World>, running: &Running, directory: NodeId) -> Result<Vec<(u8, NodeId)>, String> {
    let Entered { node: of, caller, share } = of(running, world, directory)?;
    let request = ListRequest { directory: of.node, after: Cookie::START, entries_max: 1_000, with_attributes: false };
    let reply = share.list(&caller, &request).await;
    let reply = reply.map_err(|error| format!("listing {directory} after a recovery: {error}"))?;
    world.simulation.note("verify list", directory.0, reply.entries.len() as u64);
    reply.entries.iter().map(|entry| Ok((number(&entry.name).ok_or("a name that nobody gave")?, entry.node))).collect()
}

async fn attributes(world: &World, running: &Running, node: NodeId, known: bool) -> Result<Attributes, String> {
    let seen = world.seen(node);
    let Entered { node: of, caller, share } = of(running, world, node)?;
    let shown = share.attributes(&caller, of.node).await;
    let shown = shown.map_err(|error| format!("attributes of {node}, which has a name: {error}"))?;
    if known {
        world.check_shown(&shown, &seen, false);
    }
    Ok(shown)
}

fn check_entry(world: &World, directory: NodeId, name: u8, shown: &Attributes, known: bool) -> Result<(), String> {
    let mut oracle = world.oracle.lock();
    let now = oracle.now();
    let entry = oracle.tree.entry(directory, name);
    let allowed: Vec<Target> = entry.since(now).copied().collect();
    let made = allowed.iter().find_map(|target| match target {
        Target::MadeBy(op) => Some(*op),
        _ => None,
    });
    let fits = if known { allowed.contains(&Target::Node(shown.node)) } else { made.is_some() };
    if !fits {
        return Err(format!("n{name} of {directory} leads to {} ({known}), not to one of {allowed:?}", shown.node));
    }
    if let (false, Some(op)) = (known, made) {
        // It may meanwhile have been moved: then another name stands for the same node.
        oracle.tree.resolve(op, shown.node);
    }
    oracle.tree.entry(directory, name).pin(Target::Node(shown.node));
    Ok(())
}

/// Names that are not there may be missing.
async fn check_missing(world: &Arc<World>, running: &Running, directory: NodeId) -> Result<(), String> {
    let listed: Vec<u8> = list(world, running, directory).await?.into_iter().map(|(name, _)| name).collect();
    let mut oracle = world.oracle.lock();
    let now = oracle.now();
    let names: Vec<u8> = oracle.tree.of(directory).map(|(name, _)| name).collect();
    for name in names.into_iter().filter(|name| !listed.contains(name)) {
        let entry = oracle.tree.entry(directory, name);
        let allowed: Vec<Target> = entry.since(now).copied().collect();
        if !allowed.contains(&Target::Nothing) {
            return Err(format!("n{name} of {directory} is gone, and should lead to one of {allowed:?}"));
        }
        entry.pin(Target::Nothing);
    }
    Ok(())
}

async fn check_node(world: &Arc<World>, running: &Running, shown: &Attributes) -> Result<(), String> {
    let node = shown.node;
    match shown.kind {
        NodeKind::File => {
            check_attributes(world, shown)?;
            check_bytes(world, running, shown).await?;
        }
        NodeKind::Symlink => {
            let Entered { node: of, caller, share } = of(running, world, node)?;
            let target = share.read_link(&caller, of.node).await;
            let (target, _) = target.map_err(|error| format!("the target of {node}: {error}"))?;
            let known = world.oracle.lock().nodes.get(&node).map(|model| model.target.clone()).unwrap_or_default();
            if !known.is_empty() && known != *target {
                return Err(format!("the target of {node} is another one"));
            }
        }
        _ => {}
    }
    let mut oracle = world.oracle.lock();
    if let Some(model) = oracle.nodes.get_mut(&node) {
        if model.kind != shown.kind {
            return Err(format!("{node} is a {:?}, and was a {:?}", shown.kind, model.kind));
        }
        model.seen = (shown.change, shown.ctime);
        model.seen_durably = model.seen;
    }
    Ok(())
}

fn check_attributes(world: &World, shown: &Attributes) -> Result<(), String> {
    let node = shown.node;
    let mut oracle = world.oracle.lock();
    let now = oracle.now();
    let Some(model) = oracle.nodes.get_mut(&node) else { return Ok(()) };
    let file = &mut model.file;
    if !file.size.since(now).any(|size| *size == shown.size) {
        return Err(format!("the size of {node} is {}: {:?}", shown.size, file.size));
    }
    if !file.mode.since(now).any(|mode| *mode == shown.mode) {
        return Err(format!("the mode of {node} is {:o}: {:?}", shown.mode, file.mode));
    }
    let set = file.mtime.since(now).copied().find(|time| *time == Mtime::Set(shown.mtime));
    let any = file.mtime.since(now).copied().find(|time| *time == Mtime::Any);
    let Some(mtime) = set.or(any) else {
        return Err(format!("the mtime of {node} is {:?}: {:?}", shown.mtime, file.mtime));
    };
    if file.bytes.surely_has_data(shown.size) && shown.used == 0 {
        return Err(format!("{node} has data and uses nothing"));
    }
    file.size.pin(shown.size);
    file.mode.pin(shown.mode);
    file.mtime.pin(mtime);
    file.unstable.clear();
    Ok(())
}

async fn check_bytes(world: &Arc<World>, running: &Running, shown: &Attributes) -> Result<(), String> {
    let node = shown.node;
    let Entered { node: of, caller, share } = of(running, world, node)?;
    let ranges = {
        let oracle = world.oracle.lock();
        oracle.nodes.get(&node).map(|model| model.file.bytes.interesting(shown.size)).unwrap_or_default()
    };
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let length = (range.end - at).min(READ_BYTES) as u32;
            let reply = share.read(&caller, of.node, at, length).await;
            let reply = reply.map_err(|error| format!("reading {node} at {at}: {error}"))?;
            let data = reply.data.concat();
            if data.len() as u64 != u64::from(length).min(shown.size.saturating_sub(at)) {
                return Err(format!("reading {node} at {at}: {} bytes of {length}", data.len()));
            }
            let mut oracle = world.oracle.lock();
            let now = oracle.now();
            if let Some(model) = oracle.nodes.get_mut(&node) {
                let checked = model.file.bytes.check(at, &data, now, true);
                checked.map_err(|why| format!("content of {node}: {why}"))?;
            }
            at += u64::from(length);
        }
    }
    let mut oracle = world.oracle.lock();
    if let Some(model) = oracle.nodes.get_mut(&node) {
        model.file.bytes.pin_beyond(shown.size);
        model.file.forget(u64::MAX);
    }
    Ok(())
}

/// Nodes without a name are gone.
async fn check_gone(world: &Arc<World>, running: &Running) -> Result<(), String> {
    let gone: Vec<NodeId> = {
        let mut oracle = world.oracle.lock();
        let now = oracle.now();
        let all: Vec<NodeId> = oracle.nodes.keys().copied().collect();
        all.into_iter().filter(|node| !oracle.tree.may_be_linked(*node, now)).collect()
    };
    for node in gone {
        let Entered { node: of, caller, share } = of(running, world, node)?;
        if let Ok(shown) = share.attributes(&caller, of.node).await {
            return Err(format!("{node} has no name, and is still there: {shown:?}"));
        }
    }
    Ok(())
}

//! Compares everything that there is.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Attributes, Name, NodeId, NodeKind, Timestamp,
    namespace::{RemoveKind, RemoveRequest},
    quota,
};
use dittofs_ports::{AdminService, BlockService, CheckOptions, MetadataService};

use super::{
    ModelNode, Moment, Moved,
    run::{Compared, Runner, difference, same},
};
use crate::world::SHARE;

/// Bytes that are compared at a time.
const STRETCH: u64 = 1 << 20;
/// How often is looked again where time is real.
const LOOKS_MAX: u32 = 100;
/// Files that are not longer are compared as a whole at the end.
const WHOLE_MAX: u64 = 80 << 20;

/// The values that a node showed last.
pub(super) struct Seen {
    pub(super) attributes: Attributes,
    changes: u64,
    atime: u64,
    mtime: u64,
}

impl Runner<'_> {
    /// Attributes of all nodes: what the model changed has changed, and nothing else.
    pub(super) async fn check_attributes(&mut self) -> Compared {
        let mut seen = std::mem::take(&mut self.seen);
        // A change that touches several nodes has one time, which is later than what any of them showed.
        let latest = seen.values().map(|seen| seen.attributes.ctime).max().unwrap_or_default().max(self.model.now);
        seen.retain(|id, _| self.model.nodes.contains_key(id));
        for (id, node) in &self.model.nodes {
            let attributes = self.world.share.attributes(self.root(), *id).await;
            let attributes = attributes.map_err(|error| format!("{id:?}: {error}"))?;
            let last = seen.get(id);
            let checked = self.check_node(*id, node, &attributes);
            let checked =
                checked.and_then(|()| check_times(node, &attributes, last, (self.model.now, latest), self.is_reopened));
            checked.map_err(|what| format!("{id:?}: {what}"))?;
            let (atime, mtime) = (node.atime.times, node.mtime.times);
            seen.insert(*id, Seen { attributes, changes: node.changes, atime, mtime });
        }
        self.seen = seen;
        Ok(())
    }

    fn check_node(&self, id: NodeId, node: &ModelNode, shown: &Attributes) -> Compared {
        same("node", &shown.node, &id)?;
        same("kind", &shown.kind, &node.kind)?;
        same("mode", &format!("{:o}", shown.mode), &format!("{:o}", node.mode))?;
        same("owner", &(shown.uid, shown.gid), &(node.uid, node.gid))?;
        same("links", &shown.links, &self.model.links(id))?;
        same("device", &shown.device, &node.device)?;
        if node.kind != NodeKind::Directory {
            same("size", &shown.size, &self.model.size(id))?;
            // Small holes may have been filled. Bytes without space would be taken for a hole by archivers.
            let uses_space = shown.used > 0;
            if uses_space != (node.content.written_bytes() > 0) && !(uses_space && shown.size > 0) {
                return Err(format!("{id:?} of {} bytes uses {}", shown.size, shown.used));
            }
        }
        Ok(())
    }

    /// Names of all directories.
    pub(super) async fn check_listings(&self) -> Compared {
        for (id, node) in self.model.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Directory) {
            let listed = self.list(self.root(), *id, 5).await;
            let mut entries: Vec<(Name, NodeId)> = node.entries.clone().into_iter().collect();
            entries.sort();
            same("entries", &listed, &Ok(entries))?;
        }
        Ok(())
    }

    /// Contents of all files: all of it, or what was written and its neighbourhood.
    pub(super) async fn check_contents(&self, whole: bool) -> Compared {
        for (id, node) in &self.model.nodes {
            let content = &node.content;
            let ranges = match whole && content.size() <= WHOLE_MAX {
                true => std::iter::once(0..content.size()).collect(),
                false => content.interesting(),
            };
            for range in ranges {
                let mut at = range.start;
                while at < range.end {
                    let length = STRETCH.min(range.end - at) as u32;
                    let system = self.world.share.read(self.root(), *id, at, length).await;
                    let system = system.map(|reply| (reply.data.concat(), reply.end_of_file));
                    let model = self.model.read(*id, at, length, &self.root().credentials);
                    if system != model {
                        return Err(format!("content of {id:?} at {at}: {}", difference(system, model)));
                    }
                    at += u64::from(length);
                }
            }
        }
        Ok(())
    }

    /// Everything once more after a flush; then nothing is left when everything has been removed.
    pub(super) async fn finish(&mut self) -> Compared {
        self.check_contents(true).await?;
        same("flush", &self.world.services.flush().await, &Ok(()))?;
        self.world.pass(Duration::from_secs(60)).await;
        self.in_time(async || self.check_records().await).await?;
        self.check_attributes().await?;
        self.check_listings().await?;
        self.check_contents(true).await?;
        let mut counted = 0;
        for (id, node) in &self.model.nodes {
            let seen = self.seen.get(id).map(|seen| &seen.attributes);
            let used = seen.map_or(0, |seen| seen.used);
            counted += used + seen.map_or(0, metadata_bytes);
            // A flush that writes a region again as a whole fills its small holes.
            if node.kind == NodeKind::File {
                let allowed = node.content.written_bytes()..=node.content.size();
                if !allowed.contains(&used) {
                    return Err(format!("space used after a flush by {id:?}: {used}, the model allows {allowed:?}"));
                }
            }
        }
        same("nodes and bytes", &self.usage().await, &(self.model.nodes.len() as u64, counted))?;
        self.remove_all().await?;
        self.world.pass(Duration::from_secs(300)).await;
        self.in_time(async || self.check_nothing_is_left().await).await
    }

    async fn check_nothing_is_left(&self) -> Compared {
        same("nodes and bytes that are left", &self.usage().await, &(1, 0))?;
        let objects = self.world.content.list(SHARE, None, 10).await.map_err(|error| error.to_string())?;
        same("objects that are left", &objects, &Vec::new())?;
        let rows = self.world.metadata.objects(None, 10).await.map_err(|error| error.to_string())?;
        same("rows of objects that are left", &rows, &Vec::new())
    }

    /// Looks again for a while where the share's own tasks depend on a disk.
    async fn in_time(&self, check: impl AsyncFn() -> Compared) -> Compared {
        for _ in 0..if self.world.is_real_time() { LOOKS_MAX } else { 0 } {
            if check().await.is_ok() {
                break;
            }
            self.world.pass(Duration::from_secs(60)).await;
        }
        check().await
    }

    /// The records of the share agree with each other, and its bytes with their checksums.
    async fn check_records(&self) -> Compared {
        let report = self.world.services.check(SHARE, CheckOptions::default(), Arc::new(())).await;
        let report = report.map_err(|error| format!("the check: {error}"))?;
        same("findings of the check", &(report.findings, report.undecided), &(Vec::new(), 0))
    }

    async fn usage(&self) -> (u64, u64) {
        let space = self.world.services.space(SHARE).await.unwrap();
        (space.nodes_used, space.bytes_used)
    }

    async fn remove_all(&mut self) -> Compared {
        loop {
            let empty = |node: &NodeId| self.model.nodes[node].entries.is_empty();
            let names = self.model.nodes.iter().flat_map(|(directory, node)| {
                node.entries.iter().map(|(name, child)| (*directory, name.clone(), *child))
            });
            let Some((directory, name, child)) = names.into_iter().find(|(_, _, child)| empty(child)) else {
                return Ok(());
            };
            let is_directory = self.model.nodes[&child].kind == NodeKind::Directory;
            let kind = if is_directory { RemoveKind::Directory } else { RemoveKind::NotDirectory };
            let request = RemoveRequest { directory, name, kind };
            let root = self.root().clone();
            let system = self.world.share.remove(&root, &request, None).await.map(|_| ());
            same("remove", &system, &self.model.remove(&request, &root.credentials))?;
        }
    }
}

/// How often a call may change a node, each time to a later nanosecond: a write that also clears SUID does so twice, and
/// a hole of 3 MiB with a plan for each chunk of the smallest scale some hundred times.
const PLANS_OF_A_CALL_MAX: i128 = 200;

fn check_times(
    node: &ModelNode,
    shown: &Attributes,
    last: Option<&Seen>,
    (now, latest): (Timestamp, Timestamp),
    is_reopened: bool,
) -> Compared {
    check_time("mtime", node.mtime, shown.mtime, shown.ctime, last.map(|last| (last.attributes.mtime, last.mtime)))?;
    check_time("atime", node.atime, shown.atime, shown.ctime, last.map(|last| (last.attributes.atime, last.atime)))?;
    let Some(last) = last else { return Ok(()) };
    let (was, is) = (&last.attributes, shown);
    if last.changes == node.changes && is_reopened && is.change > was.change {
        // Bytes that were only in the journal get a new stamp.
        return same("ctime of what nobody changed", &is.ctime, &was.ctime);
    }
    if last.changes == node.changes {
        return same("ctime and change of what nobody changed", &(is.ctime, is.change), &(was.ctime, was.change));
    }
    let rises = is.ctime > was.ctime && is.ctime >= now && is.change > was.change;
    let near = is.ctime.unix_nanos() - latest.unix_nanos() <= PLANS_OF_A_CALL_MAX;
    if rises && near {
        return Ok(());
    }
    Err(format!("ctime {:?}, change {:?} at {now:?} after {:?}, {:?}", is.ctime, is.change, was.ctime, was.change))
}

fn check_time(
    which: &str,
    model: Moved,
    shown: Timestamp,
    ctime: Timestamp,
    last: Option<(Timestamp, u64)>,
) -> Compared {
    if let Some((was, times)) = last
        && times == model.times
    {
        return same(&format!("{which} of what nobody changed"), &shown, &was);
    }
    let right = match model.to {
        Moment::At(time) => shown == time,
        Moment::Clock(now) => shown >= now && shown <= ctime,
        Moment::Later(now) => shown >= now && last.is_none_or(|(was, _)| shown > was),
    };
    if right { Ok(()) } else { Err(format!("{which}: {shown:?}, ctime {ctime:?}, the model: {model:?}")) }
}

/// Returns what a node counts for beside its content.
fn metadata_bytes(seen: &Attributes) -> u64 {
    let names = match seen.kind {
        _ if seen.node == NodeId::ROOT => return 0,
        NodeKind::Directory => 1,
        _ => u64::from(seen.links),
    };
    let target = if seen.kind == NodeKind::Symlink { seen.size } else { 0 };
    quota::NODE_BYTES + names * quota::NAME_BYTES + target
}

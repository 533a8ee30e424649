//! The effect of an update on a node: the same in every store.

use super::{LinkChange, NodeUpdate, TimeChange};
use crate::{
    id::{ChangeId, Tree},
    node::Node,
    time::Timestamp,
};

/// A count would leave its range.
#[derive(Debug, PartialEq, Eq)]
pub struct OutOfRange;

/// Changes a node's fields. `change` rises wherever `ctime` is not kept, and `ctime` never goes back, not even where
/// it is set. `now` is the plan's time, `tree` the share's.
///
/// # Errors
/// `OutOfRange` if links or allocated bytes would leave their range; then nothing has changed.
pub fn update(node: &mut Node, update: &NodeUpdate, now: Timestamp, tree: Tree) -> Result<(), OutOfRange> {
    let links = match update.links {
        LinkChange::Keep => node.links,
        LinkChange::Set(links) => links,
        LinkChange::Add(difference) => node.links.checked_add_signed(difference).ok_or(OutOfRange)?,
    };
    let allocated = node.allocated.checked_add_signed(update.allocated).ok_or(OutOfRange)?;
    node.since = tree;
    node.links = links;
    node.allocated = allocated;
    times(node, update, now);
    put(&mut node.mode, update.mode);
    put(&mut node.uid, update.uid);
    put(&mut node.gid, update.gid);
    put(&mut node.size, update.size);
    put(&mut node.content_version, update.content_version);
    put(&mut node.parent, update.parent);
    put(&mut node.birth, update.birth);
    put(&mut node.dos_attributes, update.dos_attributes);
    put(&mut node.acl, update.acl.clone());
    put(&mut node.pending_truncation, update.pending_truncation);
    put(&mut node.replay_exclusions, update.replay_exclusions.clone());
    node.permission_version += u64::from(update.raise_permission_version);
    node.content_seq = node.content_seq.max(update.content_seq.unwrap_or_default());
    node.times_seq = node.times_seq.max(update.times_seq.unwrap_or_default());
    put(&mut node.xattr_bytes, update.xattr_bytes);
    node.flags.insert(update.set_flags);
    node.flags.remove(update.clear_flags);
    Ok(())
}

fn times(node: &mut Node, update: &NodeUpdate, now: Timestamp) {
    node.atime = changed(node.atime, update.atime, now);
    node.mtime = changed(node.mtime, update.mtime, now);
    node.ctime = match update.ctime {
        TimeChange::Set(time) => node.ctime.advanced(time),
        change => changed(node.ctime, change, now),
    };
    if update.ctime != TimeChange::Keep {
        node.change = ChangeId(node.change.0.saturating_add(1));
    }
    node.change = node.change.max(update.change_at_least.unwrap_or_default());
}

fn changed(stored: Timestamp, change: TimeChange, now: Timestamp) -> Timestamp {
    match change {
        TimeChange::Keep => stored,
        TimeChange::Advance => stored.advanced(now),
        TimeChange::Set(time) => time,
        TimeChange::AtLeast(time) => stored.max(time),
    }
}

fn put<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests;

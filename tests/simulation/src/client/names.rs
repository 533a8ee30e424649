//! Operations on names, and what all of them say to the oracle.

mod create;
mod link;
mod look;
mod remove;
mod rename;

use dittofs_domain::{NodeId, NodeKind, error::FsError};
use dittofs_ports::Changed;

use super::{Answer, Client};
use crate::{
    oracle::{Oracle, Target, Window},
    world::Seen,
};

type Names = Vec<(NodeId, u8)>;

impl Client {
    /// Checks what an answer says of a directory that was changed, which is durable.
    fn changed(&self, changed: &Changed, seen: Seen, surely: bool) {
        self.check_shown(&changed.after, &seen, surely);
        self.shown_durably(&changed.after);
    }

    fn names_refused(
        &self,
        what: &str,
        names: &[(NodeId, u8)],
        window: Window,
        error: FsError,
        explained: impl Fn(&mut Oracle) -> bool,
    ) {
        let mut oracle = self.world.oracle.lock();
        for (directory, name) in names {
            oracle.tree.entry(*directory, *name).refuse(window.op);
        }
        let explained = explained(&mut oracle);
        oracle.end(window);
        drop(oracle);
        if !explained {
            self.unexplained(&format!("{what} of {names:?}"), window, error);
        }
    }

    fn names_unknown(&self, names: &[(NodeId, u8)], window: Window) {
        let mut oracle = self.world.oracle.lock();
        let now = oracle.end(window);
        for (directory, name) in names {
            oracle.tree.entry(*directory, *name).finish(window.op, now);
        }
    }
}

/// The operation took place: what names led to before is over, also after a crash.
fn took_place(oracle: &mut Oracle, names: &[(NodeId, u8)], window: Window) {
    let oldest = oracle.oldest();
    let now = oracle.end(window);
    for (directory, name) in names {
        let entry = oracle.tree.entry(*directory, *name);
        entry.acknowledge(window, now, |_| true);
        entry.make_durable(window, now, |_| true);
    }
    oracle.tree.forget(oldest);
}

fn targets(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Target> {
    oracle.tree.entry(directory, name).since(window.start).copied().collect()
}

/// Where a name may lead apart from what the operation itself makes of it.
fn before(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Target> {
    oracle.tree.entry(directory, name).others(window.op, window.start).copied().collect()
}

fn had_nothing(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).contains(&Target::Nothing)
}

fn has_something(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).iter().any(|target| *target != Target::Nothing)
}

/// Returns the kinds of nodes that a name may lead to; none: something that nobody knows yet.
fn kinds(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Option<NodeKind>> {
    let all = before(oracle, directory, name, window);
    let there = all.into_iter().filter(|target| *target != Target::Nothing);
    there
        .map(|target| match target {
            Target::Node(node) => oracle.nodes.get(&node).map(|node| node.kind),
            Target::Nothing | Target::MadeBy(_) => None,
        })
        .collect()
}

fn has_kind(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window, is_directory: bool) -> bool {
    let kinds = kinds(oracle, directory, name, window);
    kinds.iter().any(|kind| kind.is_none_or(|kind| (kind == NodeKind::Directory) == is_directory))
}

fn may_be_full(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).into_iter().any(|target| match target {
        Target::Node(node) => oracle.tree.may_have_entries(node, window.start),
        Target::MadeBy(_) => true,
        Target::Nothing => false,
    })
}

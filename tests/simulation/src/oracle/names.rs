//! Names: where each may lead.

use std::collections::BTreeMap;

use dittofs_domain::NodeId;

use super::register::{Moment, OpNumber, Register};

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nowhere: there is no such entry.
    Nothing,
    /// To this node.
    Node(NodeId),
    /// To the node that an operation made, whose number nobody knows.
    MadeBy(OpNumber),
}

/// All names of all directories.
#[derive(Default)]
pub(crate) struct Tree {
    entries: BTreeMap<(NodeId, u8), Register<Target>>,
}

impl Tree {
    /// The names of a directory that were ever used.
    pub(crate) fn of(&self, directory: NodeId) -> impl Iterator<Item = (u8, &Register<Target>)> {
        self.entries.range((directory, 0)..=(directory, u8::MAX)).map(|((_, name), register)| (*name, register))
    }

    /// One name.
    pub(crate) fn entry(&mut self, directory: NodeId, name: u8) -> &mut Register<Target> {
        self.entries.entry((directory, name)).or_insert_with(|| Register::new(Target::Nothing))
    }

    /// Whether a node may have had a name since.
    pub(crate) fn may_be_linked(&self, node: NodeId, since: Moment) -> bool {
        node == NodeId::ROOT
            || self.entries.values().any(|entry| entry.since(since).any(|target| *target == Target::Node(node)))
    }

    /// Whether a node may have been without a name since.
    pub(crate) fn may_be_gone(&self, node: NodeId, since: Moment) -> bool {
        node != NodeId::ROOT && !self.entries.values().any(|entry| entry.certain(since) == Some(&Target::Node(node)))
    }

    /// Whether a directory may have had an entry since.
    pub(crate) fn may_have_entries(&self, directory: NodeId, since: Moment) -> bool {
        self.of(directory).any(|(_, entry)| entry.since(since).any(|target| *target != Target::Nothing))
    }

    /// Whether a directory may have had no entry since.
    pub(crate) fn may_be_empty(&self, directory: NodeId, since: Moment) -> bool {
        self.of(directory).all(|(_, entry)| entry.since(since).any(|target| *target == Target::Nothing))
    }

    /// It turns out which node an operation made.
    pub(crate) fn resolve(&mut self, op: OpNumber, node: NodeId) {
        for entry in self.entries.values_mut() {
            entry.replace(&Target::MadeBy(op), &Target::Node(node));
        }
    }

    pub(crate) fn crash(&mut self, now: Moment) {
        self.entries.values_mut().for_each(|entry| entry.crash(now));
    }

    pub(crate) fn forget(&mut self, oldest: Moment) {
        self.entries.values_mut().for_each(|entry| entry.forget(oldest));
    }
}

//! Making files, directories and symlinks.

use dittofs_domain::{
    NodeId, NodeKind,
    error::FsError,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_ports::{Created, Entered};

use super::{Answer, Client, Names, has_something, took_place};
use crate::{
    oracle::{Oracle, Target, Window},
    world::{Running, name},
};

impl Client {
    pub(in crate::client) async fn create(&mut self, running: &Running) -> Names {
        let ((directory, handle), called, kind) = (self.directory(), self.name(), self.kind());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let window = self.begin();
        self.world.oracle.lock().tree.entry(directory, called).begin(window.op, Target::MadeBy(window.op));
        let target = format!("target {}", window.op);
        let how = match self.random.below(3) {
            0 if kind == NodeKind::File => CreateHow::Unchecked,
            _ => CreateHow::Guarded,
        };
        let request = CreateRequest {
            directory,
            name: name(called),
            kind: match kind {
                NodeKind::Directory => NewKind::Directory,
                NodeKind::Symlink => NewKind::Symlink(target.as_bytes().into()),
                _ => NewKind::File,
            },
            attributes: InitialAttributes {
                mode: Some(if kind == NodeKind::Directory { 0o755 } else { 0o644 }),
                ..InitialAttributes::default()
            },
            how,
        };
        let (client, sent) = (self.number, request.clone());
        let made = |created: &Created| created.new.then_some(created.node.node);
        let answer = self.call_once(running, ("create", vec![directory]), made, move |running, op| {
            let request = sent.clone();
            async move {
                let Entered { caller, share, .. } = running.node(&handle, client)?;
                share.create(&caller, &request, op).await
            }
        });
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(created) if created.new => {
                let node = created.node.node;
                self.world.learn(node, kind);
                self.changed(&created.directory, seen, true);
                self.shown_durably(&created.node);
                self.made(directory, called, node, window, &target);
            }
            Answer::Done(created) => {
                let mut oracle = self.world.oracle.lock();
                let entry = oracle.tree.entry(directory, called);
                let there = entry.since(window.start).any(|target| *target == Target::Node(created.node.node));
                // An earlier attempt may have made it.
                let own = entry.since(window.start).any(|target| matches!(target, Target::MadeBy(_)));
                entry.refuse(window.op);
                if !there && own && !oracle.nodes.contains_key(&created.node.node) {
                    drop(oracle);
                    self.world.learn(created.node.node, kind);
                    self.made(directory, called, created.node.node, window, &target);
                    return names;
                }
                oracle.end(window);
                drop(oracle);
                if !there || how != CreateHow::Unchecked {
                    self.world.fail_answer("a creation found what is not there", window, &created);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::Exists => has_something(oracle, directory, called, window),
                    FsError::Stale => oracle.tree.may_be_gone(directory, window.start),
                    _ => false,
                };
                self.names_refused("a creation", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    fn made(&self, directory: NodeId, called: u8, node: NodeId, window: Window, target: &str) {
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = !oracle.tree.may_be_linked(directory, window.start);
        let entry = oracle.tree.entry(directory, called);
        let was_free =
            entry.since(window.start).any(|target| *target == Target::Nothing || matches!(target, Target::MadeBy(_)));
        entry.refuse(window.op);
        entry.begin(window.op, Target::Node(node));
        if let Some(model) = oracle.nodes.get_mut(&node) {
            model.target = target.as_bytes().to_vec();
        }
        took_place(&mut oracle, &[(directory, called)], window);
        drop(oracle);
        if !was_free || may_be_gone {
            self.world.fail_answer("a creation succeeds where the name is taken or the directory gone", window, &node);
        }
    }
}

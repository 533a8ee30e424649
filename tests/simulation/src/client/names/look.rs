//! Looking names up, and listing them.

use dittofs_domain::{Cookie, NodeId, error::FsError};
use dittofs_ports::{Entered, ListRequest, LookupName};

use super::{Answer, Client, targets};
use crate::{
    oracle::{Target, Window},
    world::{Running, name, number},
};

impl Client {
    pub(in crate::client) async fn lookup(&mut self, running: &Running) {
        let ((directory, handle), called) = (self.directory(), self.name());
        let window = self.begin();
        let client = self.number;
        let answer = self.call(running, "lookup", async || {
            let Entered { node: of, caller, share } = running.node(&handle, client)?;
            share.lookup(&caller, of.node, &LookupName::Child(name(called))).await
        });
        let Some(answer) = answer.await else { return };
        let mut oracle = self.world.oracle.lock();
        let found = targets(&mut oracle, directory, called, window);
        let new = found.iter().any(|target| matches!(target, Target::MadeBy(_)));
        let gone = oracle.tree.may_be_gone(directory, window.start);
        let (explained, shown) = match &answer {
            Answer::Done(lookup) => {
                let node = lookup.node.node;
                (found.contains(&Target::Node(node)) || (new && !oracle.nodes.contains_key(&node)), format!("{node}"))
            }
            Answer::Refused(FsError::NotFound) => (found.contains(&Target::Nothing), "nothing".into()),
            Answer::Refused(error) => (*error == FsError::Stale && gone, format!("{error:?}")),
            Answer::Unknown => (true, String::new()),
        };
        oracle.end(window);
        drop(oracle);
        if !explained {
            self.world.fail_answer(&format!("a lookup of n{called} in {directory} finds {shown}"), window, &found);
        }
    }

    pub(in crate::client) async fn list(&mut self, running: &Running) {
        let (directory, handle) = self.directory();
        let window = self.begin();
        let (mut all, mut after, client) = (Vec::new(), Cookie::START, self.number);
        loop {
            let (entries_max, with_attributes) = (1 + self.random.below(4) as usize, self.random.percent(50));
            let answer = self.call(running, "list", async || {
                let Entered { node: of, caller, share } = running.node(&handle, client)?;
                let request = ListRequest { directory: of.node, after, entries_max, with_attributes };
                share.list(&caller, &request).await
            });
            let Some(answer) = answer.await else { return };
            match answer {
                Answer::Done(reply) => {
                    for entry in &reply.entries {
                        after = after.max(entry.cookie);
                        all.push((number(&entry.name), entry.node));
                    }
                    if reply.complete {
                        break;
                    }
                    if reply.entries.is_empty() {
                        self.world.fail_answer("a listing goes on with nothing", window, &reply);
                        return;
                    }
                }
                Answer::Refused(error) => {
                    let mut oracle = self.world.oracle.lock();
                    let gone = oracle.tree.may_be_gone(directory, window.start);
                    oracle.end(window);
                    drop(oracle);
                    if error != FsError::Stale || !gone {
                        self.unexplained("a listing", window, error);
                    }
                    return;
                }
                Answer::Unknown => {
                    self.world.oracle.lock().end(window);
                    return;
                }
            }
        }
        self.check_list(directory, window, &all);
    }

    /// Checks that a listing has each entry that was there all the while once, and none that never was.
    fn check_list(&self, directory: NodeId, window: Window, all: &[(Option<u8>, NodeId)]) {
        let mut oracle = self.world.oracle.lock();
        let mut wrong = None;
        for (called, node) in all {
            let Some(called) = called else { continue };
            let found = targets(&mut oracle, directory, *called, window);
            let new = found.iter().any(|target| matches!(target, Target::MadeBy(_)));
            if !found.contains(&Target::Node(*node)) && (!new || oracle.nodes.contains_key(node)) {
                wrong = Some(format!("n{called} leads to {node}, not to one of {found:?}"));
            }
        }
        for (called, entry) in oracle.tree.of(directory) {
            if let Some(Target::Node(node)) = entry.certain(window.start) {
                let times = all.iter().filter(|one| **one == (Some(called), *node)).count();
                if times != 1 {
                    wrong = Some(format!("n{called} is listed {times} times"));
                }
            }
        }
        oracle.end(window);
        drop(oracle);
        if let Some(wrong) = wrong {
            self.world.fail_answer(&format!("a listing of {directory}: {wrong}"), window, &all);
        }
    }
}

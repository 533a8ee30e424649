//! Renaming.

use dittofs_domain::{NodeId, error::FsError, namespace::RenameRequest};
use dittofs_ports::Entered;

use super::{Answer, Client, Names, before, had_nothing, has_kind, may_be_full, targets, took_place};
use crate::{
    oracle::{Oracle, Target, Window},
    world::{Running, name},
};

impl Client {
    pub(in crate::client) async fn rename(&mut self, running: &Running) -> Names {
        let ((from, from_handle), from_name) = (self.directory(), self.name());
        let ((to, to_handle), to_name) =
            if self.random.percent(50) { ((from, from_handle), self.name()) } else { (self.directory(), self.name()) };
        let mut names = vec![(from, from_name), (to, to_name)];
        names.dedup();
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(from);
        let window = {
            let mut oracle = self.world.oracle.lock();
            let window = oracle.begin();
            let moved = targets(&mut oracle, from, from_name, window);
            if names.len() == 2 {
                oracle.tree.entry(from, from_name).begin(window.op, Target::Nothing);
                for target in moved.iter().filter(|target| **target != Target::Nothing) {
                    oracle.tree.entry(to, to_name).begin(window.op, *target);
                }
            }
            window
        };
        let request = RenameRequest::new((from, name(from_name)), (to, name(to_name)));
        let client = self.number;
        let answer = self.call_once(
            running,
            ("rename", vec![from, to]),
            |_| None,
            move |running, op| {
                let request = request.clone();
                async move {
                    let Entered { caller, share, .. } = running.node(&from_handle, client)?;
                    running.node(&to_handle, client)?;
                    share.rename(&caller, &request, op).await
                }
            },
        );
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(renamed) => {
                self.changed(&renamed.from_directory, seen, false);
                self.renamed(&names, window);
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::NotFound => had_nothing(oracle, from, from_name, window),
                    FsError::Stale => {
                        oracle.tree.may_be_gone(from, window.start) || oracle.tree.may_be_gone(to, window.start)
                    }
                    FsError::IsDirectory => has_kind(oracle, to, to_name, window, true),
                    FsError::NotDirectory => has_kind(oracle, to, to_name, window, false),
                    FsError::NotEmpty => may_be_full(oracle, to, to_name, window),
                    // Whether a directory would go into itself depends on more moves than are worth a model.
                    FsError::Invalid => has_kind(oracle, from, from_name, window, true) && from != to,
                    _ => false,
                };
                self.names_refused("a renaming", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    fn renamed(&self, names: &[(NodeId, u8)], window: Window) {
        let mut oracle = self.world.oracle.lock();
        let [(from, from_name), (to, to_name)] = names else {
            oracle.end(window);
            return;
        };
        let from_targets = targets(&mut oracle, *from, *from_name, window);
        let to_targets = targets(&mut oracle, *to, *to_name, window);
        let fits = from_targets.iter().any(|target| *target != Target::Nothing);
        // Between two names of one node nothing is changed.
        let same = from_targets.iter().any(|target| *target != Target::Nothing && to_targets.contains(target));
        if same && both_before(&mut oracle, names, window) {
            let now = oracle.end(window);
            for (directory, name) in names {
                oracle.tree.entry(*directory, *name).finish(window.op, now);
            }
        } else {
            took_place(&mut oracle, names, window);
        }
        drop(oracle);
        if !fits {
            self.world.fail_answer("a renaming of what is not there succeeds", window, &names);
        }
    }
}

fn both_before(oracle: &mut Oracle, names: &[(NodeId, u8)], window: Window) -> bool {
    let all: Vec<Vec<Target>> =
        names.iter().map(|(directory, name)| before(oracle, *directory, *name, window)).collect();
    all[0].iter().any(|target| *target != Target::Nothing && all[1].contains(target))
}

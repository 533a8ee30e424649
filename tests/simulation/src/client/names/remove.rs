//! Removing names.

use dittofs_domain::{
    NodeKind,
    error::FsError,
    namespace::{RemoveKind, RemoveRequest},
};
use dittofs_ports::Entered;

use super::{Answer, Client, Names, had_nothing, has_kind, kinds, may_be_full, targets, took_place};
use crate::{
    oracle::{Oracle, Target},
    world::{Running, name},
};

impl Client {
    pub(in crate::client) async fn remove(&mut self, running: &Running) -> Names {
        let ((directory, handle), called) = (self.directory(), self.name());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let (window, is_directory) = {
            let mut oracle = self.world.oracle.lock();
            let window = oracle.begin();
            let kinds = kinds(&mut oracle, directory, called, window);
            oracle.tree.entry(directory, called).begin(window.op, Target::Nothing);
            let likely = kinds.contains(&Some(NodeKind::Directory));
            (window, likely != self.random.percent(10))
        };
        let kind = if is_directory { RemoveKind::Directory } else { RemoveKind::NotDirectory };
        let request = RemoveRequest { directory, name: name(called), kind };
        let (client, sent) = (self.number, request.clone());
        let answer = self.call_once(
            running,
            ("remove", vec![directory]),
            |_| None,
            move |running, op| {
                let request = sent.clone();
                async move {
                    let Entered { caller, share, .. } = running.node(&handle, client)?;
                    share.remove(&caller, &request, op).await
                }
            },
        );
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(changed) => {
                self.changed(&changed, seen, true);
                let mut oracle = self.world.oracle.lock();
                let fits = targets(&mut oracle, directory, called, window).into_iter().any(|target| match target {
                    Target::Node(node) if is_directory => oracle.tree.may_be_empty(node, window.start),
                    target => target != Target::Nothing,
                });
                took_place(&mut oracle, &names, window);
                drop(oracle);
                if !fits {
                    self.world.fail_answer("a removal of what is not there or not empty succeeds", window, &request);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::NotFound => had_nothing(oracle, directory, called, window),
                    FsError::Stale => oracle.tree.may_be_gone(directory, window.start),
                    FsError::IsDirectory => has_kind(oracle, directory, called, window, true),
                    FsError::NotDirectory => has_kind(oracle, directory, called, window, false),
                    FsError::NotEmpty => may_be_full(oracle, directory, called, window),
                    _ => false,
                };
                self.names_refused("a removal", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }
}

//! Further names of a node.

use dittofs_domain::{error::FsError, namespace::LinkRequest};
use dittofs_ports::Entered;

use super::{Answer, Client, Names, had_nothing, has_something, took_place};
use crate::{
    oracle::{Oracle, Target},
    world::{Running, name},
};

impl Client {
    pub(in crate::client) async fn link(&mut self, running: &Running) -> Names {
        let Some((node, handle)) = self.not_directory() else { return Vec::new() };
        let ((directory, _), called) = (self.directory(), self.name());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let window = self.begin();
        self.world.oracle.lock().tree.entry(directory, called).begin(window.op, Target::Node(node));
        let request = LinkRequest { node, directory, name: name(called) };
        let (client, sent) = (self.number, request.clone());
        let answer = self.call_once(
            running,
            ("link", vec![directory, node]),
            |_| None,
            move |running, op| {
                let request = sent.clone();
                async move {
                    let Entered { caller, share, .. } = running.node(&handle, client)?;
                    share.link(&caller, &request, op).await
                }
            },
        );
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(linked) => {
                self.changed(&linked.directory, seen, true);
                let mut oracle = self.world.oracle.lock();
                let fits = had_nothing(&mut oracle, directory, called, window);
                took_place(&mut oracle, &names, window);
                drop(oracle);
                if !fits {
                    self.world.fail_answer("a link over another name succeeds", window, &request);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::Exists => has_something(oracle, directory, called, window),
                    FsError::Stale | FsError::NotFound => {
                        oracle.tree.may_be_gone(directory, window.start) || oracle.tree.may_be_gone(node, window.start)
                    }
                    _ => false,
                };
                self.names_refused("a link", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }
}

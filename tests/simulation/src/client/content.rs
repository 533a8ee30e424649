//! Operations on files.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{
    Attributes, NodeId, NodeKind, Timestamp,
    error::FsError,
    namespace::{SetAttributes, SetTime},
};
use dittofs_ports::{AdminService, Entered, ReadReply, Stability, WriteReply};

use super::{Answer, Client, Uncommitted};
use crate::{
    metadata::reading,
    oracle::{Mtime, Unstable, Window, written},
    world::{Running, Seen},
};

impl Client {
    pub(super) async fn write(&mut self, running: &Running) {
        let Some((node, _)) = self.file() else { return };
        let range = self.range();
        let stability = match self.random.below(10) {
            0..7 => Stability::Unstable,
            7 => Stability::Data,
            _ => Stability::File,
        };
        self.phases += 61;
        let phase = self.phases;
        self.write_out(running, node, range, phase, stability).await;
    }

    async fn write_out(
        &mut self,
        running: &Running,
        node: NodeId,
        range: Range<u64>,
        phase: u64,
        stability: Stability,
    ) -> Option<()> {
        let handle = self.world.oracle.lock().nodes.get(&node)?.handle;
        let seen = self.world.seen(node);
        let window = {
            let mut oracle = self.world.oracle.lock();
            let window = oracle.begin();
            oracle.nodes.get_mut(&node)?.file.begin_write(window.op, &range, phase);
            window
        };
        self.world.simulation.trace.lock().say(format_args!(
            "client {} write {node} {range:?} {stability:?} as operation {}",
            self.number, window.op
        ));
        let number = self.number;
        let (excuses, losses) = (self.world.excuses(), self.world.disk.losses());
        let data = Bytes::from_static(written(phase, range.clone()));
        let work = async {
            let Entered { node: of, caller, share } = running.node(&handle, number)?;
            share.write(&caller, of.node, range.start, data, stability).await
        };
        let answer = running.life.run(tokio::time::timeout(crate::world::PATIENCE, work)).await?;
        let Ok(answer) = answer else {
            self.world.simulation.fail(format!("a write of client {number} hangs"));
            return None;
        };
        self.world.note_losses();
        let code = answer.as_ref().map_or_else(|error| 1 + *error as u64, |_| 0);
        self.world.simulation.note("write", node.0, code);
        self.again = false;
        match answer {
            Ok(reply) => {
                self.wrote(node, range, phase, window, seen, &reply);
                // It may have been lost before it was answered, under the verifier from before that.
                if self.world.disk.losses() != losses {
                    self.world.oracle.lock().lose();
                }
            }
            Err(error) => self.not_wrote(node, &range, window, error, excuses),
        }
        Some(())
    }

    fn wrote(&mut self, node: NodeId, range: Range<u64>, phase: u64, window: Window, seen: Seen, reply: &WriteReply) {
        let shown = &reply.file.after;
        let verifier = reply.verifier.0;
        self.world.check_verifier(verifier);
        self.check_shown(shown, &seen, true);
        let durable = reply.stability != Stability::Unstable;
        if durable {
            self.shown_durably(shown);
        } else {
            self.uncommitted.push(Uncommitted { node, range: range.clone(), phase, verifier });
        }
        self.world.simulation.watch.lock().write(range.start, range.end);
        let mut oracle = self.world.oracle.lock();
        let gone = !oracle.tree.may_be_linked(node, window.start);
        let oldest = oracle.oldest();
        let now = oracle.end(window);
        if gone || u64::from(reply.count) != range.end - range.start {
            self.world.fail_answer("a write to a file that is gone, or a short one, succeeds", window, reply);
        }
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        model.file.write_done(window, &range, now);
        if durable {
            model.file.write_durable(window, &range, now);
        } else {
            let seen = (shown.change, shown.ctime);
            model.file.unstable.push(Unstable { window, range, ended: now, verifier, seen });
        }
        model.file.forget(oldest);
    }

    fn not_wrote(&mut self, node: NodeId, range: &Range<u64>, window: Window, error: FsError, excuses: u64) {
        let excused = self.world.is_excused(error, excuses);
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = oracle.tree.may_be_gone(node, window.start);
        let now = oracle.end(window);
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        match error {
            FsError::Stale if may_be_gone => model.file.write_refused(window.op, range),
            _ if excused => model.file.write_unknown(window.op, range, now),
            error => {
                drop(oracle);
                self.unexplained("a write", window, error);
            }
        }
    }

    /// COMMIT, and what was written under another verifier again.
    pub(super) async fn commit(&mut self, running: &Running) {
        let mine: Vec<NodeId> = self.uncommitted.iter().map(|write| write.node).collect();
        let node = if mine.is_empty() || self.random.percent(20) {
            self.file().map(|(node, _)| node)
        } else {
            Some(self.random.of(&mine))
        };
        let Some(node) = node else { return };
        for _ in 0..3 {
            let Some(verifier) = self.commit_once(running, node).await else { return };
            let (own, others) = std::mem::take(&mut self.uncommitted).into_iter().partition(|write| write.node == node);
            self.uncommitted = others;
            let own: Vec<Uncommitted> = own;
            let again: Vec<Uncommitted> = own.into_iter().filter(|write| write.verifier != verifier).collect();
            if again.is_empty() {
                return;
            }
            for write in again {
                self.write_out(running, node, write.range, write.phase, Stability::Unstable).await;
                if running.life.is_dead() {
                    return;
                }
            }
        }
    }

    async fn commit_once(&mut self, running: &Running, node: NodeId) -> Option<u64> {
        let handle = self.world.oracle.lock().nodes.get(&node)?.handle;
        let seen = self.world.seen(node);
        let window = self.begin();
        let number = self.number;
        let answer = self.call(running, "commit", async || {
            let Entered { node: of, caller, share } = running.node(&handle, number)?;
            share.commit(&caller, of.node).await
        });
        let answer = answer.await?;
        self.world.note_losses();
        match answer {
            Answer::Done(reply) => {
                self.world.check_verifier(reply.verifier.0);
                self.check_shown(&reply.file.after, &seen, false);
                let mut oracle = self.world.oracle.lock();
                let now = oracle.end(window);
                let model = oracle.nodes.get_mut(&node)?;
                for (change, ctime) in model.file.committed(window.start, reply.verifier.0, now) {
                    let durable = &mut model.seen_durably;
                    *durable = (durable.0.max(change), durable.1.max(ctime));
                }
                Some(reply.verifier.0)
            }
            Answer::Refused(error) => {
                self.refused_for_being_gone("a commit", node, window, error);
                self.uncommitted.retain(|write| write.node != node);
                None
            }
            Answer::Unknown => {
                self.world.oracle.lock().end(window);
                None
            }
        }
    }

    fn refused_for_being_gone(&self, what: &str, node: NodeId, window: Window, error: FsError) {
        let mut oracle = self.world.oracle.lock();
        let gone = oracle.tree.may_be_gone(node, window.start);
        oracle.end(window);
        drop(oracle);
        if error != FsError::Stale || !gone {
            self.unexplained(what, window, error);
        }
    }

    pub(super) async fn read(&mut self, running: &Running) {
        let Some((node, handle)) = self.file() else { return };
        let range = self.range();
        let seen = self.world.seen(node);
        let window = self.begin();
        let number = self.number;
        let length = (range.end - range.start) as u32;
        let answer = self.call(running, "read", async || {
            let Entered { node: of, caller, share } = running.node(&handle, number)?;
            reading(share.read(&caller, of.node, range.start, length)).await
        });
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        match answer {
            Answer::Done(reply) => {
                self.check_shown(&reply.attributes, &seen, false);
                self.check_read(node, &range, window, &reply);
                self.check_attributes(node, window, &reply.attributes);
                self.world.oracle.lock().end(window);
            }
            Answer::Refused(error) => self.refused_for_being_gone("a read", node, window, error),
            Answer::Unknown => {
                self.world.oracle.lock().end(window);
            }
        }
    }

    fn check_read(&self, node: NodeId, range: &Range<u64>, window: Window, reply: &ReadReply) {
        let data = reply.data.concat();
        let end = range.start + data.len() as u64;
        let mut oracle = self.world.oracle.lock();
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        let fits = |size: &u64| {
            end.max(range.start) == range.end.min(*size).max(range.start) && reply.end_of_file == (end >= *size)
        };
        let size_fits = model.file.size.since(window.start).any(fits);
        let sizes: Vec<u64> = model.file.size.since(window.start).copied().collect();
        let checked = model.file.bytes.check(range.start, &data, window.start, false);
        drop(oracle);
        if !size_fits {
            let answer = (range, data.len(), reply.end_of_file);
            self.world.fail_answer(&format!("a read of {node} fits none of the sizes {sizes:?}"), window, &answer);
        }
        if let Err(why) = checked {
            self.world.fail_answer(&format!("a read of {node} {range:?}"), window, &why);
        }
    }

    /// Checks what an answer says of a file or symlink.
    pub(super) fn check_attributes(&self, node: NodeId, window: Window, shown: &Attributes) {
        let mut oracle = self.world.oracle.lock();
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        let file = &model.file;
        let mut wrong = Vec::new();
        if shown.kind != model.kind || shown.node != node {
            wrong.push("kind");
        }
        if model.kind == NodeKind::File {
            if !file.size.since(window.start).any(|size| *size == shown.size) {
                wrong.push("size");
            }
            if !file.mode.since(window.start).any(|mode| *mode == shown.mode) {
                wrong.push("mode");
            }
            if !file
                .mtime
                .since(window.start)
                .any(|time| matches!(time, Mtime::Any) || *time == Mtime::Set(shown.mtime))
            {
                wrong.push("mtime");
            }
        }
        if !wrong.is_empty() {
            let known = format!("{:?} {:?} {:?}", file.size, file.mode, file.mtime);
            drop(oracle);
            self.world.fail_answer(&format!("wrong {wrong:?} of {node}: known {known}"), window, shown);
        }
    }

    pub(super) async fn truncate(&mut self, running: &Running) {
        let Some((node, handle)) = self.file() else { return };
        let seen = self.world.seen(node);
        let size = match self.random.below(3) {
            0 => 0,
            1 => self.range().end,
            _ => self.offset(),
        };
        let window = self.begin();
        if let Some(model) = self.world.oracle.lock().nodes.get_mut(&node) {
            model.file.begin_truncate(window.op, size);
        }
        self.world
            .simulation
            .trace
            .lock()
            .say(format_args!("client {} truncate {node} to {size} as operation {}", self.number, window.op));
        let number = self.number;
        let answer = self.call_once(
            running,
            ("truncate", vec![node]),
            |_| None,
            move |running, op| async move {
                let Entered { node: of, caller, share } = running.node(&handle, number)?;
                share.set_attributes(&caller, of.node, &SetAttributes::size(size), op).await
            },
        );
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        if let Answer::Done(changed) = &answer {
            self.check_shown(&changed.after, &seen, true);
            self.shown_durably(&changed.after);
        }
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = oracle.tree.may_be_gone(node, window.start);
        let now = oracle.end(window);
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        match answer {
            Answer::Done(_) => model.file.truncate_done(window, size, now),
            Answer::Refused(FsError::Stale) if may_be_gone => model.file.truncate_refused(window.op, size),
            Answer::Refused(error) => {
                drop(oracle);
                self.unexplained("a truncation", window, error);
            }
            Answer::Unknown => model.file.truncate_unknown(window.op, size, now),
        }
    }

    /// Sets a mode or a time.
    pub(super) async fn set_attributes(&mut self, running: &Running) {
        let Some((node, handle)) = self.file() else { return };
        let seen = self.world.seen(node);
        let mut request = SetAttributes::default();
        if self.random.percent(60) {
            let time = Timestamp::new(1_000_000_000 + self.random.below(1_000_000) as i64, 7);
            request.mtime = SetTime::To(time.unwrap_or_default());
        }
        if request.mtime == SetTime::Keep || self.random.percent(30) {
            request.mode = Some(0o600 + self.random.below(64) as u16);
        }
        let time = match request.mtime {
            SetTime::To(time) => Some(Mtime::Set(time)),
            SetTime::Keep | SetTime::Now => None,
        };
        let window = self.begin();
        if let Some(model) = self.world.oracle.lock().nodes.get_mut(&node) {
            time.into_iter().for_each(|time| model.file.mtime.begin(window.op, time));
            request.mode.into_iter().for_each(|mode| model.file.mode.begin(window.op, mode));
        }
        let (number, sent) = (self.number, request.clone());
        let answer = self.call_once(
            running,
            ("set attributes", vec![node]),
            |_| None,
            move |running, op| {
                let request = sent.clone();
                async move {
                    let Entered { node: of, caller, share } = running.node(&handle, number)?;
                    share.set_attributes(&caller, of.node, &request, op).await
                }
            },
        );
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        if let Answer::Done(changed) = &answer {
            self.check_shown(&changed.after, &seen, true);
            self.shown_durably(&changed.after);
        }
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = oracle.tree.may_be_gone(node, window.start);
        let now = oracle.end(window);
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        let file = &mut model.file;
        match answer {
            Answer::Done(_) => file.attributes_set(window, time.is_some(), request.mode.is_some(), now),
            Answer::Refused(FsError::Stale) if may_be_gone => {
                file.mtime.refuse(window.op);
                file.mode.refuse(window.op);
            }
            Answer::Refused(error) => {
                drop(oracle);
                self.unexplained("setting attributes", window, error);
            }
            Answer::Unknown => {
                file.mtime.finish(window.op, now);
                file.mode.finish(window.op, now);
            }
        }
    }

    pub(super) async fn attributes(&mut self, running: &Running) {
        let Some((node, handle)) = self.any() else { return };
        let seen = self.world.seen(node);
        let window = self.begin();
        let number = self.number;
        let answer = self.call(running, "attributes", async || {
            let Entered { node: of, caller, share } = running.node(&handle, number)?;
            share.attributes(&caller, of.node).await
        });
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        match answer {
            Answer::Done(shown) => {
                self.check_shown(&shown, &seen, false);
                self.check_attributes(node, window, &shown);
                self.world.oracle.lock().end(window);
            }
            Answer::Refused(error) => self.refused_for_being_gone("reading attributes", node, window, error),
            Answer::Unknown => {
                self.world.oracle.lock().end(window);
            }
        }
    }

    /// Flushes everything, as an operator can.
    pub(super) async fn flush(&mut self, running: &Running) {
        let answer = self.call(running, "flush", async || AdminService::flush(&running.services).await);
        if let Some(Answer::Refused(error)) = answer.await {
            let window = self.begin();
            self.unexplained("a flush", window, error);
        }
    }
}

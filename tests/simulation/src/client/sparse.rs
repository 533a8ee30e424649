//! Holes and clones.

use std::ops::Range;

use dittofs_domain::{Attributes, NodeId, error::FsError};
use dittofs_ports::{BlockService, Changed, CloneRange};

use super::{Answer, Client};
use crate::{
    oracle::{CloneOnItsWay, Window},
    world::{Running, Seen},
};

/// Bytes that are cloned at most: the oracle keeps each as it may be.
const CLONED_MAX: u64 = 400_000;

impl Client {
    pub(super) async fn punch(&mut self, running: &Running) {
        let Some((node, handle)) = self.file() else { return };
        let seen = self.world.seen(node);
        let mut range = self.range();
        if self.random.percent(20) {
            range.end += 3 << 20;
        }
        let window = self.begin();
        if let Some(model) = self.world.oracle.lock().nodes.get_mut(&node) {
            model.file.begin_punch(window.op, &range);
        }
        self.world
            .simulation
            .trace
            .lock()
            .say(format_args!("client {} punch {node} {range:?} as operation {}", self.number, window.op));
        let number = self.number;
        let answer = self.call(running, "punch", async || {
            let (of, caller) = running.node(&handle, number)?;
            running.services.punch(&caller, of, range.clone()).await
        });
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        if let Answer::Done(changed) = &answer {
            self.punch_shown(window, range.start, &seen, &changed.after);
        }
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = oracle.tree.may_be_gone(node, window.start);
        let now = oracle.end(window);
        let Some(model) = oracle.nodes.get_mut(&node) else { return };
        match answer {
            Answer::Done(_) => model.file.punch_done(window, &range, now),
            Answer::Refused(FsError::Stale) if may_be_gone => model.file.write_refused(window.op, &range),
            Answer::Refused(error) => {
                drop(oracle);
                self.unexplained("a punch", window, error);
            }
            Answer::Unknown => model.file.write_unknown(window.op, &range, now),
        }
    }

    /// A punch that met no byte of the file has changed nothing.
    fn punch_shown(&self, window: Window, start: u64, seen: &Seen, shown: &Attributes) {
        let mut oracle = self.world.oracle.lock();
        let model = oracle.nodes.get_mut(&shown.node);
        let changed = model.is_some_and(|model| model.file.size.since(window.start).all(|size| *size > start));
        drop(oracle);
        self.check_shown(shown, seen, changed);
        if changed {
            self.shown_durably(shown);
        }
    }

    /// What is to be cloned: mostly of what the source surely has.
    fn choose_clone(&mut self) -> Option<(CloneOnItsWay, [u8; 32])> {
        let (source, _) = self.file()?;
        let (destination, handle) = self.file()?;
        let (from, at, length) = (self.offset(), self.offset(), self.length().min(CLONED_MAX));
        let whole = self.random.percent(40);
        let mut oracle = self.world.oracle.lock();
        if oracle.clone.is_some() {
            return None;
        }
        let now = oracle.now();
        let size = oracle.nodes.get(&source)?.file.size.since(now).copied().min()?;
        let range = match whole {
            true => 0..size.min(CLONED_MAX),
            false => from % size.max(1)..(from % size.max(1) + length).min(size),
        };
        let at = if whole { 0 } else { at };
        let overlaps = source == destination && range.start < at + (range.end - range.start) && at < range.end;
        if range.is_empty() || overlaps {
            return None;
        }
        let window = oracle.begin();
        let clone = CloneOnItsWay { window, source, range, destination, at };
        oracle.nodes.get_mut(&destination)?.file.begin_clone(window.op, &clone.written(), clone.range.start);
        oracle.clone = Some(clone.clone());
        Some((clone, handle))
    }

    pub(super) async fn clone_range(&mut self, running: &Running) {
        let Some((clone, handle)) = self.choose_clone() else { return };
        let CloneOnItsWay { window, source, destination, ref range, at } = clone;
        let seen = self.world.seen(destination);
        self.world.simulation.trace.lock().say(format_args!(
            "client {} clone {source} {range:?} to {destination} {at} as operation {}",
            self.number, window.op
        ));
        let number = self.number;
        let answer = self.call(running, "clone", async || {
            let (of, caller) = running.node(&handle, number)?;
            let request = CloneRange {
                share: of.share,
                source,
                source_opener: None,
                offset: range.start,
                length: range.end - range.start,
                destination,
                at,
            };
            running.services.clone_range(&caller, &request).await
        });
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        if let Answer::Done(changed) = &answer {
            self.check_shown(&changed.after, &seen, true);
            self.shown_durably(&changed.after);
        }
        self.cloned(source, destination, range, &clone.written(), window, answer);
    }

    fn cloned(
        &self,
        source: NodeId,
        destination: NodeId,
        range: &Range<u64>,
        written: &Range<u64>,
        window: Window,
        answer: Answer<Changed>,
    ) {
        let mut oracle = self.world.oracle.lock();
        oracle.resolve_clone();
        let may_be_gone = [source, destination].iter().any(|node| oracle.tree.may_be_gone(*node, window.start));
        let sizes = oracle.nodes.get(&source).map(|model| model.file.size.clone());
        let fits = |size: &u64| *size >= range.end;
        let may_fit = sizes.as_ref().is_some_and(|sizes| sizes.since(window.start).any(fits));
        let must_fit = sizes.as_ref().is_some_and(|sizes| sizes.since(window.start).all(fits));
        let now = oracle.end(window);
        let Some(model) = oracle.nodes.get_mut(&destination) else { return };
        match answer {
            Answer::Done(_) if may_fit => {
                model.file.write_done(window, written, now);
                model.file.write_durable(window, written, now);
            }
            Answer::Done(changed) => {
                drop(oracle);
                self.world.fail_answer("a clone of more than its source has succeeds", window, &changed);
            }
            Answer::Refused(FsError::Stale) if may_be_gone => model.file.write_refused(window.op, written),
            Answer::Refused(FsError::Invalid) if !must_fit => model.file.write_refused(window.op, written),
            Answer::Refused(error) => {
                drop(oracle);
                self.unexplained("a clone", window, error);
            }
            Answer::Unknown => model.file.write_unknown(window.op, written, now),
        }
    }
}

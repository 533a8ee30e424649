//! Holes and clones.

use std::ops::Range;

use dittofs_domain::{Attributes, NodeId, error::FsError};
use dittofs_ports::{Changed, CloneRange, Entered};

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
        let mut range = self.range();
        if self.random.percent(20) {
            range.end += 3 << 20;
        }
        self.punch_out(running, node, handle, range).await;
    }

    /// So many small holes in some pages that they get more extents than a flush leaves them.
    pub(super) async fn perforate(&mut self, running: &Running) {
        let Some((node, handle)) = self.file() else { return };
        let page_bytes = self.world.scale.page();
        let first = self.random.below(4);
        let holes = (2 + u64::from(self.world.scale.page_extents) / 2).min(12);
        // Holes in what is only in the journal are none in the map.
        self.flush(running).await;
        for page in first..first + 4 {
            for hole in 0..holes {
                let start = page * page_bytes + hole * (page_bytes / 13);
                self.punch_out(running, node, handle, start..start + 9).await;
                if running.life.is_dead() || self.world.simulation.failure().is_some() {
                    return;
                }
            }
        }
    }

    async fn punch_out(&mut self, running: &Running, node: NodeId, handle: [u8; 32], range: Range<u64>) {
        let seen = self.world.seen(node);
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
            let Entered { node: of, caller, share } = running.node(&handle, number)?;
            share.punch(&caller, of.node, range.clone()).await
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
        let (changed, alone) = model.map_or((false, false), |model| {
            let changed = model.file.size.since(window.start).all(|size| *size > start);
            (changed, !model.file.is_written_since(window.op))
        });
        drop(oracle);
        self.check_shown(shown, seen, changed);
        // One that is done in parts lets others write in between.
        if changed && alone {
            self.shown_durably(shown);
        }
    }

    /// Chooses a range to clone: mostly one that the source surely has.
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
            let Entered { caller, share, .. } = running.node(&handle, number)?;
            let request = CloneRange {
                source,
                source_opener: None,
                offset: range.start,
                length: range.end - range.start,
                destination,
                at,
            };
            share.clone_range(&caller, &request).await
        });
        let Some(answer) = answer.await else { return };
        self.world.note_losses();
        if let Answer::Done(changed) = &answer {
            self.check_shown(&changed.after, &seen, true);
            let mut oracle = self.world.oracle.lock();
            let alone = oracle.nodes.get_mut(&destination).is_some_and(|model| !model.file.is_written_since(window.op));
            drop(oracle);
            if alone {
                self.shown_durably(&changed.after);
            }
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
            // The source may have been removed or truncated in the middle, when some pieces were there already.
            Answer::Refused(FsError::Stale) if may_be_gone => model.file.write_unknown(window.op, written, now),
            Answer::Refused(FsError::Invalid) if !must_fit => model.file.write_unknown(window.op, written, now),
            Answer::Unknown => model.file.write_unknown(window.op, written, now),
            Answer::Refused(error) => {
                drop(oracle);
                self.unexplained("a clone", window, error);
            }
        }
    }
}

//! Holes and clones.

use std::ops::Range;

use dittofs_domain::{
    Credentials, NodeId,
    content::FILE_BYTES_MAX,
    error::{FsError, FsResult},
};
use dittofs_ports::{BlockService, Caller, CloneRange, Seek};

use super::{
    Content, Model, Moment, Op, permission,
    run::{Compared, Runner},
};

impl Model {
    fn punch(&mut self, id: NodeId, range: Range<u64>, who: &Credentials) -> FsResult<()> {
        self.node(id)?.writable(who)?;
        if range.start < range.end.min(self.size(id)) {
            self.edit(id, who, |content| content.punch(range));
        }
        Ok(())
    }

    fn allocate(&mut self, id: NodeId, range: Range<u64>, who: &Credentials) -> FsResult<()> {
        if range.end > FILE_BYTES_MAX {
            return Err(FsError::TooLarge);
        }
        self.node(id)?.writable(who)?;
        if !range.is_empty() && range.end > self.size(id) {
            self.edit(id, who, |content| content.truncate(range.end));
        }
        Ok(())
    }

    fn clone_range(&mut self, request: &CloneRange, who: &Credentials) -> FsResult<()> {
        let CloneRange { source, offset, destination, at, .. } = *request;
        self.node(destination)?.writable(who)?;
        self.node(source)?.readable(who)?;
        let left = self.size(source).checked_sub(offset).ok_or(FsError::Invalid)?;
        let length = if request.length == 0 { left } else { request.length };
        let end = at.checked_add(length).filter(|end| *end <= FILE_BYTES_MAX).ok_or(FsError::TooLarge)?;
        if length > left || source == destination && offset < end && at < offset + length {
            return Err(FsError::Invalid);
        }
        if length > 0 {
            let from = self.node(source)?.content.clone();
            self.edit(destination, who, |content| content.clone_from(&from, offset..offset + length, at));
        }
        Ok(())
    }

    fn edit(&mut self, id: NodeId, who: &Credentials, edit: impl FnOnce(&mut Content)) {
        let now = self.now;
        let node = self.node_mut(id);
        if !permission::is_root(who) {
            let gid = node.gid;
            node.drop_privileges(gid, who);
        }
        edit(&mut node.content);
        node.mtime.to(Moment::Clock(now));
        node.changes += 1;
    }

    /// Whether an answer can be true: what was written is data, what was not may be taken for data.
    fn may_be_sought(&self, id: NodeId, offset: u64, what: Seek, found: Option<u64>) -> bool {
        let content = &self.nodes[&id].content;
        let size = content.size();
        match (what, found) {
            (Seek::Data, None) => content.data(offset..size).is_empty(),
            (Seek::Data, Some(at)) => (offset..size).contains(&at) && content.data(offset..at).is_empty(),
            (Seek::Hole, None) => false,
            (Seek::Hole, Some(at)) if at == size => true,
            (Seek::Hole, Some(at)) => (offset..size).contains(&at) && content.data(at..at + 1).is_empty(),
        }
    }
}

impl Runner<'_> {
    pub(super) async fn sparse(&mut self, who: &Caller, op: &Op) -> Compared {
        let share = std::sync::Arc::clone(&self.world.share);
        match op {
            Op::Punch { node, offset, length } => {
                let (node, range) = (self.file(*node), *offset..offset + length);
                let system = share.punch(who, node, range.clone()).await;
                let model = self.model.punch(node, range, &who.credentials);
                self.answers("punch", &system, &model, |_| ())?;
                self.check_changed(node, system.ok()).await
            }
            Op::Allocate { node, offset, length } => {
                let (node, range) = (self.file(*node), *offset..offset + length);
                let system = share.allocate(who, node, range.clone()).await;
                let model = self.model.allocate(node, range, &who.credentials);
                self.answers("allocate", &system, &model, |_| ())?;
                self.check_changed(node, system.ok()).await
            }
            Op::Clone { source, offset, length, destination, at } => {
                let (source, destination) = (self.file(*source), self.file(*destination));
                let request =
                    CloneRange { source, source_opener: None, offset: *offset, length: *length, destination, at: *at };
                let system = share.clone_range(who, &request).await;
                let model = self.model.clone_range(&request, &who.credentials);
                self.answers("clone_range", &system, &model, |_| ())?;
                self.check_changed(destination, system.ok()).await
            }
            Op::Seek { node, offset, what } => {
                let node = self.file(*node);
                let system = share.seek(who, node, *offset, *what).await;
                let model = self.model.node(node).and_then(|of| of.readable(&who.credentials));
                let model = model.and_then(|()| match *offset >= self.model.size(node) {
                    true => Err(FsError::NothingThere),
                    false => Ok(true),
                });
                let is_true = system.as_ref().is_ok_and(|found| self.model.may_be_sought(node, *offset, *what, *found));
                self.answers("seek", &system, &model, |_| is_true)
            }
            Op::Ranges { node, offset, length, page } => {
                let (node, range) = (self.file(*node), *offset..offset + length);
                let system = self.ranges(who, node, range.clone(), *page).await;
                let model = self.model.node(node).and_then(|of| of.readable(&who.credentials)).map(|()| true);
                let is_true = system.as_ref().is_ok_and(|runs| self.may_be_runs(node, &range, runs));
                self.answers("allocated_ranges", &system, &model, |_| is_true)
            }
            _ => Ok(()),
        }
    }

    async fn ranges(&self, who: &Caller, node: NodeId, range: Range<u64>, page: usize) -> FsResult<Vec<Range<u64>>> {
        let (mut all, mut at) = (Vec::new(), range.start);
        loop {
            let of = node;
            let answer = self.world.share.allocated_ranges(who, of, at..range.end, page).await?;
            assert!(answer.ranges.len() <= page);
            all.extend(answer.ranges);
            match answer.next {
                Some(next) => {
                    assert!(next > at || all.is_empty(), "it goes on");
                    at = next;
                }
                None => return Ok(all),
            }
        }
    }

    /// In order, inside of the range and the file, and all that was written is among them.
    fn may_be_runs(&self, node: NodeId, range: &Range<u64>, runs: &[Range<u64>]) -> bool {
        let content = &self.model.nodes[&node].content;
        let end = range.end.min(content.size());
        let in_order = runs.windows(2).all(|pair| pair[0].end <= pair[1].start);
        let inside = runs.iter().all(|run| run.start >= range.start && run.end <= end && !run.is_empty());
        let covered = |data: &Range<u64>| {
            let mut at = data.start;
            for run in runs.iter().filter(|run| run.end > data.start) {
                if run.start > at {
                    break;
                }
                at = run.end;
            }
            at >= data.end
        };
        in_order && inside && content.data(range.start..end).iter().all(covered)
    }
}

//! A file in a tiny metadata store: rows and references, changed by edits only.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use dittofs_domain::{
    ContentVersion, KeyId, NodeId, ObjectId, Scale,
    content::{
        BlockPlace, MapRow, PendingTruncation, Stored,
        map::{self, Edit, Facts, Piece, ReapCursor, Replaced, Source, Truncation},
        page,
    },
    plan::{Change, MapQuery, MapView, Reference},
};

pub(crate) const NODE: NodeId = NodeId(77);

/// That of most examples.
pub(crate) const SCALE: Scale = Scale::PRODUCTION;

pub(crate) struct Store {
    pub(crate) scale: Scale,
    pub(crate) rows: BTreeMap<u64, MapRow>,
    pub(crate) references: BTreeSet<(ObjectId, u64)>,
    pub(crate) size: u64,
    pub(crate) allocated: i64,
    pub(crate) counted: i64,
    pub(crate) version: ContentVersion,
    pub(crate) pending_truncation: Option<PendingTruncation>,
    /// Changes of the largest edit so far.
    pub(crate) steps_max: usize,
}

impl Store {
    pub(crate) fn new() -> Store {
        Store::of(&SCALE)
    }

    /// In a share of a scale.
    pub(crate) fn of(scale: &Scale) -> Store {
        Store {
            scale: *scale,
            rows: BTreeMap::new(),
            references: BTreeSet::new(),
            size: 0,
            allocated: 0,
            counted: 0,
            version: ContentVersion(1),
            pending_truncation: None,
            steps_max: 0,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts {
            node: NODE,
            size: self.size,
            content_version: self.version,
            pending_truncation: self.pending_truncation,
            scale: self.scale,
        }
    }

    pub(crate) fn view(&self, query: &MapQuery) -> MapView {
        assert_eq!(query.node, NODE);
        let covering = self.rows.range(..query.first_page).next_back();
        let covering = covering.filter(|(key, row)| **key + pages(row) > query.first_page);
        let mut rows: Vec<_> =
            covering.into_iter().chain(self.rows.range(query.first_page..=query.last_page)).collect();
        let complete = rows.len() <= query.rows_max;
        rows.truncate(query.rows_max);
        MapView { rows: rows.into_iter().map(|(key, row)| (*key, row.clone())).collect(), complete }
    }

    pub(crate) fn apply(&mut self, edit: Edit) {
        self.steps_max = self.steps_max.max(edit.changes.len());
        for change in edit.changes {
            match change {
                Change::PutRow { node, page, row } => {
                    assert_eq!(node, NODE);
                    self.rows.insert(page, row);
                }
                Change::DeleteRow { page, .. } => {
                    assert!(self.rows.remove(&page).is_some(), "row {page} was not there")
                }
                Change::InsertReference(Reference { object, chunk, .. }) => {
                    assert!(self.references.insert((object, chunk)), "reference inserted twice");
                }
                Change::DeleteReference(Reference { object, chunk, .. }) => {
                    assert!(self.references.remove(&(object, chunk)), "reference was not there");
                }
                Change::Count(statistics) => self.counted += statistics.bytes,
                other => panic!("not a change of a map: {other:?}"),
            }
        }
        self.allocated += edit.allocated;
        self.size = edit.size.unwrap_or(self.size);
        self.version = edit.content_version.unwrap_or(self.version);
        self.pending_truncation = edit.pending_truncation.unwrap_or(self.pending_truncation);
    }

    pub(crate) fn install(&mut self, pieces: Vec<Piece>, new_size: u64) -> Vec<u64> {
        let start = pieces.iter().map(|piece| piece.offset).min().unwrap();
        let end = pieces.iter().map(Piece::end).max().unwrap();
        let batches = match end - start <= map::INSTALL_CHUNKS_MAX * self.scale.chunk_bytes {
            true => vec![pieces],
            false => pieces.into_iter().flat_map(|piece| map::batches(vec![piece], &self.scale)).collect(),
        };
        let mut crowded = Vec::new();
        for (left, batch) in (0..batches.len()).rev().zip(batches) {
            let end = batch.iter().map(Piece::end).max().unwrap().max(self.size);
            let view = self.view(&map::install_query(NODE, &batch, &self.scale));
            let size = if left == 0 { new_size.max(end) } else { end };
            let installed = map::install(&view, &self.facts(), &batch, size).unwrap();
            crowded.extend(installed.crowded);
            self.apply(installed.edit);
        }
        crowded
    }

    /// Truncates, reaping first where that is demanded. Answers whether one edit was enough.
    pub(crate) fn truncate(&mut self, size: u64) -> bool {
        let mut at_once = true;
        loop {
            let view = self.view(&map::truncate_query(&self.facts(), size));
            match map::truncate(&view, &self.facts(), size).unwrap() {
                Truncation::Edit(edit) => {
                    self.apply(edit);
                    return at_once;
                }
                Truncation::ReapFirst => {
                    at_once = false;
                    self.reap();
                }
            }
        }
    }

    pub(crate) fn punch(&mut self, start: u64, end: u64) {
        let mut at = start;
        while at < end.min(self.size) {
            let view = self.view(&map::replace_query(&self.facts(), &(at..end)));
            at = self.replaced(map::punch(&view, &self.facts(), at..end).unwrap());
        }
    }

    /// Puts a range of another file at `to`.
    pub(crate) fn clone_of(&mut self, other: &Store, range: Range<u64>, to: u64) {
        let mut at = range.start;
        while at < range.end {
            let rest = at..range.end;
            let query = MapQuery { node: NODE, ..map::clone_query(NODE, &rest, &self.scale) };
            let to = at - range.start + to;
            let pieces = map::clone_pieces(&other.view(&query), &other.facts(), rest, to).unwrap();
            let end = pieces.last().unwrap().end();
            let view = self.view(&map::replace_query(&self.facts(), &(to..end)));
            at += self.replaced(map::replace(&view, &self.facts(), &pieces).unwrap()) - to;
        }
    }

    fn replaced(&mut self, replaced: Replaced) -> u64 {
        let Replaced::Edit { edit, end } = replaced else { panic!("a page with too many extents: {replaced:?}") };
        assert!(edit.changes.len() < self.scale.plan_steps as usize);
        self.apply(edit);
        end
    }

    pub(crate) fn reap_step(&mut self, cursor: Option<ReapCursor>) -> Option<ReapCursor> {
        let query = map::reap_truncation_query(&self.facts(), cursor)?;
        let reaped = map::reap_truncation(&self.view(&query), &self.facts(), cursor).unwrap();
        self.apply(reaped.edit);
        reaped.next
    }

    /// Answers how many steps it took.
    pub(crate) fn reap(&mut self) -> usize {
        let mut cursor = None;
        let mut steps = 0;
        while self.pending_truncation.is_some() {
            cursor = self.reap_step(cursor);
            steps += 1;
            assert!(steps < 100_000, "the reaper does not end");
        }
        assert_eq!(cursor, None);
        steps
    }

    pub(crate) fn resolve(&self, start: u64, end: u64) -> Vec<Piece> {
        let view = self.view(&map::resolve_query(NODE, &(start..end), &self.scale));
        map::resolve(&view, &self.facts(), start..end).unwrap()
    }

    /// Everything that always holds.
    pub(crate) fn check(&self) {
        let mut next = 0;
        let mut references = BTreeSet::new();
        let mut allocated = 0;
        for (key, row) in &self.rows {
            assert_eq!(*key, next, "rows do not tile: {:?}", self.rows.keys());
            next = key + pages(row);
            if let MapRow::Page { extents, version } = row {
                assert!(page::tiles(extents, self.scale.page_bytes), "page {key}");
                assert!(!page::is_hole(extents), "page {key} is all hole");
                assert_eq!(page::merge(extents).len(), extents.len(), "page {key} is not merged");
                assert!(*version <= self.version);
                references.extend(page::objects(extents).map(|object| (object, self.scale.chunk_of(*key))));
                allocated += page::allocated(extents) as i64;
            }
            if let (Some(pending), MapRow::Holes { version, .. } | MapRow::Page { version, .. }) =
                (self.pending_truncation, row)
            {
                assert!(
                    *version >= pending.version || next <= pending.end_page,
                    "an old row behind the end of the pending truncation"
                );
            }
        }
        assert_eq!(next, self.facts().map_pages(), "pages covered");
        assert_eq!(references, self.references);
        assert_eq!((allocated, allocated), (self.allocated, self.counted));
        let tail = self.size % self.scale.page();
        if tail > 0 {
            let last = self.scale.page_of(self.size);
            let query = MapQuery { node: NODE, first_page: last, last_page: last, rows_max: 2 };
            let extents = map::page(&self.view(&query), &self.facts(), last).unwrap();
            assert!(page::is_hole(&page::slice(&extents, tail as u32..self.scale.page_bytes)), "bytes behind the size");
        }
    }
}

pub(crate) fn pages(row: &MapRow) -> u64 {
    match row {
        MapRow::Page { .. } => 1,
        MapRow::Holes { pages, .. } => *pages,
    }
}

/// Bytes of an object of their own; `skip` is 0.
pub(crate) fn stored(object: u128, offset: u64, len: u32) -> Piece {
    let block = BlockPlace { at: 64, stored_len: len + 68, raw_len: len, codec: 0, key_id: KeyId::NONE };
    let source = Source::Stored(Stored { object: ObjectId(object), block, skip: 0 });
    Piece { offset, len: u64::from(len), source }
}

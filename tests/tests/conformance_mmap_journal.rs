//! The suite of journals, on the journal on a disk.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, sync::Arc};

use dittofs_domain::Sequence;
use dittofs_journal::{JournalId, JournalOptions, MmapJournal};
use dittofs_ports::Journal;
use dittofs_tests::journal_conformance;

const ID: JournalId = JournalId(7);

fn open(path: &Path, limit: u64) -> Arc<dyn Journal> {
    let segment_bytes = (limit / 8).min(4 << 20);
    let options = JournalOptions { limit_bytes: limit, segment_bytes, accept_loss: false };
    let journal = if path.join("superblock").is_file() {
        MmapJournal::open_at(path, Some(ID), options)
    } else {
        MmapJournal::create_at(path, ID, Sequence(0), options)
    };
    Arc::new(journal.unwrap())
}

journal_conformance!(mmap, {
    let folder = tempfile::tempdir().unwrap();
    async move |limit: u64| open(folder.path(), limit)
});

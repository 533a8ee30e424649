//! The counters of a share.

use dittofs_domain::counters::Counter;

/// The counts of what has happened in a share since it was opened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) flushed_objects: Counter,
    pub(super) flushed_bytes: Counter,
    pub(super) flush_failures: Counter,
    pub(super) objects_unreferenced: Counter,
    pub(super) objects_deleted: Counter,
    pub(super) repacked_bytes: Counter,
    pub(super) damaged_reads: Counter,
    pub(super) keyless_reads: Counter,
    pub(super) lost_reads: Counter,
}

impl Counters {
    /// An object with so many bytes of files has gone to the content store.
    pub(super) fn flushed(&self, bytes: u64) {
        self.flushed_objects.count();
        self.flushed_bytes.add(bytes);
    }
}

//! How a journal fails to open, to recover, and to sync.

use std::io;

use dittofs_domain::{NodeId, Sequence};
use thiserror::Error;

use super::{format::JournalId, walk::LostRun};

/// A journal was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no journal in the folder.
    #[error("there is no journal here")]
    Missing,
    /// A journal, or part of one, is in the folder where a new one should go.
    #[error("there is a journal here already")]
    Exists,
    /// The journal is not the one that was asked for.
    #[error("this is journal {:032x}, not {:032x}", found.0, expected.0)]
    Foreign {
        /// The one that is here.
        found: JournalId,
        /// The one that should be.
        expected: JournalId,
    },
    /// A newer version of the program wrote it.
    #[error("format version {0} is newer than this program")]
    Newer(u16),
    /// Its superblock can't be read.
    #[error("the journal's superblock is damaged")]
    Damaged,
    /// Another process has it open.
    #[error("another process has the journal open")]
    InUse,
    /// The disk failed.
    #[error("the journal can't be opened: {0}")]
    Io(#[from] io::Error),
}

/// Records that had been durable are lost.
#[derive(Debug, Error)]
#[error("segment {} of the journal is damaged at record {}: {} records are lost", lost.segment, lost.first, lost.count)]
pub struct Damage {
    /// The first loss.
    pub lost: LostRun,
    /// The nodes of the lost records, as far as they are known.
    pub nodes: Vec<NodeId>,
}

/// A sync failed.
#[derive(Clone, Debug, Error)]
#[error("records {}..={} were not synced ({cause}); {} of them are lost", first.0, last.0, lost.len())]
pub(super) struct SyncLoss {
    /// The first record that the sync would have covered.
    pub(super) first: Sequence,
    /// The last.
    pub(super) last: Sequence,
    /// Those that could not be read back; the others were written elsewhere and are durable.
    pub(super) lost: Vec<(NodeId, Sequence)>,
    /// The error of the disk.
    pub(super) cause: String,
}

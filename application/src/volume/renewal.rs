//! A start that lasts is renewed now and then. So copies of a share's parts can be distinguished that were made while
//! one server ran: of an older copy of the metadata, the journal and the mark of the objects know a later start.
//!
//! The new start is in the share's row before any other part hears of it. What the others are known to have is noted
//! there a renewal later; of the mark, two: a late request may still put an earlier one in its place.
//!
//! While the objects are not held, nobody says which of the starts the mark has. So none is given then that it could have
//! besides: the row remembers a bounded number.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Epoch,
    ownership::{Part, Phase, Start},
};
use dittofs_ports::{Counter, Journal, MetadataError, ShareMetadata, ShareRecord, Survives};
use parking_lot::Mutex;

use crate::volume::{nodes::Nodes, plans::PlanRunner, row::ShareRow, share::Share};

/// How long a start lasts in which something changes. An older copy of the metadata is recognized by its start. Each
/// renewal costs a write to the metadata store and to the content store.
const RENEWED_AFTER: Duration = Duration::from_secs(60);

/// Renews a share's start.
pub(super) struct Renewal {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    plans: Arc<PlanRunner>,
    row: Arc<ShareRow>,
    metadata: Arc<dyn ShareMetadata>,
    journal: Arc<dyn Journal>,
    last: Mutex<Last>,
}

/// The last renewal.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// On the monotonic clock.
    at: Duration,
    /// How much had been changed by then.
    changes: u64,
    /// The start that the journal has.
    journal: Option<Start>,
    /// The start that the mark had.
    mark: Option<Start>,
}

impl Renewal {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        plans: Arc<PlanRunner>,
        row: Arc<ShareRow>,
        (metadata, journal): (Arc<dyn ShareMetadata>, Arc<dyn Journal>),
    ) -> Renewal {
        Renewal { share, nodes, plans, row, metadata, journal, last: Mutex::default() }
    }

    /// Renews the start where something has changed since long enough, and the objects are held.
    ///
    /// # Errors
    /// The stores'; then it is tried again.
    pub(super) async fn renew(&self) -> Result<(), MetadataError> {
        let (last, now) = (*self.last.lock(), self.share.monotonic());
        let changes = self.nodes.pending().filled().saturating_add(self.plans.ledger().begun());
        let is_due = changes != last.changes && now.saturating_sub(last.at) >= RENEWED_AFTER;
        let is_held = matches!(self.share.owned().phase(), Some(Phase::Held | Phase::Waiting { .. }));
        if !is_due || !is_held || self.journal.survives() == Survives::Nothing {
            return Ok(());
        }
        let epoch = Epoch(self.metadata.allocate(Counter::Epochs, 1).await?.start);
        let start = Start { epoch, nonce: self.share.random() };
        let mut lineage = None;
        let give = |record: &mut ShareRecord| {
            let noted = [(Part::Journal, last.journal), (Part::Content, last.mark)];
            for (part, noted) in noted.into_iter().filter(|(_, noted)| noted.is_some()) {
                record.lineage.note(part, noted);
            }
            record.lineage.give(start);
            lineage = Some(record.lineage.clone());
        };
        self.row.change(give).await?;
        let mark = self.share.owned().marked_start();
        if let Some(lineage) = lineage {
            self.share.owned().renew_start(start, lineage);
        }
        let noted = self.journal.note_start(start).await;
        if let Err(error) = &noted {
            tracing::warn!(share = %self.share.name(), %error, "the journal does not note that the server's start was renewed");
        }
        *self.last.lock() = Last { at: now, changes, journal: noted.is_ok().then_some(start), mark };
        Ok(())
    }
}

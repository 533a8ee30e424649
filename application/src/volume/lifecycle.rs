//! The background work of a volume: flushing by age and pressure, reaping, deleting garbage.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Sequence,
    error::FsError,
    ownership::{Part, Start},
};
use dittofs_ports::{Journal, JournalIdentity, KeysInUse, MetadataError, ShareRecord, Survives};

use crate::{
    lock_order::strand,
    volume::{
        blocks::BlockReader,
        flusher::Flusher,
        reclaimer::{Leftovers, Reclaimer},
        renewal::Renewal,
        row::ShareRow,
        sealing::Sealing,
        share::Share,
        write_back::WriteBack,
    },
};

/// How often the flusher looks what is due, and how often the journal is looked at for what must be synced. A tenth of
/// the age at which bytes are flushed, and a look costs nothing where nothing waits.
const TICK: Duration = Duration::from_millis(500);
/// How soon it looks again where something was due: there may be more already, or what was due could not be taken.
const AGAIN: Duration = Duration::from_millis(10);
/// How long a task waits after a failure, and how often it is looked whether the start is to be renewed. What failed
/// has no reason to succeed at once, and a second late harms nobody.
const BACK_OFF: Duration = Duration::from_secs(1);
/// How long the flusher waits where there was no space. Longer than after other failures: somebody has to free
/// something first.
const BACK_OFF_FULL: Duration = Duration::from_secs(3);

/// The background work of a share, from its opening to its end.
pub(super) struct Lifecycle {
    share: Arc<Share>,
    row: Arc<ShareRow>,
    journal: Arc<dyn Journal>,
    write_back: Arc<WriteBack>,
    blocks: Arc<BlockReader>,
    sealing: Arc<Sealing>,
    flusher: Arc<Flusher>,
    reclaimer: Arc<Reclaimer>,
    leftovers: Leftovers,
    renewal: Renewal,
}

impl Lifecycle {
    pub(super) fn new(
        (share, row): (Arc<Share>, Arc<ShareRow>),
        (journal, write_back): (Arc<dyn Journal>, Arc<WriteBack>),
        (blocks, sealing): (Arc<BlockReader>, Arc<Sealing>),
        (flusher, reclaimer, leftovers): (Arc<Flusher>, Arc<Reclaimer>, Leftovers),
        renewal: Renewal,
    ) -> Lifecycle {
        Lifecycle { share, row, journal, write_back, blocks, sealing, flusher, reclaimer, leftovers, renewal }
    }

    /// Notes that the journal, and the objects where they are held, know this start, and that the journal may hold what
    /// the stores do not.
    pub(super) async fn begin(&self, start: Start) -> Result<(), MetadataError> {
        // Of a full disk, the mark may be that of an earlier start.
        let marked = self.share.owned().marked_start();
        let note = |record: &mut ShareRecord| {
            record.lineage.note(Part::Journal, Some(start));
            if marked.is_some() {
                record.lineage.note(Part::Content, marked);
            }
        };
        self.row.change(note).await?;
        self.mark(true).await
    }

    /// Notes that the share has no journal, and that nothing is in one: should an old one turn up again, it is a foreign
    /// one.
    pub(super) async fn begin_without_journal(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        let has_none = record.journal == 0 && record.journal_incarnation == 0 && !record.dirty;
        if has_none { Ok(()) } else { self.mark(false).await }
    }

    /// Starts flushing, reading ahead, holding the objects and reclaiming.
    pub(super) fn start(self: &Arc<Self>, keys: &KeysInUse) {
        self.sealing.report_missing_keys(&keys.in_use);
        let life = Arc::clone(self);
        self.spawn("flush", async move { life.flush_loop().await });
        let life = Arc::clone(self);
        self.spawn("sync", async move { life.sync_loop().await });
        let life = Arc::clone(self);
        self.spawn("renew", async move { life.renew_loop().await });
        for _ in 0..self.blocks.readahead().fetchers() {
            let blocks = Arc::clone(&self.blocks);
            self.spawn("readahead", async move { blocks.read_ahead_loop().await });
        }
        let life = Arc::clone(self);
        self.spawn("owner", async move { life.own_loop().await });
        let reclaimer = Arc::clone(&self.reclaimer);
        self.spawn("reap", async move { reclaimer.run().await });
        if self.share.tier().is_of_stores() {
            let life = Arc::clone(self);
            self.spawn("leftovers", async move { life.leftovers.take_all().await });
        }
        if !keys.are_all {
            self.start_finding_keys();
        }
    }

    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.share.machine().spawner.spawn(name, Box::pin(strand(task)));
    }

    /// Looks through a share that was written before its row named the keys in use.
    fn start_finding_keys(&self) {
        let (share, sealing) = (Arc::clone(&self.share), Arc::clone(&self.sealing));
        self.spawn("keys in use", async move {
            while !share.is_closing()
                && let Err(error) = sealing.find_keys().await
            {
                tracing::warn!(share = %share.name(), %error, "can't find out yet which keys are in use");
                share.wait(BACK_OFF, std::future::pending()).await;
            }
        });
    }

    /// Stops the background tasks, after a last flush, and notes that the journal holds nothing that the stores don't,
    /// unless something is set aside in it.
    /// Nothing may be written any more.
    ///
    /// # Errors
    /// Those of the stores: then the next start replays what is left.
    pub(super) async fn close(&self) -> Result<(), FsError> {
        self.share.start_closing();
        let closed = self.close_stores().await;
        match closed {
            Ok(()) => self.share.owned().release().await,
            Err(_) => self.share.owned().abandon(),
        }
        closed
    }

    async fn close_stores(&self) -> Result<(), FsError> {
        // The last flush may take long. Where the journal can't be synced, what it holds is safe once it is flushed.
        let synced = self.write_back.sync_journal(Sequence(u64::MAX >> 1)).await;
        if let Err(error) = synced {
            tracing::warn!(share = %self.share.name(), %error, "the journal is not synced before the last flush");
        }
        self.flusher.flush_last().await?;
        if let Err(error) = self.flusher.write_access_times().await {
            tracing::warn!(share = %self.share.name(), %error, "access times are not written");
        }
        let is_left = self.write_back.aside_bytes() > 0;
        if is_left {
            self.write_back.report_left().await;
        }
        self.mark_clean(is_left).await
    }

    async fn mark_clean(&self, is_left: bool) -> Result<(), FsError> {
        if self.journal.survives() == Survives::Nothing {
            return if is_left { Err(FsError::Io) } else { Ok(()) };
        }
        // Covers the releases as well, so that no record comes back.
        self.write_back.sync_journal(Sequence(u64::MAX >> 1)).await?;
        // If bytes are left, the next start must read the journal, and refuse to go on without it.
        self.mark(is_left).await.map_err(|error| self.share.metadata_failed(&error))
    }

    async fn flush_loop(&self) {
        while !self.share.is_closing() {
            let wait = match self.flusher.flush_due().await {
                Ok(true) => AGAIN,
                Ok(false) => TICK,
                Err(FsError::NoSpace) => BACK_OFF_FULL,
                Err(_) => BACK_OFF,
            };
            self.share.wait(wait, self.write_back.admission().short()).await;
        }
    }

    /// Makes durable what is old, also while a flush takes long, and of files that are set aside. Where the journal can't
    /// be synced, what it holds is safe once it is flushed.
    async fn sync_loop(&self) {
        let mut last = Duration::ZERO;
        while !self.share.is_closing() {
            let synced = self.write_back.sync_old(last).await;
            let wait = if synced.is_ok() { TICK } else { BACK_OFF };
            last = synced.unwrap_or(last);
            self.share.wait(wait, std::future::pending()).await;
        }
    }

    /// Renews the start, also while a flush takes long.
    async fn renew_loop(&self) {
        while !self.share.is_closing() {
            if let Err(error) = self.renewal.renew().await {
                tracing::debug!(share = %self.share.name(), %error, "the server's start is not renewed yet");
            }
            self.share.wait(BACK_OFF, std::future::pending()).await;
        }
    }

    /// Keeps the share's objects this server's, until they are given back: the last flush needs them, and may take longer
    /// than a lease.
    async fn own_loop(&self) {
        while let Some(wait) = self.share.owned().tend().await {
            self.share.owned().pause(wait).await;
        }
    }

    /// Writes down whether the journal may hold what the stores do not, and which journal it is.
    async fn mark(&self, dirty: bool) -> Result<(), MetadataError> {
        let JournalIdentity { journal, incarnation, .. } = self.journal.identity();
        let mark = |record: &mut ShareRecord| {
            (record.journal, record.journal_incarnation, record.dirty) = (journal, incarnation, dirty);
        };
        self.row.change(mark).await
    }
}

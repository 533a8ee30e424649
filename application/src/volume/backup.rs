//! A share as of one instant, with all that was acknowledged before.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Timestamp,
    error::{FsError, FsResult},
};
use dittofs_ports::{BackupError, ContentStore, ShareMetadata, ShareSnapshot};
use futures_util::{FutureExt, pin_mut, select_biased};
use tokio::sync::MutexGuard;

use crate::{
    lock_order::Ordered,
    volume::{
        flusher::Flusher,
        gate::{Gate, Passage},
        reclaimer::{Pins, Reclaimer},
        share::{Share, is_of_file},
        write_back::{FAILURES_MAX, WriteBack},
    },
};

/// How long changes wait at most while a backup takes the share as it is: clients wait for a minute and more.
const HELD_MAX: Duration = Duration::from_secs(5);
/// How often that is tried. What came before the gate was closed is flushed while it is open, so each try has less to
/// do.
const TRIES: u32 = 6;
/// Between two tries, so that clients get on.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// A share as of one instant. Until this is dropped, or lets the collector go, no object goes away.
pub(crate) struct Frozen<'v> {
    pub(crate) snapshot: Arc<dyn ShareSnapshot>,
    pub(crate) at: Timestamp,
    /// Files, by path, whose newest bytes are not in the snapshot.
    pub(crate) incomplete: Vec<String>,
    /// No object is marked, deleted or repacked.
    pub(super) collecting: Option<Ordered<MutexGuard<'v, ()>>>,
}

impl Frozen<'_> {
    /// Lets objects go away that nothing refers to or pins.
    pub(crate) fn let_collector_go(&mut self) {
        self.collecting = None;
    }
}

/// Takes a share as of one instant.
pub(crate) struct Freezer {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<dyn ContentStore>,
    write_back: Arc<WriteBack>,
    flusher: Arc<Flusher>,
    reclaimer: Arc<Reclaimer>,
    /// Closed for changes while a backup takes the share as it is.
    gate: Gate,
}

impl Freezer {
    pub(super) fn new(
        share: Arc<Share>,
        (metadata, content): (Arc<dyn ShareMetadata>, Arc<dyn ContentStore>),
        (write_back, flusher): (Arc<WriteBack>, Arc<Flusher>),
        reclaimer: Arc<Reclaimer>,
    ) -> Freezer {
        Freezer { share, metadata, content, write_back, flusher, reclaimer, gate: Gate::default() }
    }

    /// The share's objects.
    pub(crate) fn content(&self) -> &dyn ContentStore {
        &*self.content
    }

    /// Returns the pins of backups.
    pub(crate) fn pins(&self) -> &Pins {
        self.reclaimer.pins()
    }

    /// Waits until the share may be changed. What is returned is held until the change has ended, and is asked for
    /// once: whoever holds one must not wait for another.
    ///
    /// # Errors
    /// `Stale` once the share is being closed.
    pub(crate) async fn pass(&self) -> FsResult<Passage<'_>> {
        let passage = self.gate.pass().await;
        if self.share.is_closing() { Err(FsError::Stale) } else { Ok(passage) }
    }

    /// Ends what is on its way to change the share, and lets nothing more pass. Who waits at the gate learns that the
    /// share closes.
    pub(super) async fn close_for_good(&self) {
        let _closed = self.gate.close().await;
        self.share.start_closing();
    }

    /// Takes the share as it is, with all that was acknowledged before the call. Reads go on; changes wait for some
    /// seconds at most. What can't be stored of damaged files is missing, if that is allowed.
    pub(crate) async fn freeze(&self, allow_damaged: bool) -> Result<Frozen<'_>, BackupError> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.share.sleep(BETWEEN_TRIES).await;
            }
            if self.share.is_closing() {
                return Err(BackupError::Cancelled);
            }
            // Nobody waits for this one.
            match self.flush_all_but_aside().await {
                Err(FsError::Busy) => continue,
                flushed => flushed.map_err(|source| self.not_flushed(source))?,
            }
            self.incomplete_files(allow_damaged).await?;
            // First, as a repack on its way takes a while.
            let collecting = Some(self.reclaimer.stop_collecting().await);
            if let Some(frozen) = self.freeze_now(allow_damaged).await? {
                return Ok(Frozen { collecting, ..frozen });
            }
        }
        Err(BackupError::Busy(self.share.name().to_owned()))
    }

    /// One try; none if it would have taken too long.
    async fn freeze_now(&self, allow_damaged: bool) -> Result<Option<Frozen<'_>>, BackupError> {
        let mut over = self.share.sleep(HELD_MAX).fuse();
        let closed = {
            let close = self.gate.close().fuse();
            pin_mut!(close);
            select_biased! { closed = close => closed, () = over => return Ok(None) }
        };
        // A flush must not be ended in the midst: where it takes too long changes go on, and it comes to its end.
        let flush = self.flush_all_but_aside().fuse();
        pin_mut!(flush);
        let flushed = select_biased! { flushed = flush => Some(flushed), () = over => None };
        let Some(flushed) = flushed else {
            drop(closed);
            // The next try sees what became of it.
            let _ = flush.await;
            return Ok(None);
        };
        match flushed {
            Err(FsError::Busy) => return Ok(None),
            flushed => flushed.map_err(|source| self.not_flushed(source))?,
        }
        let snapshot = self.metadata.snapshot().await.map_err(|source| self.share.not_read(source))?;
        let at = self.share.now();
        let incomplete = self.incomplete_files(allow_damaged).await?;
        drop(closed);
        let snapshot = snapshot.ok_or_else(|| BackupError::InMemory(self.share.name().to_owned()))?;
        Ok(Some(Frozen { snapshot, at, incomplete, collecting: None }))
    }

    /// Flushes everything that was acknowledged before the call, but what is set aside or has to be: a file that can't be
    /// flushed is that after some tries.
    async fn flush_all_but_aside(&self) -> FsResult<()> {
        for _ in 0..FAILURES_MAX {
            match self.flusher.flush_all().await {
                Err(error) if is_of_file(error) => {}
                flushed => return flushed,
            }
        }
        self.flusher.flush_all().await
    }

    /// The files whose newest bytes are set aside: they are missing in what is stored.
    async fn incomplete_files(&self, are_allowed: bool) -> Result<Vec<String>, BackupError> {
        let files = self.write_back.files_aside().await;
        match files.is_empty() || are_allowed {
            true => Ok(files),
            false => Err(BackupError::Damaged { share: self.share.name().to_owned(), files }),
        }
    }

    fn not_flushed(&self, source: FsError) -> BackupError {
        BackupError::Flush { share: self.share.name().to_owned(), source }
    }
}

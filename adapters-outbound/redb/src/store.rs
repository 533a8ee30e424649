//! The store: its shares, and the life of its writer.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use dittofs_domain::{
    Node, ShareId,
    plan::{Query, View},
};
use dittofs_ports::{MetadataError, MetadataStore, ShareMetadata, ShareRecord, SnapshotRow, Survives, UserStore};
use redb::StorageBackend;
use tokio::sync::{mpsc, oneshot};

use crate::{
    cache::RowCache,
    fault::Fault,
    open::{BackendOpener, FileOpener, OpenError, Opener, Part},
    operations::Remembered,
    options::RedbOptions,
    share::RedbShare,
    share_snapshot::{ROWS_FORMAT, ROWS_FORMAT_3, ROWS_FORMAT_4, upgrade_row},
    tables::Snapshot,
    users::RedbUsers,
    view::{Cached, Through, view},
    writer::{Newest, Published, Request, WAITING_MAX, Writer},
};

/// Metadata in a redb database.
pub struct RedbMetadataStore(Arc<Connection>);

/// The ends of everything that leads to the writer; the last one that is dropped closes the database, and waits for
/// that.
pub(crate) struct Connection {
    requests: Option<mpsc::Sender<Request>>,
    newest: Arc<Newest>,
    cache: Arc<RowCache>,
    remembered: Remembered,
    writer: Option<JoinHandle<()>>,
}

impl RedbMetadataStore {
    /// Opens the database in a folder, or makes it. Blocks; after a crash for as long as it takes to check all of it.
    ///
    /// # Errors
    /// See [`OpenError`]: each says what was found, and what to do.
    pub fn open(options: &RedbOptions) -> Result<RedbMetadataStore, OpenError> {
        Self::start(Box::new(FileOpener::new(options)?), options.row_cache_bytes)
    }

    /// Opens a database on other storage than files, for tests of what happens when that fails. `make` is called for
    /// each part at each opening, and must give the same bytes again. The path of the options is not used.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on<B: StorageBackend>(
        options: &RedbOptions,
        make: impl Fn(Part) -> io::Result<B> + Send + 'static,
    ) -> Result<RedbMetadataStore, OpenError> {
        Self::start(Box::new(BackendOpener::new(options.clone(), make)), options.row_cache_bytes)
    }

    fn start(opener: Box<dyn Opener>, row_cache_bytes: usize) -> Result<RedbMetadataStore, OpenError> {
        let name = opener.name();
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let writer = Writer::open(opener, waiting, row_cache_bytes)?;
        let (newest, cache, remembered) = (writer.newest(), writer.cache(), writer.remembered());
        let thread = thread::Builder::new().name("redb-writer".into()).spawn(|| writer.run());
        let thread = thread.map_err(|source| OpenError::Io { file: name, source })?;
        let (requests, writer) = (Some(requests), Some(thread));
        Ok(RedbMetadataStore(Arc::new(Connection { requests, newest, cache, remembered, writer })))
    }
}

impl Connection {
    /// Reads from the state after the last commit.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T, Fault>) -> Result<T, MetadataError> {
        self.read_published(|newest| read(&newest.tables))
    }

    /// As [`Connection::read`], with the cache of rows before the tables.
    pub(crate) fn read_through<T>(
        &self,
        read: impl FnOnce(&Through<'_>) -> Result<T, Fault>,
    ) -> Result<T, MetadataError> {
        self.read_published(|newest| read(&self.through(newest)))
    }

    /// Answers a query: from the cache, if everything is there.
    pub(crate) fn view(&self, share: ShareId, query: &Query) -> Result<View, MetadataError> {
        // What folded names ask for is never in it.
        if query.folded.is_empty()
            && let Some(epoch) = self.cache.epoch()
            && let Ok(view) = view(&Cached { cache: &self.cache, remembered: &self.remembered }, share, query)
            && self.cache.is_at(epoch)
        {
            return Ok(view);
        }
        self.read_through(|rows| view(rows, share, query))
    }

    fn through<'a>(&'a self, newest: &'a Published) -> Through<'a> {
        let Published { tables, epoch, transaction, .. } = newest;
        let (cache, remembered) = (&self.cache, &self.remembered);
        Through { tables, cache, remembered, epoch: *epoch, transaction: *transaction }
    }

    fn read_published<T>(&self, read: impl FnOnce(&Published) -> Result<T, Fault>) -> Result<T, MetadataError> {
        self.read_from(&*self.published()?, read)
    }

    /// The state after the last commit.
    pub(crate) fn published(&self) -> Result<Arc<Published>, MetadataError> {
        match &*self.newest.read() {
            Ok(newest) => Ok(Arc::clone(newest)),
            Err(why) => Err(MetadataError::Unavailable(why.to_string().into())),
        }
    }

    /// Reads from one state.
    pub(crate) fn read_from<T>(
        &self,
        newest: &Published,
        read: impl FnOnce(&Published) -> Result<T, Fault>,
    ) -> Result<T, MetadataError> {
        // A page that was damaged behind the database's back may make it panic.
        let result = catch_unwind(AssertUnwindSafe(|| read(newest)));
        let result = result.unwrap_or_else(|_| Err(Fault::damaged("a page of the database makes no sense")));
        if let (Err(Fault::Storage(_)), Some(requests)) = (&result, &self.requests) {
            // If the queue is full, one of those in it finds the same.
            drop(requests.try_send(Request::Reopen { opening: newest.opening }));
        }
        Ok(result?)
    }

    /// Asks the writer, and waits for its answer.
    pub(crate) async fn ask<T, E>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Request,
        gone: impl Fn() -> E,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(&gone)?;
        requests.send(request(answer)).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// The error where the writer has gone without an answer.
pub(crate) fn writer_gone() -> MetadataError {
    MetadataError::Unavailable("the database's writer has gone".into())
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(Err(_)) = self.writer.take().map(JoinHandle::join) {
            tracing::error!("the database's writer had panicked");
        }
    }
}

#[async_trait]
impl MetadataStore for RedbMetadataStore {
    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    async fn shares(&self) -> Result<Vec<ShareRecord>, MetadataError> {
        self.0.read(|tables| tables.shares())
    }

    async fn create_share(&self, record: &ShareRecord, root: &Node) -> Result<(), MetadataError> {
        let (record, root) = (Box::new(record.clone()), Box::new(root.clone()));
        self.0.ask(|answer| Request::CreateShare { record, root, answer }, writer_gone).await
    }

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let is_there = self.0.read(|tables| tables.share(id))?.is_some();
        Ok(is_there.then(|| Arc::new(RedbShare::new(Arc::clone(&self.0), id)) as Arc<dyn ShareMetadata>))
    }

    async fn remove_share(&self, id: ShareId) -> Result<(), MetadataError> {
        // Many small transactions, so that a large share fits into the log and others are not kept waiting.
        while !self.0.ask(|answer| Request::RemoveShare { share: id, answer }, writer_gone).await? {}
        Ok(())
    }

    async fn restore_rows(&self, id: ShareId, format: String, rows: Vec<SnapshotRow>) -> Result<(), MetadataError> {
        let mut rows = rows;
        if format == ROWS_FORMAT_3 {
            rows.iter_mut().for_each(upgrade_row);
        } else if ![ROWS_FORMAT, ROWS_FORMAT_4].contains(&format.as_str()) {
            let found =
                format!("rows of the format `{format}` can't be put into this store, which has `{ROWS_FORMAT}`");
            return Err(MetadataError::Unavailable(found.into()));
        }
        self.0.ask(|answer| Request::RestoreRows { share: id, rows, answer }, writer_gone).await
    }

    async fn restore_share(&self, record: &ShareRecord, ahead: u64) -> Result<(), MetadataError> {
        let record = Box::new(record.clone());
        self.0.ask(|answer| Request::RestoreShare { record, ahead, answer }, writer_gone).await
    }

    fn users(&self) -> Arc<dyn UserStore> {
        Arc::new(RedbUsers::new(Arc::clone(&self.0)))
    }
}

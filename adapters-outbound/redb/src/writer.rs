//! The one thread that writes: all that waits goes into one transaction, and is answered after its commit.

mod recovery;
mod request;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::RwLock;
use redb::{Database, ReadableDatabase};
use tokio::sync::mpsc;

use crate::{
    batch::Batch,
    fault::Fault,
    keys::Count,
    open::{OpenError, Opener},
    tables::{Snapshot, Writable},
};

pub(crate) use request::Request;
use request::{Failure, Reply};

/// Requests that may wait; more wait to be let in.
pub(crate) const WAITING_MAX: usize = 4_096;
/// Requests of one transaction.
const REQUESTS_MAX: usize = 1_024;
/// Above how many steps of plans a transaction takes no more.
const STEPS_ENOUGH: usize = 16_384;
/// Above how many bytes in plans a transaction takes no more.
const BYTES_ENOUGH: usize = 16 << 20;

/// What new nodes leave free on the disk: for what frees space, and for what ends a flush. A disk that is full in the
/// midst of a transaction costs an opening of the database.
const ROOM_KEPT: u64 = 64 << 20;

/// The state that readers see.
pub(crate) struct Published {
    pub(crate) tables: Snapshot,
    /// Which opening of the database it is from.
    pub(crate) opening: u64,
}

/// The newest state, or why there is none at the moment.
pub(crate) type Newest = RwLock<Result<Arc<Published>, Arc<str>>>;

/// The thread's own state.
pub(crate) struct Writer {
    opener: Box<dyn Opener>,
    database: Option<Database>,
    opening: u64,
    /// Transactions that have been committed.
    transactions: i64,
    requests: mpsc::Receiver<Request>,
    newest: Arc<Newest>,
}

impl Writer {
    /// Opens the database.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(opener: Box<dyn Opener>, requests: mpsc::Receiver<Request>) -> Result<Writer, OpenError> {
        let database = opener.open(false)?;
        let tables = snapshot(&database).map_err(|fault| opener.refused(&fault))?;
        let transactions = transactions(&tables).map_err(|fault| opener.refused(&fault))?;
        let newest = Arc::new(RwLock::new(Ok(Arc::new(Published { tables, opening: 0 }))));
        Ok(Writer { opener, database: Some(database), opening: 0, transactions, requests, newest })
    }

    pub(crate) fn newest(&self) -> Arc<Newest> {
        Arc::clone(&self.newest)
    }

    /// Writes until nobody can ask any more.
    pub(crate) fn run(mut self) {
        while let Some(request) = self.requests.blocking_recv() {
            let mut requests = self.gather(request);
            let opening = self.opening;
            let again =
                requests.iter().any(|request| matches!(request, Request::Reopen { opening: of } if *of == opening));
            requests.retain(|request| !matches!(request, Request::Reopen { .. }));
            if self.opener.room() < ROOM_KEPT {
                requests = refuse_growth(requests);
            }
            if again {
                self.recover(requests, Vec::new(), Failure::new("reading the database failed"));
            } else if !requests.is_empty() {
                self.commit(requests);
            }
        }
        // The last snapshot goes first, so that the database is closed cleanly and nothing is to be mended at the next
        // start.
        *self.newest.write() = Err("closed".into());
        if let Some(Err(error)) = self.database.take().map(Database::close) {
            tracing::warn!(%error, "the metadata database was not closed cleanly; the next start checks it");
        }
    }

    /// All that waits, up to the bounds of a transaction.
    fn gather(&mut self, first: Request) -> VecDeque<Request> {
        let (mut steps, mut bytes) = (first.steps(), first.bytes());
        let mut requests = VecDeque::from([first]);
        while requests.len() < REQUESTS_MAX && steps < STEPS_ENOUGH && bytes < BYTES_ENOUGH {
            let Ok(request) = self.requests.try_recv() else { break };
            steps += request.steps();
            bytes += request.bytes();
            requests.push_back(request);
        }
        requests
    }

    fn commit(&mut self, mut requests: VecDeque<Request>) {
        let mut replies = Vec::with_capacity(requests.len());
        let result = catch_unwind(AssertUnwindSafe(|| self.transact(&mut requests, &mut replies)));
        match result {
            Ok(Ok(published)) => {
                if let Some(tables) = published {
                    let newest = Ok(Arc::new(Published { tables, opening: self.opening }));
                    // Dropped after the lock.
                    let _before = std::mem::replace(&mut *self.newest.write(), newest);
                }
                replies.into_iter().for_each(Reply::send);
            }
            Ok(Err(failure)) => self.recover(requests, replies, failure),
            Err(_) => self.recover(requests, replies, Failure::new("the database panicked")),
        }
    }

    /// One transaction; answers the state after it, if anything has changed.
    fn transact(
        &mut self,
        requests: &mut VecDeque<Request>,
        replies: &mut Vec<Reply>,
    ) -> Result<Option<Snapshot>, Failure> {
        let database = self.database.as_ref().ok_or_else(|| Failure::new("the database is closed"))?;
        let transaction = database.begin_write().map_err(Fault::from)?;
        let mut batch = Batch::new(Writable::open(&transaction)?);
        while let Some(request) = requests.pop_front() {
            let reply = request.run(&mut batch);
            let failure = reply.failure();
            replies.push(reply);
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        if !batch.finish(self.transactions + 1)? {
            transaction.abort().map_err(Fault::from)?;
            return Ok(None);
        }
        transaction.commit().map_err(Fault::from)?;
        self.transactions += 1;
        Ok(Some(snapshot(database)?))
    }
}

/// Refuses plans that make nodes, and answers the other requests.
fn refuse_growth(requests: VecDeque<Request>) -> VecDeque<Request> {
    let (growing, rest): (VecDeque<_>, VecDeque<_>) = requests.into_iter().partition(Request::grows);
    let failure = Failure { message: "the disk of the metadata database is full".into(), is_full: true };
    growing.into_iter().for_each(|request| request.fail(&failure));
    rest
}

fn snapshot(database: &Database) -> Result<Snapshot, Fault> {
    Snapshot::open(&database.begin_read()?)
}

fn transactions(tables: &Snapshot) -> Result<i64, Fault> {
    tables.count(dittofs_domain::ShareId(0), Count::Transactions)
}

#[cfg(test)]
mod tests;

//! The one thread that writes: all that waits goes into one transaction, and is answered once that is durable.

mod inbox;
mod recovery;
mod request;
mod users;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use parking_lot::RwLock;
use tokio::sync::mpsc;

use crate::{
    batch::{Batch, Changed},
    cache::RowCache,
    durable::Durable,
    fault::Fault,
    open::{OpenError, Opener},
    operations::Remembered,
    tables::{Snapshot, Writable},
};

use inbox::{Inbox, Received};
pub(crate) use request::Request;
use request::{Failure, Reply};
pub(crate) use users::UserRequest;

/// Requests that may wait; more wait to be let in. Four full transactions; a bound for memory where the disk is slow.
pub(crate) const WAITING_MAX: usize = 4_096;
/// Requests of one transaction. The cost of a sync is shared by so many already that more would only make the first
/// ones wait.
const REQUESTS_MAX: usize = 1_024;
/// Above how many steps of plans a transaction takes no more. Four of the greatest plans: all in a transaction wait for
/// each other.
const STEPS_ENOUGH: usize = 16_384;
/// Above how many bytes in plans a transaction takes no more. As much as the log usually has.
const BYTES_ENOUGH: usize = 16 << 20;

/// The space that new nodes leave free on the disk beside the ballast. A disk that fills up in the middle of a
/// transaction costs an opening of the database.
const ROOM_KEPT: u64 = 16 << 20;
/// With less room than this the ballast is given up for the next checkpoint.
const ROOM_LOW: u64 = 4 << 20;

/// After so long without a request the log is emptied, so that a start finds nothing to do again. A pause of clients is
/// often shorter, and then a checkpoint would only be in the way.
const IDLE: Duration = Duration::from_secs(1);

/// The state that readers see.
pub(crate) struct Published {
    pub(crate) tables: Snapshot,
    /// Which opening of the database it is from.
    pub(crate) opening: u64,
    /// Which state of the cache of rows is the same.
    pub(crate) epoch: u64,
    /// The number of the last transaction in it.
    pub(crate) transaction: u64,
}

/// The newest state, or why there is none at the moment.
pub(crate) type Newest = RwLock<Result<Arc<Published>, Arc<str>>>;

/// The thread's own state.
pub(crate) struct Writer {
    opener: Box<dyn Opener>,
    durable: Option<Durable>,
    opening: u64,
    /// The number of the last transaction that has been answered.
    transactions: i64,
    requests: Inbox,
    newest: Arc<Newest>,
    cache: Arc<RowCache>,
    remembered: Remembered,
}

impl Writer {
    /// Opens the database.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(
        opener: Box<dyn Opener>,
        requests: mpsc::Receiver<Request>,
        row_cache_bytes: usize,
    ) -> Result<Writer, OpenError> {
        give_ballast_up_if_low(&*opener);
        let durable = Durable::open(&*opener, false)?;
        restore_ballast(&*opener);
        let tables = durable.snapshot().map_err(|fault| opener.refused(&fault))?;
        let cache = Arc::new(RowCache::new(row_cache_bytes));
        let newest = Arc::new(RwLock::new(Err("not open yet".into())));
        let remembered = Remembered::new(opener.options().operations);
        remembered.load(&tables).map_err(|fault| opener.refused(&fault))?;
        let (transactions, requests) = (durable.transactions(), Inbox::new(requests));
        let writer =
            Writer { opener, durable: Some(durable), opening: 0, transactions, requests, newest, cache, remembered };
        writer.publish_all(tables);
        Ok(writer)
    }

    pub(crate) fn remembered(&self) -> Remembered {
        self.remembered.clone()
    }

    pub(crate) fn newest(&self) -> Arc<Newest> {
        Arc::clone(&self.newest)
    }

    pub(crate) fn cache(&self) -> Arc<RowCache> {
        Arc::clone(&self.cache)
    }

    /// Writes until nobody can ask any more.
    pub(crate) fn run(mut self) {
        loop {
            let is_checkpointed = self.durable.as_ref().is_none_or(Durable::is_checkpointed);
            match self.requests.receive((!is_checkpointed).then_some(IDLE)) {
                Received::Request(request) => {
                    let requests = self.gather(request);
                    self.serve(requests);
                }
                Received::Nothing => self.checkpoint(),
                Received::Closed => break,
            }
        }
        // The last snapshot goes first, so that the database is closed cleanly and nothing is to be repaired at the
        // next start.
        self.cache.stop();
        *self.newest.write() = Err("closed".into());
        if let Some(Err(error)) = self.durable.take().map(Durable::close) {
            tracing::warn!(%error, "the metadata database was not closed cleanly; the next start checks it");
        }
    }

    fn serve(&mut self, mut requests: VecDeque<Request>) {
        let opening = self.opening;
        let again = requests.iter().any(|request| matches!(request, Request::Reopen { opening: of } if *of == opening));
        requests.retain(|request| !matches!(request, Request::Reopen { .. }));
        match self.make_room() {
            Ok(true) => {}
            Ok(false) => requests = refuse_growth(requests),
            // Those who wait get an error: it may take until somebody makes room.
            Err(failure) => return self.recover(requests, Vec::new(), failure),
        }
        if again {
            self.recover(requests, Vec::new(), Failure::new("reading the database failed"));
        } else if !requests.is_empty() {
            self.commit(requests);
        }
    }

    /// Sees that there is room for what frees space; answers whether there is some for new nodes as well.
    fn make_room(&mut self) -> Result<bool, Failure> {
        let owed = self.durable.as_ref().map_or(0, Durable::owed);
        if owed > 0 && self.opener.room() < ROOM_KEPT + owed {
            give_ballast_up_if_low(&*self.opener);
            self.durable.as_mut().map_or(Ok(()), Durable::checkpoint)?;
        }
        restore_ballast(&*self.opener);
        Ok(self.opener.has_ballast() && self.opener.room() >= ROOM_KEPT)
    }

    fn checkpoint(&mut self) {
        let Some(durable) = &mut self.durable else { return };
        if let Err(fault) = durable.checkpoint() {
            self.recover(VecDeque::new(), Vec::new(), fault.into());
        }
    }

    /// All that waits, up to the bounds of a transaction.
    fn gather(&mut self, first: Request) -> VecDeque<Request> {
        let (mut steps, mut bytes) = (first.steps(), first.bytes());
        let mut requests = VecDeque::from([first]);
        while requests.len() < REQUESTS_MAX && steps < STEPS_ENOUGH && bytes < BYTES_ENOUGH {
            let Some(request) = self.requests.waiting() else { break };
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
            Ok(Ok(None)) => replies.into_iter().for_each(Reply::send),
            Ok(Ok(Some((changed, tables)))) => {
                let (newest, opening, transaction) = (&self.newest, self.opening, self.transactions.cast_unsigned());
                // Dropped only once readers can go on.
                let mut before = None;
                self.cache.advance(&changed.redo, &changed.nodes, |epoch| {
                    self.remembered.advance(transaction, &changed.operations, &changed.outdated);
                    let published = Ok(Arc::new(Published { tables, opening, epoch, transaction }));
                    before = Some(std::mem::replace(&mut *newest.write(), published));
                });
                replies.into_iter().for_each(Reply::send);
            }
            Ok(Err(failure)) if failure.is_intact => fail_all(requests, replies, &failure),
            Ok(Err(failure)) => self.recover(requests, replies, failure),
            Err(_) => self.recover(requests, replies, Failure::new("the database panicked")),
        }
    }

    /// One transaction; answers what has changed, if anything has, and the state after it.
    fn transact(
        &mut self,
        requests: &mut VecDeque<Request>,
        replies: &mut Vec<Reply>,
    ) -> Result<Option<(Changed, Snapshot)>, Failure> {
        let durable = self.durable.as_mut().ok_or_else(|| Failure::new("the database is closed"))?;
        let transaction = durable.begin()?;
        let mut batch = Batch::new(Writable::open(&transaction)?, &self.remembered);
        while let Some(request) = requests.pop_front() {
            let reply = request.run(&mut batch);
            let failure = reply.failure();
            replies.push(reply);
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        let Some(changed) = batch.finish(self.transactions + 1)? else {
            transaction.abort().map_err(Fault::from)?;
            return Ok(None);
        };
        if !durable.commit(transaction, &changed.redo, || self.opener.give_ballast_up())? {
            return Err(Failure::full());
        }
        let tables = durable.snapshot()?;
        self.transactions += 1;
        Ok(Some((changed, tables)))
    }

    /// Shows readers another database than before.
    fn publish_all(&self, tables: Snapshot) {
        let (newest, opening, transaction) = (&self.newest, self.opening, self.transactions.cast_unsigned());
        self.cache.restart(|epoch| {
            *newest.write() = Ok(Arc::new(Published { tables, opening, epoch, transaction }));
        });
    }
}

fn give_ballast_up_if_low(opener: &dyn Opener) {
    if opener.room() < ROOM_LOW {
        opener.give_ballast_up();
    }
}

fn restore_ballast(opener: &dyn Opener) {
    if !opener.has_ballast() && opener.room() >= opener.ballast_bytes() + ROOM_KEPT {
        opener.restore_ballast();
    }
}

/// Refuses plans that make nodes, and answers the other requests.
fn refuse_growth(requests: VecDeque<Request>) -> VecDeque<Request> {
    let (growing, rest): (VecDeque<_>, VecDeque<_>) = requests.into_iter().partition(Request::grows);
    fail_all(growing, Vec::new(), &Failure::full());
    rest
}

fn fail_all(requests: VecDeque<Request>, replies: Vec<Reply>, failure: &Failure) {
    replies.into_iter().for_each(|reply| reply.fail(failure));
    requests.into_iter().for_each(|request| request.fail(failure));
}

#[cfg(test)]
mod tests;

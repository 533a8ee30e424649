//! The database and the log before it: together they keep each transaction from the moment it is committed.

use std::io;

use redb::{Database, Durability, ReadableDatabase, StorageBackend, StorageError, WriteTransaction};

use crate::{
    fault::Fault,
    keys::Count,
    log::{self, Log, Mark, Scanned, Trouble},
    open::{OpenError, Opener, stamp},
    redo::{Redo, for_each_step},
    tables::{Snapshot, Writable},
    upgrade::{fold_names, upgrade},
};

/// A database that is open for writing.
pub(crate) struct Durable {
    // Dropped first: it may write, and then the log is still there.
    database: Database,
    log: Log,
    mark: Mark,
    log_len_max: u64,
    /// Transactions that have been committed: the number of the last one.
    transactions: i64,
    /// Bytes that the next checkpoint may write, about.
    owed: u64,
}

/// The bytes that a checkpoint writes at most, about, for one changed record: its page.
const PAGE_LEN: u64 = 4_096;

impl Durable {
    /// Opens the database, and does again what is in the log only; `again` after a failure.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(opener: &dyn Opener, again: bool) -> Result<Durable, OpenError> {
        let database = opener.open(again)?;
        let refused = |fault: Fault| opener.refused(&fault);
        let found = Mark::read(&database).map_err(refused)?;
        let done = transactions(&database).map_err(refused)?;
        let mark = match found {
            Some(mark) => mark,
            None => {
                let store = random().map_err(|source| log_io(opener, source))?;
                Mark { store, generation: 0, base: 0, clean: true, stamped: 0 }
            }
        };
        let (storage, scanned) = recover_log(opener, &mark, done, again)?;
        // A new log has no stamp yet.
        let stamped = scanned.as_ref().map_or(0, |scanned| scanned.stamp);
        let (mark, transactions) = redo(&database, &Mark { stamped, ..mark }, scanned).map_err(refused)?;
        // After the log has been done again, which may have keys of the earlier format as well.
        upgrade(&database, &opener.options().progress).map_err(refused)?;
        fold_names(&database, &opener.options().progress).map_err(refused)?;
        let log = Log::start(storage, &mark).map_err(|source| log_io(opener, source))?;
        // Written down with the next checkpoint.
        let mark = Mark { stamped: mark.generation, ..mark };
        Ok(Durable {
            database,
            log,
            mark,
            log_len_max: opener.options().log_bytes.min(log::LEN_MAX),
            transactions,
            owed: 0,
        })
    }

    /// The number of the last transaction.
    pub(crate) fn transactions(&self) -> i64 {
        self.transactions
    }

    /// Bytes that the next checkpoint may write, about.
    pub(crate) fn owed(&self) -> u64 {
        self.owed
    }

    /// Whether all is in the database.
    pub(crate) fn is_checkpointed(&self) -> bool {
        self.log.is_empty()
    }

    pub(crate) fn begin(&self) -> Result<WriteTransaction, Fault> {
        Ok(self.database.begin_write()?)
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, Fault> {
        snapshot(&self.database)
    }

    /// Commits the next transaction, and returns once it is durable. After an error, whether it is there is known
    /// when the database has been opened again. False: there is no room for it, also after `make_room`, and nothing has
    /// changed.
    pub(crate) fn commit(
        &mut self,
        mut transaction: WriteTransaction,
        redo: &Redo,
        make_room: impl FnOnce(),
    ) -> Result<bool, Fault> {
        let number = self.transactions + 1;
        if self.log.fits(redo.bytes().len()) {
            transaction.set_durability(Durability::None).map_err(Fault::other)?;
            // The log first: what found no room there leaves nothing in the database.
            let (log, number) = (&mut self.log, number.cast_unsigned());
            let mut append = || log.append(number, redo.bytes()).map_err(StorageError::Io);
            if !append()? {
                make_room();
                if !append()? {
                    return Ok(false);
                }
            }
            transaction.commit()?;
            self.owed += redo.steps() * PAGE_LEN;
        } else {
            self.commit_durably(transaction, number, false)?;
            self.log.grow(self.log_len_max).map_err(StorageError::Io)?;
        }
        self.transactions = number;
        Ok(true)
    }

    /// Makes the database durable by itself, if it is not, and begins the log again.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Fault> {
        if self.log.is_empty() {
            return Ok(());
        }
        self.commit_durably(self.database.begin_write()?, self.transactions, false)
    }

    /// Leaves nothing to be done at the next opening.
    pub(crate) fn close(mut self) -> Result<(), Fault> {
        self.commit_durably(self.database.begin_write()?, self.transactions, true)?;
        self.database.close().map_err(Fault::other)
    }

    fn commit_durably(&mut self, mut transaction: WriteTransaction, number: i64, clean: bool) -> Result<(), Fault> {
        let mark = self.mark.next(number.cast_unsigned(), clean);
        mark.write(&transaction)?;
        // Costs a second sync, but an opening need not walk the whole file.
        transaction.set_quick_repair(true);
        transaction.commit()?;
        self.mark = mark;
        self.log.restart(&mark);
        self.owed = 0;
        Ok(())
    }
}

/// The log, and what is in it and not in the database.
fn recover_log(
    opener: &dyn Opener,
    mark: &Mark,
    done: i64,
    again: bool,
) -> Result<(Box<dyn StorageBackend>, Option<Scanned>), OpenError> {
    // An operator accepts a loss that was found at the start. A failure while the server runs is another matter: then
    // the log has what was acknowledged since.
    let accept_loss = opener.options().accept_loss && !again;
    let storage = opener.log(again)?;
    if let Some(storage) = storage {
        match Scanned::read(&*storage, mark, done.cast_unsigned()) {
            Ok(scanned) => match &scanned.damaged {
                Some(found) if !accept_loss => {
                    return Err(OpenError::LogDamaged { file: opener.log_name(), found: found.clone() });
                }
                damaged => {
                    if let Some(found) = damaged {
                        tracing::warn!(%found, "the metadata log ends where it is damaged, as was accepted");
                    }
                    return Ok((storage, Some(scanned)));
                }
            },
            Err(trouble @ Trouble::Nonsense) if mark.clean => {
                tracing::warn!(?trouble, "the metadata log is none, and nothing is expected in it: a new one is made");
            }
            // A disk that can't be read now, and a newer release's log, are no loss that could be accepted.
            Err(trouble) if accept_loss && !matches!(trouble, Trouble::Io(_) | Trouble::Newer(_)) => {
                tracing::warn!(?trouble, "the metadata log is not used, as was accepted: a new one is made");
                opener.set_log_aside()?;
            }
            Err(trouble) => return Err(refusal(opener, trouble)),
        }
    } else if !mark.clean && !accept_loss {
        return Err(OpenError::LogMissing { file: opener.log_name() });
    }
    let storage = opener.make_log()?;
    Log::create(&*storage, mark.store, opener.options().log_bytes).map_err(|source| log_io(opener, source))?;
    Ok((storage, None))
}

fn refusal(opener: &dyn Opener, trouble: Trouble) -> OpenError {
    let file = opener.log_name();
    let damaged = |found: &str| OpenError::LogDamaged { file: opener.log_name(), found: found.into() };
    match trouble {
        Trouble::Io(source) => OpenError::Io { file, source },
        Trouble::Nonsense => damaged("it does not begin as a log does"),
        Trouble::Foreign => damaged("it is another database's"),
        Trouble::Ahead => damaged("it is of a later time than the database beside it, which is an older copy"),
        Trouble::Behind => damaged("it is an older copy than the database was used with"),
        Trouble::Newer(found) => OpenError::Newer { file, found, known: log::FORMAT },
    }
}

/// Does again what was in the log, and lets the log begin again, all in one durable transaction: no record of it can
/// come back after what follows. Answers the new mark, and the number of the last transaction.
fn redo(database: &Database, mark: &Mark, scanned: Option<Scanned>) -> Result<(Mark, i64), Fault> {
    let mut transaction = database.begin_write()?;
    let mut tables = Writable::open(&transaction)?;
    if let Some(scanned) = &scanned {
        for payload in scanned.payloads() {
            for_each_step(payload, |step| tables.put(step.kind, step.key, step.value).map(drop))?;
        }
        if scanned.len() > 0 {
            tracing::info!(transactions = scanned.len(), "transactions of the metadata log have been done again");
        }
    }
    let transactions = tables.count(dittofs_domain::ShareId(0), Count::Transactions)?;
    drop(tables);
    let mark = mark.next(transactions.cast_unsigned(), false);
    stamp(&transaction)?;
    mark.write(&transaction)?;
    transaction.set_quick_repair(true);
    transaction.commit()?;
    Ok((mark, transactions))
}

fn random() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u128::from_le_bytes(bytes))
}

fn log_io(opener: &dyn Opener, source: io::Error) -> OpenError {
    OpenError::Io { file: opener.log_name(), source }
}

fn snapshot(database: &Database) -> Result<Snapshot, Fault> {
    Snapshot::open(&database.begin_read()?)
}

/// The number of the last transaction that is in the database itself. An older format may lack tables yet.
fn transactions(database: &Database) -> Result<i64, Fault> {
    Snapshot::count_of_store(&database.begin_read()?, Count::Transactions)
}

#[cfg(test)]
pub(crate) mod tests;

//! A database on other storage than files.

use std::io;

use redb::{Builder, Database, ReadableDatabase, StorageBackend};

use super::{
    OpenError, Opener,
    format::{identify, initialize},
};
use crate::options::RedbOptions;

const NAME: &str = "the database";
const NAME_LOG: &str = "the database's log";

/// Which of the two storages is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The database.
    Database,
    /// The log before it.
    Log,
}

/// Opens what `make` gives.
pub(crate) struct BackendOpener<F> {
    options: RedbOptions,
    make: F,
}

impl<F> BackendOpener<F> {
    pub(crate) fn new(options: RedbOptions, make: F) -> BackendOpener<F> {
        BackendOpener { options, make }
    }
}

impl<B: StorageBackend, F: Fn(Part) -> io::Result<B> + Send> Opener for BackendOpener<F> {
    fn name(&self) -> String {
        NAME.into()
    }

    fn open(&self, again: bool) -> Result<Database, OpenError> {
        let backend = (self.make)(Part::Database).map_err(|source| OpenError::Io { file: NAME.into(), source })?;
        let checks = again || self.options.accept_loss;
        let mut builder = Builder::new();
        builder.set_cache_size(self.options.cache_bytes).set_check_integrity_on_open(checks);
        let database = builder.create_with_backend(backend).map_err(|error| OpenError::of(NAME, error))?;
        if is_bare(&database) {
            initialize(&database).map_err(|fault| self.refused(&fault))?;
        }
        identify(&database, NAME)?;
        Ok(database)
    }

    fn options(&self) -> &RedbOptions {
        &self.options
    }

    fn log_name(&self) -> String {
        NAME_LOG.into()
    }

    fn log(&self, _again: bool) -> Result<Option<Box<dyn StorageBackend>>, OpenError> {
        let error = |source| OpenError::Io { file: NAME_LOG.into(), source };
        let log = (self.make)(Part::Log).map_err(error)?;
        Ok(if log.len().map_err(error)? > 0 { Some(Box::new(log)) } else { None })
    }

    fn set_log_aside(&self) -> Result<(), OpenError> {
        Ok(())
    }

    fn make_log(&self) -> Result<Box<dyn StorageBackend>, OpenError> {
        let error = |source| OpenError::Io { file: NAME_LOG.into(), source };
        let log = (self.make)(Part::Log).map_err(error)?;
        log.set_len(0).map_err(error)?;
        Ok(Box::new(log))
    }
}

/// Whether it has no tables: it is new, or a crash came before they were made.
fn is_bare(database: &Database) -> bool {
    let transaction = database.begin_read().ok();
    let tables = transaction.as_ref().and_then(|transaction| transaction.list_tables().ok());
    tables.is_some_and(|mut tables| tables.next().is_none())
}

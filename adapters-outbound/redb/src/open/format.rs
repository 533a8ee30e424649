//! Whose database it is, and in which format: a record of its own, made together with all tables.

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use super::OpenError;
use crate::{
    fault::Fault,
    tables::{Definition, Snapshot, Writable},
};

/// The format that this release writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 3;
/// The oldest format that is read. It had no log.
const FORMAT_FIRST: u32 = 1;
const MAGIC: &[u8] = b"dittofs metadata";
pub(crate) const TABLE: Definition<'_> = TableDefinition::new("dittofs");
const KEY: &[u8] = b"format";

/// Makes the tables of a new database.
pub(super) fn initialize(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    stamp(&transaction)?;
    drop(Writable::open(&transaction)?);
    Ok(transaction.commit()?)
}

/// Notes the format, which is this release's from now on.
pub(crate) fn stamp(transaction: &WriteTransaction) -> Result<(), Fault> {
    let value = [MAGIC, &FORMAT.to_le_bytes()].concat();
    transaction.open_table(TABLE)?.insert(KEY, value.as_slice())?;
    Ok(())
}

/// Checks whose database it is.
pub(super) fn identify(database: &impl ReadableDatabase, file: &str) -> Result<(), OpenError> {
    let foreign = |found: &str| OpenError::Foreign { file: file.to_owned(), found: found.to_owned() };
    let damaged = |found: String| OpenError::Damaged { file: file.to_owned(), found };
    let transaction = database.begin_read().map_err(|error| damaged(error.to_string()))?;
    let table = match transaction.open_table(TABLE) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(damaged(error.to_string())),
        Err(_) => return Err(foreign("a redb database that another program made")),
    };
    let value = table.get(KEY).map_err(|error| damaged(error.to_string()))?;
    let value = value.ok_or_else(|| damaged("the record of its format is missing".into()))?;
    let format = value.value().strip_prefix(MAGIC).and_then(|rest| Some(u32::from_le_bytes(rest.try_into().ok()?)));
    match format {
        Some(FORMAT_FIRST..=FORMAT) => {}
        Some(found) if found > FORMAT => {
            return Err(OpenError::Newer { file: file.to_owned(), found, known: FORMAT });
        }
        Some(found) => return Err(damaged(format!("its format is {found}, which never was"))),
        None => return Err(foreign("a redb database with another mark than this program's")),
    }
    Snapshot::open(&transaction).map(drop).map_err(|fault| damaged(fault.to_string()))
}

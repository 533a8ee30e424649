//! Whose database it is, and in which format: a record of its own, made together with all tables.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::OpenError;
use crate::{
    fault::Fault,
    tables::{
        Definition, KINDS_OF_FORMAT_2, KINDS_OF_FORMAT_4, KINDS_OF_FORMAT_5, KINDS_OF_FORMAT_6, Kind, Snapshot,
        Writable,
    },
};

/// The format that this release writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 7;
/// The oldest format that is read. It had no log. Format 2 did not keep operations. Keys of references have said until
/// when since format 4. Users are kept since format 5, there is an index of folded names since format 6, and extended
/// attributes are kept since format 7.
const FORMAT_FIRST: u32 = 1;
const MAGIC: &[u8] = b"dittofs metadata";
pub(crate) const TABLE: Definition<'_> = TableDefinition::new("dittofs");
const KEY: &[u8] = b"format";
/// Keys of references of an earlier format may still be in the tables; a record of its own.
const KEY_UPGRADING: &[u8] = b"references to upgrade";
/// The last format with such keys.
const SHORT_REFERENCES_LAST: u32 = 3;
/// Entries from before the index of folded names may not be in it; a record of its own.
const KEY_FOLDING: &[u8] = b"names to fold";
/// The last format without the index.
const UNFOLDED_LAST: u32 = 5;

/// Makes the tables of a new database.
pub(super) fn initialize(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    stamp(&transaction)?;
    drop(Writable::open(&transaction)?);
    Ok(transaction.commit()?)
}

/// Notes the format, which is this release's from now on, and what is still to be upgraded of an earlier one.
pub(crate) fn stamp(transaction: &WriteTransaction) -> Result<(), Fault> {
    let value = [MAGIC, &FORMAT.to_le_bytes()].concat();
    let mut table = transaction.open_table(TABLE)?;
    let before = table.insert(KEY, value.as_slice())?.and_then(|before| number(before.value()));
    if before.is_some_and(|before| before <= SHORT_REFERENCES_LAST) {
        table.insert(KEY_UPGRADING, [].as_slice())?;
    }
    if before.is_some_and(|before| before <= UNFOLDED_LAST) {
        table.insert(KEY_FOLDING, [].as_slice())?;
    }
    Ok(())
}

/// Whether keys of references of an earlier format may still be there.
pub(crate) fn is_upgrading(transaction: &WriteTransaction) -> Result<bool, Fault> {
    Ok(transaction.open_table(TABLE)?.get(KEY_UPGRADING)?.is_some())
}

/// Notes that none are left.
pub(crate) fn end_upgrade(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(TABLE)?.remove(KEY_UPGRADING)?;
    Ok(())
}

/// Whether entries may be missing in the index of folded names.
pub(crate) fn is_folding(transaction: &WriteTransaction) -> Result<bool, Fault> {
    Ok(transaction.open_table(TABLE)?.get(KEY_FOLDING)?.is_some())
}

/// Notes that none are.
pub(crate) fn end_folding(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(TABLE)?.remove(KEY_FOLDING)?;
    Ok(())
}

/// The format in its record; none in one that another program made.
fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(value.strip_prefix(MAGIC)?.try_into().ok()?))
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
    let kinds = match number(value.value()) {
        Some(FORMAT_FIRST..=2) => KINDS_OF_FORMAT_2,
        Some(3..=4) => KINDS_OF_FORMAT_4,
        Some(5..=UNFOLDED_LAST) => KINDS_OF_FORMAT_5,
        Some(6) => KINDS_OF_FORMAT_6,
        Some(FORMAT) => Kind::COUNT,
        Some(found) if found > FORMAT => {
            return Err(OpenError::Newer { file: file.to_owned(), found, known: FORMAT });
        }
        Some(found) => return Err(damaged(format!("its format is {found}, which never was"))),
        None => return Err(foreign("a redb database with another mark than this program's")),
    };
    Snapshot::probe(&transaction, kinds).map_err(|fault| damaged(fault.to_string()))
}

//! The database's record of its log, in the same transactions as everything else.

use redb::{ReadableDatabase, WriteTransaction};

use crate::{
    bugs::{self, Bug},
    codec::Reader,
    fault::Fault,
    open::TABLE,
};

const KEY: &[u8] = b"log";
/// A record of its own, which earlier releases leave alone.
const KEY_STAMPED: &[u8] = b"log stamped";

/// The contents that the log must have, beyond those of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The store's id: 128 random bits, in the head of its log as well.
    pub(crate) store: u128,
    /// Which filling of the log: records of another one are not looked at.
    pub(crate) generation: u64,
    /// The number before the log's first record.
    pub(crate) base: u64,
    /// Whether nothing is in the log.
    pub(crate) clean: bool,
    /// The generation of the last opening that is known to have stamped the log.
    pub(crate) stamped: u64,
}

impl Mark {
    /// None in a database that has never had a log.
    pub(crate) fn read(database: &impl ReadableDatabase) -> Result<Option<Mark>, Fault> {
        let transaction = database.begin_read()?;
        let found = transaction.open_table(TABLE)?.get(KEY)?;
        let Some(mut mark) = found.map(|value| decode(value.value())).transpose()? else { return Ok(None) };
        let stamped = transaction.open_table(TABLE)?.get(KEY_STAMPED)?;
        mark.stamped = stamped.and_then(|value| Some(u64::from_le_bytes(value.value().try_into().ok()?))).unwrap_or(0);
        Ok(Some(mark))
    }

    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        let mut value = self.store.to_le_bytes().to_vec();
        value.extend_from_slice(&self.generation.to_le_bytes());
        value.extend_from_slice(&self.base.to_le_bytes());
        value.push(self.clean.into());
        let mut table = transaction.open_table(TABLE)?;
        table.insert(KEY, value.as_slice())?;
        table.insert(KEY_STAMPED, self.stamped.to_le_bytes().as_slice())?;
        Ok(())
    }

    /// The mark for a log that begins again, with nothing in it.
    pub(crate) fn next(&self, base: u64, clean: bool) -> Mark {
        let generation = if bugs::has(Bug::GenerationKept) { self.generation } else { self.generation + 1 };
        Mark { generation, base, clean, ..*self }
    }
}

fn decode(bytes: &[u8]) -> Result<Mark, Fault> {
    let mut reader = Reader::new(bytes);
    let mut read = || {
        Some(Mark {
            store: reader.u128()?,
            generation: reader.u64()?,
            base: reader.u64()?,
            clean: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
            stamped: 0,
        })
    };
    let mark = read().filter(|_| reader.is_at_end());
    mark.ok_or_else(|| Fault::damaged("what the database says of its log makes no sense"))
}

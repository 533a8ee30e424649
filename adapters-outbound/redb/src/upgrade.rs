//! A database of an earlier format becomes one of this format: in steps of bounded size, each durable by itself. One that
//! was stopped in between is taken up again at the next opening.
//!
//! Values carry versions of their own, and old ones are read where they are met: only keys must change at once.

mod names;

pub(crate) use names::fold_names;

use redb::{Database, WriteTransaction};
use smallvec::SmallVec;

use crate::{
    fault::Fault,
    keys::{KEY_LEN_MAX, Key, REFERENCE_LEN_OF_FORMAT_3, reference_upgraded},
    open::{end_upgrade, is_upgrading},
    options::Progress,
    tables::{Kind, Writable},
};

/// Keys that one step changes: some 2 MiB of a transaction, and a fraction of a second.
const STEP_KEYS: usize = 16_384;

/// Gives all references of an earlier format the keys of this one.
pub(crate) fn upgrade(database: &Database, progress: &Progress) -> Result<(), Fault> {
    let mut next = Some(Key::new());
    let mut upgraded = 0;
    while let Some(from) = next {
        let mut transaction = database.begin_write()?;
        if !is_upgrading(&transaction)? {
            return Ok(transaction.abort()?);
        }
        let (all, keys) = step(&transaction, from)?;
        if upgraded == 0 {
            tracing::info!(references = all, "the metadata database is upgraded; it may be stopped, and goes on then");
        }
        upgraded += keys.len() as u64;
        next = keys.into_iter().last();
        if next.is_none() {
            end_upgrade(&transaction)?;
        }
        transaction.set_quick_repair(true);
        transaction.commit()?;
        progress.report(upgraded, all);
    }
    tracing::info!(references = upgraded, "the metadata database has been upgraded");
    Ok(())
}

/// Upgrades the first keys from one on. Answers how many references there are, and which of them had old keys.
fn step(transaction: &WriteTransaction, from: Key) -> Result<(u64, Vec<Key>), Fault> {
    let mut tables = Writable::open(transaction)?;
    let all = tables.len(Kind::Reference)?;
    let mut old: Vec<Key> = Vec::new();
    tables.scan(Kind::Reference, from..=SmallVec::from_elem(u8::MAX, KEY_LEN_MAX), |key, _| {
        if key.len() == REFERENCE_LEN_OF_FORMAT_3 {
            old.push(Key::from_slice(key));
        }
        Ok(old.len() < STEP_KEYS)
    })?;
    for key in &old {
        tables.put(Kind::Reference, key, None)?;
        tables.put(Kind::Reference, &reference_upgraded(key), Some(&[]))?;
    }
    Ok((all, old))
}

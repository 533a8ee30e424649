//! Entries from before the index of folded names come into it.

use dittofs_domain::{FoldTable, ShareId};
use dittofs_ports::ShareRecord;
use redb::{Database, WriteTransaction};
use smallvec::SmallVec;

use crate::{
    codec,
    fault::Fault,
    folded::fold_entry,
    keys::{self, KEY_LEN_MAX, Key},
    open::{end_folding, is_folding},
    options::Progress,
    tables::{Kind, Writable},
};

/// Entries that one step reads. If all their names have capital letters, it writes some 2 MiB.
const STEP_ENTRIES: usize = 16_384;

/// Puts all entries into the index of folded names, and then notes in all shares by which table. An opening that was
/// stopped begins again: a row is put twice as well as once.
pub(crate) fn fold_names(database: &Database, progress: &Progress) -> Result<(), Fault> {
    let (mut next, mut done) = (Key::new(), 0);
    loop {
        let mut transaction = database.begin_write()?;
        if !is_folding(&transaction)? {
            return Ok(transaction.abort()?);
        }
        let Step { all, entries, folded, last } = step(&transaction, next)?;
        if done == 0 {
            tracing::info!(entries = all, "names are prepared for clients that ignore case; this may be stopped");
        }
        done += entries;
        if last.is_none() {
            note_tables(&transaction)?;
            end_folding(&transaction)?;
        }
        if folded > 0 || last.is_none() {
            transaction.set_quick_repair(true);
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        progress.report(done, all);
        match last {
            Some(last) => next = last,
            None => break,
        }
    }
    tracing::info!(entries = done, "names have been prepared for clients that ignore case");
    Ok(())
}

/// What one step did.
struct Step {
    /// Entries of the database.
    all: u64,
    /// Those that it read.
    entries: u64,
    /// Those of which it put a row into the index.
    folded: u64,
    /// Where the next step begins; none if there are no more.
    last: Option<Key>,
}

fn step(transaction: &WriteTransaction, from: Key) -> Result<Step, Fault> {
    let mut tables = Writable::open(transaction)?;
    let all = tables.len(Kind::Entry)?;
    let (mut entries, mut last) = (0, None);
    let mut unfolded: Vec<(Key, Vec<u8>)> = Vec::new();
    tables.scan(Kind::Entry, from..=SmallVec::from_elem(u8::MAX, KEY_LEN_MAX), |key, value| {
        entries += 1;
        if keys::entry_of(key).is_some_and(|entry| !entry.name.is_plain()) {
            unfolded.push((Key::from_slice(key), value.to_vec()));
        }
        if entries < STEP_ENTRIES as u64 {
            return Ok(true);
        }
        let mut next = Key::from_slice(key);
        next.push(0);
        last = Some(next);
        Ok(false)
    })?;
    let mut folded = 0;
    for (key, value) in &unfolded {
        let share = ShareId(keys::number_at(key, 0).unwrap_or_default());
        folded += u64::from(fold_entry(&mut tables, share, FoldTable::NEWEST, key, value)?);
    }
    Ok(Step { all, entries, folded, last })
}

/// A row that makes no sense is met again where the share is opened.
fn note_tables(transaction: &WriteTransaction) -> Result<(), Fault> {
    let mut tables = Writable::open(transaction)?;
    let mut shares: Vec<ShareRecord> = Vec::new();
    tables.scan(Kind::Share, keys::share(ShareId(0))..=keys::share(ShareId(u64::MAX)), |key, value| {
        let id = keys::number_at(key, 0).map(ShareId);
        shares.extend(id.and_then(|id| codec::decode_share(id, value).ok()));
        Ok(true)
    })?;
    for share in shares {
        let share = ShareRecord { folding: Some(FoldTable::NEWEST), ..share };
        tables.put(Kind::Share, &keys::share(share.id), Some(&codec::encode_share(&share)))?;
    }
    Ok(())
}

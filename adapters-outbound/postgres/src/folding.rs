//! The index of folded names of a share that was made before there was one, or that a server of the release before
//! has used since: it is made whole before anybody gets the share.

use std::sync::Arc;

use dittofs_domain::{FoldTable, Name};
use sqlx::postgres::PgRow;

use crate::{
    claims::Claim,
    connections::{Connections, Statement},
    fault::Fault,
    node::Columns,
    numbers::signed,
    statements,
};

/// Entries that are read at once, and written at once if all of them have capital letters: some hundred kilobytes.
const ENTRIES: i64 = 4_096;

/// An entry whose folded name is to be written.
struct Entry {
    directory: i64,
    space: i16,
    name: Vec<u8>,
}

impl Entry {
    fn read(row: &PgRow) -> Result<Entry, Fault> {
        let mut columns = Columns::new(row, 0);
        Ok(Entry { directory: columns.take()?, space: columns.take()?, name: columns.take()? })
    }

    fn folded(&self, table: FoldTable) -> Option<Vec<u8>> {
        let name = Name::new(&self.name).ok()?;
        table.fold(&name).map(|folded| folded.as_bytes().to_vec())
    }
}

/// Sees that all entries have their folded names. What was stopped half-way begins again: the share's row says last
/// that it is done.
pub(crate) async fn complete(connections: &Arc<Connections>, claim: &Claim) -> Result<(), Fault> {
    let share = signed(claim.share.0);
    let rows = connections.read(&Statement::new(statements::FOLDING).with(share)).await?;
    let (number, is_unfolded) = match rows.first() {
        Some(row) => {
            let mut columns = Columns::new(row, 0);
            let (number, is_unfolded): (Option<i16>, Option<bool>) = (columns.take()?, columns.take()?);
            (number, is_unfolded.unwrap_or_default())
        }
        None => return Ok(()),
    };
    let table = match number {
        Some(number) => u8::try_from(number).ok().and_then(FoldTable::of).ok_or_else(|| unknown(claim, number))?,
        None => FoldTable::NEWEST,
    };
    if is_unfolded {
        fold_unfolded(connections, claim, table).await?;
    }
    if number.is_none() {
        fold_all(connections, claim, table).await?;
        let done = Statement::new(statements::PUT_FOLDING).with(share).with(i16::from(table.number()));
        claim.note(connections.write(claim.proof(done)).await)?;
    }
    claim.fold_by(table);
    Ok(())
}

fn unknown(claim: &Claim, number: i16) -> Fault {
    Fault::damaged(format!("share {} folds names by table {number}, which only a newer release knows", claim.share))
}

/// Those that a server of the release before has made.
async fn fold_unfolded(connections: &Arc<Connections>, claim: &Claim, table: FoldTable) -> Result<(), Fault> {
    let some = Statement::new(statements::ENTRIES_UNFOLDED).with(signed(claim.share.0)).with(ENTRIES);
    loop {
        let rows = connections.read(&some).await?;
        let entries = rows.iter().map(Entry::read).collect::<Result<Vec<Entry>, Fault>>()?;
        if entries.is_empty() {
            return Ok(());
        }
        write(connections, claim, table, entries.iter()).await?;
    }
}

async fn fold_all(connections: &Arc<Connections>, claim: &Claim, table: FoldTable) -> Result<(), Fault> {
    let mut last = Entry { directory: i64::MIN, space: i16::MIN, name: Vec::new() };
    let mut done = 0;
    loop {
        let Entry { directory, space, name } = last;
        let after = Statement::new(statements::ENTRIES_AFTER).with(signed(claim.share.0));
        let rows = connections.read(&after.with(directory).with(space).with(name).with(ENTRIES)).await?;
        let mut entries = rows.iter().map(Entry::read).collect::<Result<Vec<Entry>, Fault>>()?;
        write(connections, claim, table, entries.iter().filter(|entry| entry.folded(table).is_some())).await?;
        done += entries.len();
        match entries.pop() {
            Some(entry) => last = entry,
            None => break,
        }
    }
    if done > 0 {
        tracing::info!(share = %claim.share, entries = done, "names have been prepared for clients that ignore case");
    }
    Ok(())
}

async fn write(
    connections: &Arc<Connections>,
    claim: &Claim,
    table: FoldTable,
    entries: impl Iterator<Item = &Entry> + Clone,
) -> Result<(), Fault> {
    let directories: Vec<i64> = entries.clone().map(|entry| entry.directory).collect();
    if directories.is_empty() {
        return Ok(());
    }
    let folding = Statement::new(statements::FOLD_ENTRIES)
        .with(signed(claim.share.0))
        .with(directories)
        .with(entries.clone().map(|entry| entry.space).collect::<Vec<i16>>())
        .with(entries.clone().map(|entry| entry.name.clone()).collect::<Vec<Vec<u8>>>())
        .with(entries.map(|entry| entry.folded(table)).collect::<Vec<Option<Vec<u8>>>>());
    claim.note(connections.write(claim.proof(folding)).await).map(drop)
}

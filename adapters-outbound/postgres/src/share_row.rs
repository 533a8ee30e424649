//! Rows of shares.

use dittofs_domain::{
    Epoch, FoldTable, HandleKey, KeyId, Scale, ShareId, Timestamp,
    backup::{BackupId, BackupRecord, Backups},
    ownership::{Lineage, Part, Start},
};
use dittofs_ports::{KeysInUse, ShareRecord};
use sqlx::postgres::PgRow;

use crate::{
    connections::Statement,
    fault::Fault,
    node::Columns,
    numbers::{signed, unsigned},
};

/// The columns of a share, as they are written and selected.
pub(crate) const COLUMNS: [&str; 16] = [
    "id",
    "journal_incarnation",
    "is_dirty",
    "counts_names",
    "keys_are_all",
    "name",
    "handle_key",
    "content_owner",
    "journal",
    "scale",
    "keys",
    "lineage_given",
    "lineage_journal",
    "lineage_content",
    "backups",
    FOLDING,
];

/// Once it is set it stays: the index of folded names rests on it.
pub(crate) const FOLDING: &str = "folding";

/// Adds the columns of a share as arguments.
pub(crate) fn with_columns(statement: Statement, record: &ShareRecord) -> Statement {
    let keys: Vec<i64> = record.keys.in_use.iter().map(|key| signed(key.0)).collect();
    let given: Vec<i64> = record.lineage.given().iter().copied().flat_map(start_column).collect();
    let noted = |part| record.lineage.noted(part).map(|start| start_column(start).to_vec());
    let backups: Vec<i64> = record.backups.iter().flat_map(|(id, backup)| backup_column(*id, backup)).collect();
    statement
        .with(signed(record.id.0))
        .with(signed(record.journal_incarnation))
        .with(record.dirty)
        .with(record.counts_names)
        .with(record.keys.are_all)
        .with(record.name.clone())
        .with(record.handle_key.0.to_vec())
        .with(record.content_owner.to_be_bytes().to_vec())
        .with(record.journal.to_be_bytes().to_vec())
        .with(scale_column(&record.scale).to_vec())
        .with(keys)
        .with(given)
        .with(noted(Part::Journal))
        .with(noted(Part::Content))
        .with(backups)
        .with(record.folding.map(|table| i16::from(table.number())))
}

/// Reads the share of a row.
pub(crate) fn read(row: &PgRow) -> Result<ShareRecord, Fault> {
    let mut columns = Columns::new(row, 0);
    let id = ShareId(unsigned(columns.take()?));
    let journal_incarnation = unsigned(columns.take()?);
    let (dirty, counts_names, are_all): (bool, bool, bool) = (columns.take()?, columns.take()?, columns.take()?);
    let name: String = columns.take()?;
    let (handle_key, owner, journal): (Vec<u8>, Vec<u8>, Vec<u8>) = (columns.take()?, columns.take()?, columns.take()?);
    let (scale, keys, given): (Vec<i64>, Vec<i64>, Vec<i64>) = (columns.take()?, columns.take()?, columns.take()?);
    let (in_journal, in_content): (Option<Vec<i64>>, Option<Vec<i64>>) = (columns.take()?, columns.take()?);
    let backups: Vec<i64> = columns.take()?;
    let folding: Option<i16> = columns.take()?;
    let make = || {
        Some(ShareRecord {
            id,
            handle_key: HandleKey(handle_key.try_into().ok()?),
            content_owner: u128::from_be_bytes(owner.try_into().ok()?),
            journal: u128::from_be_bytes(journal.try_into().ok()?),
            journal_incarnation,
            dirty,
            scale: scale_of(&scale)?,
            counts_names,
            keys: KeysInUse { in_use: keys.iter().map(|key| key_of(*key)).collect::<Option<_>>()?, are_all },
            lineage: Lineage::new(starts_of(&given)?, noted_of(in_journal)?, noted_of(in_content)?),
            backups: backups_of(&backups)?,
            folding: folding_of(folding)?,
            name: name.clone(),
        })
    };
    make().ok_or_else(|| Fault::damaged(format!("the row of share {name} makes no sense")))
}

fn scale_column(scale: &Scale) -> [i64; 9] {
    [
        scale.page_bytes.into(),
        scale.region_bytes.into(),
        signed(scale.chunk_bytes),
        signed(scale.object_bytes),
        scale.object_blocks.into(),
        scale.page_extents.into(),
        scale.plan_steps.into(),
        scale.plan_rows.into(),
        signed(scale.segment_bytes),
    ]
}

fn scale_of(column: &[i64]) -> Option<Scale> {
    let [page, region, chunk, object, blocks, extents, steps, rows, segment] = *<&[i64; 9]>::try_from(column).ok()?;
    let scale = Scale {
        page_bytes: page.try_into().ok()?,
        region_bytes: region.try_into().ok()?,
        chunk_bytes: unsigned(chunk),
        object_bytes: unsigned(object),
        object_blocks: blocks.try_into().ok()?,
        page_extents: extents.try_into().ok()?,
        plan_steps: steps.try_into().ok()?,
        plan_rows: rows.try_into().ok()?,
        segment_bytes: unsigned(segment),
    };
    scale.is_valid().then_some(scale)
}

fn key_of(column: i64) -> Option<KeyId> {
    Some(KeyId(unsigned(column))).filter(|key| key.is_possible() && !key.is_none())
}

fn start_column(start: Start) -> [i64; 2] {
    [signed(start.epoch.0), signed(start.nonce)]
}

fn starts_of(column: &[i64]) -> Option<Vec<Start>> {
    let (starts, rest) = column.as_chunks::<2>();
    let start = |[epoch, nonce]: &[i64; 2]| Start { epoch: Epoch(unsigned(*epoch)), nonce: unsigned(*nonce) };
    rest.is_empty().then(|| starts.iter().map(start).collect())
}

/// None where there is not one start.
fn noted_of(column: Option<Vec<i64>>) -> Option<Option<Start>> {
    let Some(column) = column else { return Some(None) };
    match starts_of(&column)?.as_slice() {
        [start] => Some(Some(*start)),
        _ => None,
    }
}

/// None for a table that only a newer program knows.
fn folding_of(column: Option<i16>) -> Option<Option<FoldTable>> {
    let Some(number) = column else { return Some(None) };
    u8::try_from(number).ok().and_then(FoldTable::of).map(Some)
}

fn backup_column(id: BackupId, backup: &BackupRecord) -> [i64; 6] {
    let BackupRecord { at, is_kept, objects, bytes } = *backup;
    [signed(id.number()), at.seconds(), at.nanos().into(), is_kept.into(), signed(objects), signed(bytes)]
}

fn backups_of(column: &[i64]) -> Option<Backups> {
    let (backups, rest) = column.as_chunks::<6>();
    let backup = |[id, seconds, nanos, is_kept, objects, bytes]: &[i64; 6]| {
        let at = Timestamp::new(*seconds, u32::try_from(*nanos).ok()?)?;
        let record = BackupRecord { at, is_kept: *is_kept != 0, objects: unsigned(*objects), bytes: unsigned(*bytes) };
        Some((BackupId::stored(unsigned(*id))?, record))
    };
    if !rest.is_empty() {
        return None;
    }
    backups.iter().map(backup).collect()
}

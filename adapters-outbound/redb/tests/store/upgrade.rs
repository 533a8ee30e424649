//! A database of the format before becomes one of this format, however often it is stopped in between.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    ContentVersion, Cookie, FoldTable, NodeId, ObjectId,
    content::MapRow,
    plan::{Change, Plan, Query, Reference},
    users::MachineId,
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::{Counter, MetadataStore};
use dittofs_redb::{Part, RedbMetadataStore, RedbOptions};
use redb::{Builder, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use crate::{
    disk::{Dice, Disk, Faults},
    fixture::{SHARE, creation, dump, fill, key, open_share},
};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;
const ABOUT: Table = TableDefinition::new("dittofs");
const USER: Table = TableDefinition::new("user");
const REFERENCE: Table = TableDefinition::new("reference");
const FOLDED: Table = TableDefinition::new("folded");
const XATTRS: Table = TableDefinition::new("xattrs");
const SHARES: Table = TableDefinition::new("share");
const UNTIL_LEN: usize = 4;
/// Numbers of tables in rows of a backup.
const ENTRY_TABLE: u8 = 3;
const ROW_TABLE: u8 = 5;
const REFERENCE_TABLE: u8 = 9;

/// More than two steps of an upgrade take.
const REFERENCES: u64 = 40_000;
const REFERENCES_PER_PLAN: u64 = 4_000;

fn open(disk: &Disk) -> Result<RedbMetadataStore, String> {
    let disk = disk.clone();
    RedbMetadataStore::open_on(&RedbOptions::new(""), move |part| disk.open(part)).map_err(|error| error.to_string())
}

fn format(number: u32) -> Vec<u8> {
    [b"dittofs metadata".as_slice(), &number.to_le_bytes()].concat()
}

/// Gives all references the keys that they had in format 3, and the file its number.
fn downgrade(disk: &Disk) {
    let database = Builder::new().create_with_backend(disk.open(Part::Database).unwrap()).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut references = transaction.open_table(REFERENCE).unwrap();
        let keys: Vec<Vec<u8>> = references.iter().unwrap().map(|pair| pair.unwrap().0.value().to_vec()).collect();
        for key in keys {
            references.remove(key.as_slice()).unwrap();
            references.insert(&key[..key.len() - UNTIL_LEN], [].as_slice()).unwrap();
        }
        let mut about = transaction.open_table(ABOUT).unwrap();
        about.insert(b"format".as_slice(), format(3).as_slice()).unwrap();
    }
    unfold(&transaction);
    transaction.commit().unwrap();
}

/// Takes the index of folded names away, and the note of its table in the shares' rows, where it comes last.
fn unfold(transaction: &WriteTransaction) {
    assert!(transaction.delete_table(FOLDED).unwrap());
    let mut shares = transaction.open_table(SHARES).unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = shares
        .iter()
        .unwrap()
        .map(|pair| pair.unwrap())
        .map(|(key, row)| (key.value().into(), row.value().into()))
        .collect();
    for (key, row) in rows {
        let row = row.strip_suffix(&[6, 1, 0, 1]).unwrap();
        shares.insert(key.as_slice(), row).unwrap();
    }
}

/// A database of format 3 with many references, and all that it holds.
async fn of_format_3(seed: u64) -> (Disk, String) {
    let disk = Disk::new(seed);
    let store = open(&disk).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    for first in (0..REFERENCES).step_by(REFERENCES_PER_PLAN as usize) {
        let mut plan = Plan::at(creation("x", 9).now);
        for chunk in first..first + REFERENCES_PER_PLAN {
            plan.change(Change::InsertReference(Reference::live(ObjectId(chunk.into()), NodeId(4), chunk)));
        }
        share.apply(plan, None).await.unwrap();
    }
    let before = dump(&store).await;
    drop((share, store));
    downgrade(&disk);
    (disk, before)
}

/// The lengths of references' keys that are there, and what the file says of its format.
fn lengths(disk: &Disk) -> (Vec<usize>, Vec<u8>) {
    let database = Builder::new().create_with_backend(disk.open(Part::Database).unwrap()).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    let references = transaction.open_table(REFERENCE).unwrap();
    let mut lengths: Vec<usize> = references.iter().unwrap().map(|pair| pair.unwrap().0.value().len()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let about = transaction.open_table(ABOUT).unwrap();
    let format = about.get(b"format".as_slice()).unwrap().unwrap().value().to_vec();
    (lengths, format)
}

#[tokio::test]
async fn references_of_the_format_before_get_their_new_keys() {
    let (disk, before) = of_format_3(1).await;
    assert_eq!(lengths(&disk), (vec![40], format(3)));
    let store = open(&disk).unwrap();
    assert!(dump(&store).await == before, "something else is there after the upgrade");
    let share = open_share(&store).await;
    let mut plan = Plan::at(creation("x", 9).now);
    plan.change(Change::DeleteReference(Reference::live(ObjectId(7), NodeId(4), 7)));
    share.apply(plan, None).await.unwrap();
    assert!(share.references(ObjectId(7), 10).await.unwrap().is_empty());
    drop((share, store));
    assert_eq!(lengths(&disk), (vec![44], format(7)));
    assert!(open(&disk).is_ok());
}

#[tokio::test]
async fn an_upgrade_that_is_stopped_goes_on_at_the_next_opening() {
    let (whole, before) = of_format_3(2).await;
    let mut dice = Dice(3);
    let undisturbed = whole.after_power_cut(&mut dice);
    drop(open(&undisturbed).unwrap());
    let operations = undisturbed.operations();
    let (mut halfway, mut ended) = (0, 0);
    for cut in 0..16 {
        let mut disk = whole.after_power_cut(&mut dice);
        // Some upgrades are stopped several times.
        for _ in 0..=cut % 3 {
            disk.fail(Faults { power_ends_at: Some(dice.below(operations)), ..Faults::default() });
            ended += u64::from(open(&disk).is_ok());
            disk = disk.after_power_cut(&mut dice);
            halfway += u64::from(lengths(&disk.after_power_cut(&mut dice)).0 == [40, 44]);
        }
        let store = open(&disk).unwrap();
        assert!(dump(&store).await == before, "cut {cut}: something else is there after the upgrade");
        drop(store);
        assert_eq!(lengths(&disk), (vec![44], format(7)), "cut {cut}");
    }
    assert!(halfway >= 4, "{halfway} of 16 were stopped between two steps, {ended} not at all");
}

/// More than two steps of an upgrade read.
const NAMES: u64 = 40_000;
const NAMES_PER_PLAN: u64 = 1_000;

/// A database of format 4 with many names that fold to others, and all that it holds.
async fn of_format_4(seed: u64) -> (Disk, u64) {
    let disk = Disk::new(seed);
    let store = open(&disk).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let file = creation("file", 900_000);
    share.apply(file, None).await.unwrap();
    for first in (0..NAMES).step_by(NAMES_PER_PLAN as usize) {
        let mut plan = Plan::at(creation("x", 9).now);
        for number in first..first + NAMES_PER_PLAN {
            let cookie = Cookie(1_000_000 + number);
            plan.change(Change::InsertEntry { key: key(&format!("Name{number}")), node: NodeId(900_000), cookie });
        }
        share.apply(plan, None).await.unwrap();
    }
    drop((share, store));
    let folded = rows_of_index(&disk);
    let database = Builder::new().create_with_backend(disk.open(Part::Database).unwrap()).unwrap();
    let transaction = database.begin_write().unwrap();
    unfold(&transaction);
    transaction.open_table(ABOUT).unwrap().insert(b"format".as_slice(), format(4).as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    (disk, folded)
}

/// How many rows the index of folded names has.
fn rows_of_index(disk: &Disk) -> u64 {
    let database = Builder::new().create_with_backend(disk.open(Part::Database).unwrap()).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    transaction.open_table(FOLDED).map_or(0, |table| table.len().unwrap())
}

#[tokio::test]
async fn names_of_the_format_before_come_into_the_index_however_often_that_is_stopped() {
    let (whole, folded) = of_format_4(5).await;
    assert!(folded > NAMES && rows_of_index(&whole) == 0);
    let mut dice = Dice(6);
    let undisturbed = whole.after_power_cut(&mut dice);
    drop(open(&undisturbed).unwrap());
    let operations = undisturbed.operations();
    let mut halfway = 0;
    for cut in 0..8 {
        let mut disk = whole.after_power_cut(&mut dice);
        for _ in 0..=cut % 2 {
            disk.fail(Faults { power_ends_at: Some(dice.below(operations)), ..Faults::default() });
            drop(open(&disk));
            disk = disk.after_power_cut(&mut dice);
            halfway += u64::from((1..folded).contains(&rows_of_index(&disk.after_power_cut(&mut dice))));
        }
        let store = open(&disk).unwrap();
        let share = store.share(SHARE).await.unwrap().unwrap();
        assert_eq!(share.record().await.unwrap().folding, Some(FoldTable::NEWEST));
        for number in [0, 16_384, NAMES - 1] {
            let query = Query::child(NodeId::ROOT, key(&format!("NAME{number}"))).in_any_case();
            assert_eq!(share.view(&query).await.unwrap().folded[0].entries.len(), 1, "cut {cut}: {number}");
        }
        drop((share, store));
        assert_eq!(rows_of_index(&disk), folded, "cut {cut}");
    }
    assert!(halfway >= 1, "none was stopped between two steps");
}

/// A store of this release over a database that was of an earlier format, without a table: all else is as it was.
async fn upgraded(disk: &Disk, number: u32, without: Table) -> RedbMetadataStore {
    let store = open(disk).unwrap();
    fill(&*open_share(&store).await).await;
    let before = dump(&store).await;
    drop(store);
    let database = Builder::new().create_with_backend(disk.open(Part::Database).unwrap()).unwrap();
    let transaction = database.begin_write().unwrap();
    assert!(transaction.delete_table(without).unwrap());
    transaction.open_table(ABOUT).unwrap().insert(b"format".as_slice(), format(number).as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let store = open(disk).unwrap();
    assert!(dump(&store).await == before, "something else is there after the upgrade");
    store
}

#[tokio::test]
async fn a_database_of_format_6_gets_the_table_for_extended_attributes() {
    let disk = Disk::new(7);
    let store = upgraded(&disk, 6, XATTRS).await;
    let share = open_share(&store).await;
    assert_eq!(share.xattr_bytes(NodeId(0), 10).await.unwrap(), []);
    let name = XattrName::new(Bytes::from_static(b"n")).unwrap();
    let set = XattrChange::Set { name, value: Bytes::from_static(b"v"), how: SetHow::Either };
    let xattrs = Xattrs::initial(&[set]).unwrap().map(Arc::new);
    let mut plan = Plan::at(creation("x", 9).now);
    plan.change(Change::PutXattrs { node: NodeId::ROOT, xattrs: xattrs.clone() });
    share.apply(plan, None).await.unwrap();
    drop((share, store));
    assert_eq!(lengths(&disk).1, format(7));
    let store = open(&disk).unwrap();
    assert_eq!(open_share(&store).await.view(&Query::xattrs(NodeId::ROOT)).await.unwrap().xattrs, xattrs);
}

#[tokio::test]
async fn a_database_without_users_gets_the_table_for_them() {
    let disk = Disk::new(5);
    let store = upgraded(&disk, 4, USER).await;
    let machine = MachineId([1, 2, 3]);
    assert_eq!(store.users().machine(machine).await.unwrap(), machine);
    assert_eq!(store.users().users(None, 10).await.unwrap(), []);
    drop(store);
    assert_eq!(lengths(&disk).1, format(7));
    assert_eq!(open(&disk).unwrap().users().machine(MachineId([4, 5, 6])).await.unwrap(), machine);
}

#[tokio::test]
async fn rows_in_a_backup_of_the_format_before_are_restored() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("original"))).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let snapshot = share.snapshot().await.unwrap().unwrap();
    let mut rows = snapshot.rows(None, usize::MAX).await.unwrap();
    let references: Vec<_> = rows.iter_mut().filter(|row| row.table == REFERENCE_TABLE).collect();
    assert_eq!(references.len(), 1);
    references.into_iter().for_each(|row| row.key.truncate(row.key.len() - UNTIL_LEN));
    let record = share.record().await.unwrap();

    let restored = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("restored"))).unwrap();
    let refused = restored.restore_rows(SHARE, "redb 4".into(), rows.clone()).await;
    assert!(refused.is_err(), "keys of the format before are none of this one");
    restored.restore_rows(SHARE, "redb 3".into(), rows).await.unwrap();
    restored.restore_share(&record, 0).await.unwrap();
    assert_eq!(dump(&restored).await, dump(&store).await);
}

/// The tree of a row, at its place in the row's bytes.
fn since(value: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(value[at..at + 4].try_into().unwrap())
}

#[tokio::test]
async fn entries_and_rows_of_maps_say_in_which_tree_they_were_written_also_after_a_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for (name, number) in [("one", 100), ("two", 200), ("three", 300)] {
        let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
        let share = open_share(&store).await;
        let mut plan = creation(name, number);
        let holes = MapRow::Holes { version: ContentVersion(0), pages: 4 };
        plan.change(Change::PutRow { node: NodeId(number), page: 0, row: holes });
        share.apply(plan, None).await.unwrap();
        let ended = share.allocate(Counter::Trees, 1).await.unwrap();
        written.push(u32::try_from(ended.start).unwrap());
        let rows = share.snapshot().await.unwrap().unwrap().rows(None, usize::MAX).await.unwrap();
        let of = |table, at: fn(usize) -> usize| {
            let rows = rows.iter().filter(move |row| row.table == table);
            let mut trees: Vec<u32> = rows.map(|row| since(&row.value, at(row.value.len()))).collect();
            trees.sort_unstable();
            trees
        };
        assert_eq!(of(ENTRY_TABLE, |len| len - 4), written);
        assert_eq!(of(ROW_TABLE, |_| 2), written);
    }
    assert_eq!(written, [1, 2, 3]);
}

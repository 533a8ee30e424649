//! Snapshots of stores that can give them, and shares that come back from them.

use std::sync::Arc;

use dittofs_domain::{
    ContentVersion, Epoch, NodeId, NodeKind, ObjectId, PlaceId,
    backup::{BackupId, BackupRecord, PINS, pin},
    content::{Extent, MapRow},
    plan::{Change, ObjectRecord, ObjectState, Plan, Reference, UnlinkedReason},
};
use dittofs_ports::{Counter, MetadataError, MetadataStore, ShareRecord, ShareSnapshot, SnapshotRow};

use super::{Fixture, fixture::time, xattrs::xattrs};

/// How far numbers jump.
const AHEAD: u64 = 1 << 40;

fn object(number: u128, state: ObjectState) -> ObjectRecord {
    ObjectRecord {
        id: ObjectId(number << 90 | number),
        state,
        owner: Epoch(5),
        bytes: 100 + number as u64,
        place: PlaceId::HOME,
    }
}

/// A share with something in each table.
async fn filled(store: &Arc<dyn MetadataStore>) -> Fixture {
    let fixture = Fixture::new(store).await;
    let folder = fixture.add(NodeId::ROOT, "folder", NodeKind::Directory).await;
    for number in 0..30u64 {
        let file = fixture.add(folder, &format!("file{number}"), NodeKind::File).await;
        let extents = vec![Extent::Inline(vec![number as u8; 100].into()), Extent::Hole { len: (1 << 20) - 100 }];
        let row = MapRow::Page { version: ContentVersion(number), extents };
        fixture.change(Change::PutRow { node: file, page: number, row }).await;
        let record = object(u128::from(number) + 1, ObjectState::Live);
        fixture.change(Change::PutObject(record)).await;
        fixture.change(Change::InsertReference(Reference::live(record.id, file, number))).await;
        if number < 4 {
            fixture.change(Change::PutXattrs { node: file, xattrs: Some(xattrs(number + 1, number == 2)) }).await;
        }
        if number < 3 {
            fixture.change(Change::PutUnlinked { node: file, reason: UnlinkedReason::Reaping }).await;
        }
    }
    fixture.change(Change::RaiseTopology).await;
    for counter in [Counter::Stamps, Counter::Epochs] {
        fixture.share.allocate(counter, 77).await.unwrap();
    }
    fixture
}

async fn snapshot(fixture: &Fixture) -> Arc<dyn ShareSnapshot> {
    fixture.share.snapshot().await.unwrap().expect("the store gives snapshots")
}

async fn rows_of(snapshot: &dyn ShareSnapshot, bytes_max: usize) -> Vec<SnapshotRow> {
    let mut rows: Vec<SnapshotRow> = Vec::new();
    loop {
        let page = snapshot.rows(rows.last().cloned(), bytes_max).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

async fn restore(store: &Arc<dyn MetadataStore>, record: &ShareRecord, format: &str, rows: &[SnapshotRow]) {
    for page in rows.chunks(7) {
        store.restore_rows(record.id, format.to_owned(), page.to_vec()).await.unwrap();
    }
    store.restore_share(record, AHEAD).await.unwrap();
}

pub async fn a_share_comes_back_as_its_snapshot_was(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let (fixture, other) = (filled(&store).await, filled(&store).await);
    let (expected, of_other) = (fixture.dump().await, other.dump().await);
    let taken = snapshot(&fixture).await;
    let record = taken.record().await.unwrap();
    assert_eq!(taken.statistics().await.unwrap(), expected.statistics);
    // None of it is in the snapshot.
    let file = fixture.add(NodeId::ROOT, "later", NodeKind::File).await;
    fixture.change(Change::DeleteRow { node: file, page: 0 }).await;
    let rows = rows_of(&*taken, 1 << 10).await;
    let numbers = [Counter::Ids, Counter::Stamps, Counter::Epochs];
    let mut given = Vec::new();
    for counter in numbers {
        given.push(fixture.share.allocate(counter, 1).await.unwrap().end);
    }
    let format = taken.format();
    drop(taken);
    store.remove_share(fixture.id).await.unwrap();
    let record = ShareRecord { content_owner: 9, dirty: true, ..record };
    restore(&store, &record, &format, &rows).await;

    let share = store.share(fixture.id).await.unwrap().expect("it is there");
    let back = Fixture { share: Arc::clone(&share), ..fixture.clone() };
    assert_eq!(back.dump().await, expected);
    assert_eq!(share.record().await.unwrap(), record);
    for (counter, given) in numbers.into_iter().zip(given) {
        let next = share.allocate(counter, 1).await.unwrap().start;
        assert!(next >= given + (AHEAD - 2), "{counter:?}: {next} after {given}");
    }
    assert_eq!(other.dump().await, of_other);
}

pub async fn a_snapshot_comes_in_pages_of_any_size(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let fixture = filled(&store).await;
    let taken = snapshot(&fixture).await;
    let all = rows_of(&*taken, usize::MAX).await;
    assert!(all.len() > 150, "{}", all.len());
    for bytes_max in [0, 1, 64, 1_000, 100_000] {
        let found = rows_of(&*taken, bytes_max).await;
        assert!(found == all, "{} rows of {} in pages of {bytes_max} bytes", found.len(), all.len());
    }
    let (mut objects, expected) = (Vec::new(), fixture.share.objects(None, 100).await.unwrap());
    while objects.len() < expected.len() {
        let page = taken.objects(objects.last().map(|last: &ObjectRecord| last.id), 7).await.unwrap();
        assert!(!page.is_empty() && page.len() <= 7);
        objects.extend(page);
    }
    assert_eq!(objects, expected);
    assert!(taken.objects(objects.last().map(|last| last.id), 7).await.unwrap().is_empty());
}

pub async fn what_no_file_refers_to_is_in_no_snapshot_nor_are_pins(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let fixture = Fixture::new(&store).await;
    let states =
        [ObjectState::Live, ObjectState::Live, ObjectState::Live, ObjectState::Writing, ObjectState::PendingDelete];
    let objects: Vec<ObjectRecord> = (1..).zip(states).map(|(number, state)| object(number, state)).collect();
    for record in &objects {
        fixture.change(Change::PutObject(*record)).await;
    }
    let file = fixture.add(NodeId::ROOT, "file", NodeKind::File).await;
    let used = objects[1];
    fixture.change(Change::InsertReference(Reference::live(used.id, file, 3))).await;
    let backup = BackupId::of_bits(u64::MAX);
    for record in &objects[..2] {
        let mut plan = Plan::at(time(1_000));
        pin(&mut plan, record.id, backup);
        fixture.apply(plan).await;
        let pins = fixture.share.references(record.id, 1).await.unwrap();
        assert_eq!(pins, [(PINS, backup.number())]);
    }
    let noted = BackupRecord { at: time(7), is_kept: true, objects: 2, bytes: 3 };
    let row = fixture.share.record().await.unwrap();
    let row = ShareRecord { backups: [(backup, noted)].into(), ..row };
    fixture.share.put_record(&row).await.unwrap();
    assert_eq!(fixture.share.record().await.unwrap(), row);

    let taken = snapshot(&fixture).await;
    assert_eq!(taken.objects(None, 100).await.unwrap(), [used]);
    let (rows, format) = (rows_of(&*taken, 1 << 20).await, taken.format());
    drop(taken);
    store.remove_share(fixture.id).await.unwrap();
    restore(&store, &row, &format, &rows).await;
    let share = store.share(fixture.id).await.unwrap().expect("it is there");
    assert_eq!(share.objects(None, 100).await.unwrap(), [used]);
    let reference = Reference::live(used.id, file, 3);
    assert_eq!(share.references_after(None, 100).await.unwrap(), [reference]);
}

pub async fn a_share_is_there_once_it_is_restored_and_not_before(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let fixture = filled(&store).await;
    let taken = snapshot(&fixture).await;
    let (rows, format, record) = (rows_of(&*taken, 1 << 20).await, taken.format(), taken.record().await.unwrap());
    drop(taken);
    let refused = |answer: Result<(), MetadataError>| assert!(matches!(answer, Err(MetadataError::Unavailable(_))));
    let put = |format: &str, rows: &[SnapshotRow]| store.restore_rows(record.id, format.to_owned(), rows.to_vec());
    // It is there: nothing of it is written over.
    let before = fixture.dump().await;
    refused(put(&format, &rows).await);
    refused(store.restore_share(&record, AHEAD).await);
    assert_eq!(fixture.dump().await, before);

    store.remove_share(record.id).await.unwrap();
    refused(put("rows of another store", &rows).await);
    let strange = SnapshotRow { table: 200, key: vec![1; 9], value: Vec::new() };
    refused(put(&format, &[strange]).await);
    put(&format, &rows[..rows.len() / 2]).await.unwrap();
    assert!(store.shares().await.unwrap().iter().all(|share| share.id != record.id));
    assert!(store.share(record.id).await.unwrap().is_none());
    // Begun again, with a file less than before: nothing is left of the first time.
    store.remove_share(record.id).await.unwrap();
    restore(&store, &record, &format, &rows).await;
    let back = Fixture { share: store.share(record.id).await.unwrap().expect("it is there"), ..fixture.clone() };
    assert_eq!(back.dump().await, before);
}

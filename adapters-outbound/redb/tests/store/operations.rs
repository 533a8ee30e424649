//! Operations over crashes, failures and older formats.

use std::{fs, sync::atomic::Ordering, time::Duration};

use dittofs_domain::{
    NodeId, OpId,
    plan::{Earlier, OperationsKept, Query},
};
use dittofs_ports::{ApplyError, ShareMetadata};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::time::{sleep, timeout};

use crate::{
    failing::Disk,
    fixture::{creation, dump, fill, open_share},
};

const OPERATIONS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("operations");
const FOLDED: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("folded");
const DITTOFS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("dittofs");

async fn made(share: &dyn ShareMetadata, op: u128) -> Option<Option<NodeId>> {
    let view = share.view(&Query::default().asking(Some(OpId(op)))).await.unwrap();
    view.earlier.map(|Earlier { made, .. }| made)
}

#[tokio::test]
async fn operations_of_the_log_are_known_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    for number in 0..10 {
        share.apply(creation(&format!("g{number}"), 1_000 + 2 * number), Some(OpId(number.into()))).await.unwrap();
    }
    let copy = tempfile::tempdir().unwrap();
    for file in ["metadata.redb", "metadata.log"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let again = RedbMetadataStore::open(&RedbOptions::new(copy.path())).unwrap();
    let share = open_share(&again).await;
    for number in 0..10 {
        assert_eq!(made(&*share, number).await, Some(Some(NodeId(1_000 + 2 * number as u64))));
    }
    assert_eq!(made(&*share, 10).await, None);
}

#[tokio::test]
async fn what_was_done_before_a_crash_is_known_whichever_way_it_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let by = |way: u16| OpId::of_call(7 << 100, way);
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    share.apply(creation("first", 1_000), Some(by(700))).await.unwrap();
    // Within a life the same call by another way is another client's.
    assert_eq!(made(&*share, by(701).0).await, None);
    share.apply(creation("second", 1_002), Some(by(701))).await.unwrap();
    drop((share, store));
    let operations = OperationsKept { age: Duration::from_secs(2), ..OperationsKept::default() };
    let options = RedbOptions { operations, ..RedbOptions::new(folder.path()) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    assert_eq!(made(&*share, by(700).0).await, Some(Some(NodeId(1_000))));
    assert_eq!(made(&*share, by(701).0).await, Some(Some(NodeId(1_002))));
    assert_eq!(made(&*share, by(900).0).await, Some(Some(NodeId(1_002))));
    let again = share.apply(creation("third", 1_004), Some(by(900))).await;
    assert!(matches!(again, Err(ApplyError::Conflict)), "{again:?}");
    assert_eq!(made(&*share, OpId::of_call(7 << 100 | 1, 700).0).await, None);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(made(&*share, by(900).0).await, None);
}

#[tokio::test]
async fn rows_of_old_operations_leave_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let operations = OperationsKept { count: 4, ..OperationsKept::default() };
    let options = RedbOptions { operations, ..RedbOptions::new(folder.path()) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    for number in 0..20 {
        share.apply(creation(&format!("g{number}"), 1_000 + 2 * number), Some(OpId(number.into()))).await.unwrap();
    }
    drop((share, store));
    let rows = || {
        let database = Database::open(folder.path().join("metadata.redb")).unwrap();
        let transaction = database.begin_read().unwrap();
        transaction.open_table(OPERATIONS).unwrap().iter().unwrap().count()
    };
    assert_eq!(rows(), 4);
    // Their age begins anew, but it ends.
    let operations = OperationsKept { age: Duration::from_millis(50), ..OperationsKept::default() };
    let store = RedbMetadataStore::open(&RedbOptions { operations, ..RedbOptions::new(folder.path()) }).unwrap();
    let share = open_share(&store).await;
    sleep(Duration::from_millis(60)).await;
    assert_eq!(made(&*share, 19).await, None);
    share.apply(creation("last", 3_000), None).await.unwrap();
    drop((share, store));
    assert_eq!(rows(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failure_it_shows_whether_an_operation_was_carried_out() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    share.apply(creation("first", 900), Some(OpId(1))).await.unwrap();
    disk.switches.sync.store(true, Ordering::SeqCst);
    let error = share.apply(creation("x", 1_000), Some(OpId(2))).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unknown(_)), "{error}");
    // While the database is closed nothing is sent.
    let error = share.apply(creation("y", 1_002), Some(OpId(3))).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unavailable(_)), "{error}");
    disk.switches.sync.store(false, Ordering::SeqCst);
    let back = async {
        while share.view(&Query::default()).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
    assert_eq!(made(&*share, 1).await, Some(Some(NodeId(900))));
    assert_eq!(made(&*share, 3).await, None, "it was not sent");
    let is_there = share.view(&Query::node(NodeId(1_000))).await.unwrap().nodes.len() == 1;
    assert_eq!(made(&*share, 2).await, is_there.then_some(Some(NodeId(1_000))), "with its plan or not at all");
    let again = share.apply(creation("x", 1_000), Some(OpId(2))).await;
    assert_eq!(again.is_ok(), !is_there, "{again:?}");
}

/// Formats 1 and 2 had no operations.
#[tokio::test]
async fn a_database_of_the_second_format_gets_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    fill(&*open_share(&store).await).await;
    let before = dump(&store).await;
    drop(store);
    {
        let database = Database::open(folder.path().join("metadata.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        let second = [b"dittofs metadata".as_slice(), &2u32.to_le_bytes()].concat();
        transaction.open_table(DITTOFS).unwrap().insert(b"format".as_slice(), second.as_slice()).unwrap();
        assert!(transaction.delete_table(OPERATIONS).unwrap());
        assert!(transaction.delete_table(FOLDED).unwrap());
        transaction.commit().unwrap();
    }
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    assert_eq!(dump(&store).await, before);
    let share = open_share(&store).await;
    share.apply(creation("new", 5_000), Some(OpId(1))).await.unwrap();
    drop((share, store));
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    assert_eq!(made(&*open_share(&store).await, 1).await, Some(Some(NodeId(5_000))));
    drop(store);
    let database = Database::open(folder.path().join("metadata.redb")).unwrap();
    let transaction = database.begin_read().unwrap();
    let format = transaction.open_table(DITTOFS).unwrap().get(b"format".as_slice()).unwrap().unwrap();
    assert_eq!(format.value(), [b"dittofs metadata".as_slice(), &7u32.to_le_bytes()].concat());
}

//! Tests that changes which stand only in the log are redone, and that a log that can't be trusted is refused.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{NodeId, plan::Query};
use dittofs_redb::{OpenError, Progress, RedbMetadataStore, RedbOptions};
use redb::{Database, ReadableDatabase, TableDefinition};
use tempfile::TempDir;

use crate::fixture::{creation, dump, fill, key, open_share};

const DATABASE: &str = "metadata.redb";
const LOG: &str = "metadata.log";
const HEAD_LEN: usize = 4_096;

/// The files of a store that was killed after some changes, and what it held.
async fn killed() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    for number in 0..10 {
        share.apply(creation(&format!("g{number}"), 1_000 + 2 * number), None).await.unwrap();
    }
    let copy = tempfile::tempdir().unwrap();
    for file in [DATABASE, LOG] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    (copy, dump(&store).await)
}

/// Opens the folder, asserts that this changes nothing in the log, and answers the refusal.
fn refused(folder: &Path) -> String {
    let before = fs::read(folder.join(LOG)).ok();
    let error = RedbMetadataStore::open(&RedbOptions::new(folder)).err().expect("the log is refused");
    assert!(fs::read(folder.join(LOG)).ok() == before, "a refused log has been changed: {error}");
    let text = error.to_string();
    assert!(text.contains(&folder.join(LOG).display().to_string()), "{text}");
    assert!(text.contains("accept_loss") && text.contains("backup"), "{text}");
    text
}

async fn accepted(folder: &Path) -> String {
    let options = RedbOptions { accept_loss: true, ..RedbOptions::new(folder) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    share.apply(creation("after", 5_000), None).await.unwrap();
    drop((share, store));
    let store = RedbMetadataStore::open(&RedbOptions::new(folder)).unwrap();
    dump(&store).await
}

fn spoil(folder: &Path, at: usize, bytes: &[u8]) {
    let mut log = fs::read(folder.join(LOG)).unwrap();
    log[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(folder.join(LOG), log).unwrap();
}

fn records(folder: &Path) -> usize {
    fs::read(folder.join(LOG)).unwrap()[HEAD_LEN..].windows(4).filter(|bytes| bytes == b"DFML").count()
}

#[tokio::test]
async fn what_is_only_in_the_log_is_done_again_once() {
    let (folder, before) = killed().await;
    assert!(records(folder.path()) > 10);
    for _ in 0..2 {
        let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
        assert_eq!(dump(&store).await, before);
    }
    fs::remove_file(folder.path().join(LOG)).unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    assert_eq!(dump(&store).await, before, "a store that was closed needs no log");
}

#[tokio::test]
async fn a_missing_log_is_refused_where_something_may_be_in_it() {
    let (folder, before) = killed().await;
    fs::remove_file(folder.path().join(LOG)).unwrap();
    let text = refused(folder.path());
    assert!(text.contains("is missing") && text.contains("not closed"), "{text}");
    assert!(!folder.path().join(LOG).exists());
    let after = accepted(folder.path()).await;
    assert!(after != before && !after.contains("g9"), "what was in the log is lost");
}

#[tokio::test]
async fn a_torn_tail_of_the_log_is_cut_off() {
    let (folder, _) = killed().await;
    let log = fs::read(folder.path().join(LOG)).unwrap();
    let last = log.windows(4).rposition(|bytes| bytes == b"DFML").unwrap();
    spoil(folder.path(), last + 50, &[0xEE]);
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    let has = async |name: &str| {
        let view = share.view(&Query::child(NodeId::ROOT, key(name))).await.unwrap();
        view.entry(0).is_some()
    };
    assert!(has("g8").await && !has("g9").await);
}

#[tokio::test]
async fn damage_of_the_log_is_refused_and_nothing_of_it_is_done_again() {
    let (folder, _) = killed().await;
    let log = fs::read(folder.path().join(LOG)).unwrap();
    let starts: Vec<usize> = (HEAD_LEN..log.len() - 4).filter(|at| &log[*at..at + 4] == b"DFML").collect();
    spoil(folder.path(), starts[starts.len() - 3] + 44, &[0xEE]);
    let text = refused(folder.path());
    assert!(text.contains("is damaged") && text.contains("unreadable"), "{text}");
    assert!(refused(folder.path()).contains("unreadable"), "and again");
    let after = accepted(folder.path()).await;
    assert!(after.contains("after"), "{after}");
}

#[tokio::test]
async fn a_log_of_another_store_or_without_a_head_is_refused() {
    let (folder, before) = killed().await;
    let (other, _) = killed().await;
    let whole = fs::read(folder.path().join(LOG)).unwrap();
    fs::copy(other.path().join(LOG), folder.path().join(LOG)).unwrap();
    assert!(refused(folder.path()).contains("another database's"));
    fs::write(folder.path().join(LOG), b"").unwrap();
    assert!(refused(folder.path()).contains("does not begin as a log does"));
    fs::write(folder.path().join(LOG), whole).unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    assert_eq!(dump(&store).await, before);
}

#[tokio::test]
async fn an_older_database_beside_a_newer_log_is_refused() {
    let (folder, _) = killed().await;
    let older = fs::read(folder.path().join(DATABASE)).unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    share.apply(creation("newer", 6_000), None).await.unwrap();
    let log = fs::read(folder.path().join(LOG)).unwrap();
    drop((share, store));
    fs::write(folder.path().join(DATABASE), older).unwrap();
    fs::write(folder.path().join(LOG), log).unwrap();
    assert!(refused(folder.path()).contains("later time"));
}

/// Files of a store that was closed, and those of the same store after it was opened and closed again; with a change
/// in between or without one.
async fn copied(changes: bool) -> (TempDir, Vec<u8>, Vec<u8>, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    fill(&*open_share(&store).await).await;
    drop(store);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let older = (read(DATABASE), read(LOG));
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    if changes {
        share.apply(creation("newer", 6_000), None).await.unwrap();
    }
    let after = dump(&store).await;
    drop((share, store));
    (folder, older.0, older.1, after)
}

#[tokio::test]
async fn an_older_database_that_was_closed_is_refused_beside_a_newer_log() {
    for changes in [true, false] {
        let (folder, database, _, after) = copied(changes).await;
        let newer = fs::read(folder.path().join(DATABASE)).unwrap();
        fs::write(folder.path().join(DATABASE), database).unwrap();
        assert!(refused(folder.path()).contains("later time"), "changes: {changes}");
        assert!(refused(folder.path()).contains("later time"), "and again");
        let kept = fs::read(folder.path().join(LOG)).unwrap();
        // Found again, it is used.
        let older = fs::read(folder.path().join(DATABASE)).unwrap();
        fs::write(folder.path().join(DATABASE), newer).unwrap();
        assert_eq!(dump(&RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap()).await, after);
        fs::write(folder.path().join(DATABASE), older).unwrap();
        assert!(accepted(folder.path()).await.contains("after"));
        let aside = fs::read(folder.path().join("metadata.log.aside-1")).unwrap();
        assert_eq!(aside.len(), kept.len(), "what was not used is kept");
    }
}

#[tokio::test]
async fn an_older_log_is_refused_beside_a_database_that_was_not_closed() {
    let (folder, _, log, _) = copied(true).await;
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    share.apply(creation("unclosed", 7_000), None).await.unwrap();
    // With the checkpoint of an idle store its mark knows of the log's stamp.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    share.apply(creation("logged", 8_000), None).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(DATABASE), copy.path().join(DATABASE)).unwrap();
    fs::write(copy.path().join(LOG), log).unwrap();
    assert!(refused(copy.path()).contains("older copy"));
}

#[tokio::test]
async fn a_database_that_is_missing_beside_its_log_is_refused_and_not_made_anew() {
    let (folder, before) = killed().await;
    let (database, aside) = (folder.path().join(DATABASE), folder.path().join("elsewhere"));
    fs::rename(&database, &aside).unwrap();
    for _ in 0..2 {
        let error = RedbMetadataStore::open(&RedbOptions::new(folder.path())).err().unwrap();
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        assert!(!database.exists());
    }
    fs::rename(&aside, &database).unwrap();
    assert_eq!(dump(&RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap()).await, before);
}

#[tokio::test]
async fn when_nothing_is_asked_for_a_while_the_log_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    fill(&*open_share(&store).await).await;
    let before = dump(&store).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let copy = tempfile::tempdir().unwrap();
    for file in [DATABASE, LOG] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let options = RedbOptions { accept_loss: true, ..RedbOptions::new(copy.path()) };
    fs::remove_file(copy.path().join(LOG)).unwrap();
    let again = RedbMetadataStore::open(&options).unwrap();
    assert_eq!(dump(&again).await, before, "nothing was in the log only");
}

/// The growth of the file under transactions that are not yet durable in it is bounded by the log.
#[tokio::test]
async fn the_database_does_not_grow_with_changes_of_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let options = RedbOptions { log_bytes: 256 << 10, ..RedbOptions::new(folder.path()) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let len = || fs::metadata(folder.path().join(DATABASE)).unwrap().len();
    for _ in 0..500 {
        share.allocate(dittofs_ports::Counter::Ids, 1).await.unwrap();
    }
    let before = len();
    for _ in 0..10_000 {
        share.allocate(dittofs_ports::Counter::Ids, 1).await.unwrap();
    }
    assert!(len() <= before + (1 << 20), "from {before} to {} bytes", len());
    assert_eq!(fs::metadata(folder.path().join(LOG)).unwrap().len(), 256 << 10);
}

/// A database of the first format had no log.
#[tokio::test]
async fn a_database_of_the_first_format_gets_a_log() {
    let (folder, before) = killed().await;
    drop(RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap());
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("dittofs");
    let format = || {
        let database = Database::open(folder.path().join(DATABASE)).unwrap();
        let transaction = database.begin_read().unwrap();
        let value = transaction.open_table(table).unwrap().get(b"format".as_slice()).unwrap().unwrap();
        value.value().to_vec()
    };
    let current = format();
    {
        let database = Database::open(folder.path().join(DATABASE)).unwrap();
        let transaction = database.begin_write().unwrap();
        let first = [b"dittofs metadata".as_slice(), &1u32.to_le_bytes()].concat();
        transaction.open_table(table).unwrap().insert(b"format".as_slice(), first.as_slice()).unwrap();
        transaction.open_table(table).unwrap().remove(b"log".as_slice()).unwrap();
        transaction.commit().unwrap();
    }
    fs::remove_file(folder.path().join(LOG)).unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    assert_eq!(dump(&store).await, before);
    drop(store);
    assert_eq!(format(), current);
    assert!(folder.path().join(LOG).exists());
}

#[tokio::test]
async fn the_progress_of_a_check_is_reported() {
    let (folder, before) = killed().await;
    // As redb leaves a file that was killed inside a transaction without the help for a quick repair.
    let database = Database::open(folder.path().join(DATABASE)).unwrap();
    let transaction = database.begin_write().unwrap();
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("dittofs");
    transaction.open_table(table).unwrap().insert(b"other".as_slice(), b"".as_slice()).unwrap();
    transaction.commit().unwrap();
    let bytes = fs::read(folder.path().join(DATABASE)).unwrap();
    drop(database);
    fs::write(folder.path().join(DATABASE), bytes).unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    let progress = Progress::new(move |done, of| {
        assert!(done <= of);
        count.fetch_add(1, Ordering::SeqCst);
    });
    let store = RedbMetadataStore::open(&RedbOptions { progress, ..RedbOptions::new(folder.path()) }).unwrap();
    assert!(calls.load(Ordering::SeqCst) > 0, "nothing was reported");
    assert_eq!(dump(&store).await, before);
}

#[test]
fn a_log_is_only_refused_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    drop(RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap());
    // It was closed: whatever stands there now, nothing is lost with it.
    fs::write(folder.path().join(LOG), b"something else").unwrap();
    let opened = RedbMetadataStore::open(&RedbOptions::new(folder.path()));
    assert!(!matches!(opened, Err(OpenError::LogDamaged { .. } | OpenError::LogMissing { .. })));
    opened.unwrap();
}

/// A copy that was made while the file was written has pages of several times. The references in one that is missing would
/// be none, and their objects garbage.
#[tokio::test]
async fn where_a_loss_is_accepted_a_torn_copy_is_refused() {
    let (folder, _) = killed().await;
    // The changes from before it was closed are in the database. Then it is not closed again.
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    share.apply(creation("in-a-torn-page", 3_000), None).await.unwrap();
    drop((share, store));
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in [DATABASE, LOG] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    drop(store);
    let file = copy.path().join(DATABASE);
    let mut bytes = fs::read(&file).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 14).filter(|at| bytes[*at..].starts_with(b"in-a-torn-page")).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at] = b'?');
    fs::write(&file, &bytes).unwrap();
    let options = RedbOptions { accept_loss: true, ..RedbOptions::new(copy.path()) };
    let error = RedbMetadataStore::open(&options).err().expect("a torn copy is refused");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(fs::read(&file).unwrap() == bytes, "a refused database has been changed");
}

//! Tests which databases are refused, and with which message. Nothing that is refused is changed.

use std::{fs, path::Path};

use dittofs_domain::{NodeId, plan::Query};
use dittofs_ports::MetadataError;
use dittofs_redb::{OpenError, RedbMetadataStore, RedbOptions};
use redb::{Database, TableDefinition};

use crate::fixture::{SHARE, creation, fill, open_share};

const FILE: &str = "metadata.redb";
const FORMAT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("dittofs");
const NODE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("node");

async fn filled(folder: &Path) {
    let store = RedbMetadataStore::open(&RedbOptions::new(folder)).unwrap();
    fill(&*open_share(&store).await).await;
}

/// Opens the folder, asserts that this changes nothing in the file, and answers the refusal.
fn refused(folder: &Path) -> OpenError {
    let before = fs::read(folder.join(FILE)).unwrap();
    let error = RedbMetadataStore::open(&RedbOptions::new(folder)).err().expect("the file is refused");
    assert!(fs::read(folder.join(FILE)).unwrap() == before, "a refused file has been changed: {error}");
    let text = error.to_string();
    assert!(text.contains(&folder.join(FILE).display().to_string()), "{text}");
    error
}

#[tokio::test]
async fn a_database_in_use_is_refused_until_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let options = RedbOptions::new(folder.path());
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    let error = RedbMetadataStore::open(&options).err().unwrap();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("stop that one"), "{error}");
    drop(store);
    assert!(RedbMetadataStore::open(&options).is_err(), "a share still holds it");
    share.apply(creation("f", 100), None).await.unwrap();
    drop(share);
    RedbMetadataStore::open(&options).unwrap();
}

#[tokio::test]
async fn an_empty_file_is_damage_and_is_not_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), b"").unwrap();
    let error = refused(folder.path());
    assert!(matches!(&error, OpenError::Damaged { found, .. } if found == "it is empty"), "{error}");
}

#[tokio::test]
async fn a_garbage_head_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let whole = fs::read(folder.path().join(FILE)).unwrap();
    for damage in [0..9, 9..64, 64..320, 0..4_096] {
        let mut bytes = whole.clone();
        bytes[damage.clone()].fill(0xA5);
        fs::write(folder.path().join(FILE), bytes).unwrap();
        let error = refused(folder.path());
        assert!(matches!(error, OpenError::Damaged { .. } | OpenError::Foreign { .. }), "{damage:?}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_ends_too_early_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let whole = fs::read(folder.path().join(FILE)).unwrap();
    for len in [1, 9, 100, 4_096, whole.len() / 2, whole.len() - 4_096] {
        fs::write(folder.path().join(FILE), &whole[..len]).unwrap();
        let error = refused(folder.path());
        assert!(matches!(error, OpenError::Damaged { .. }), "{len} of {} bytes: {error}", whole.len());
    }
}

#[tokio::test]
async fn another_programs_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(FILE);
    let database = Database::create(&place).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(NODE).unwrap().insert(b"k".as_slice(), b"v".as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    fs::write(&place, "a letter to somebody").unwrap();
    let error = refused(folder.path());
    assert!(error.to_string().contains("does not begin as a redb database"), "{error}");
}

#[tokio::test]
async fn a_newer_format_is_refused_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let database = Database::open(folder.path().join(FILE)).unwrap();
    let transaction = database.begin_write().unwrap();
    let newer = [b"dittofs metadata".as_slice(), &8u32.to_le_bytes()].concat();
    transaction.open_table(FORMAT).unwrap().insert(b"format".as_slice(), newer.as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::Newer { found: 8, known: 7, .. }), "{error}");
    assert!(error.to_string().contains("start a newer release"), "{error}");
}

#[tokio::test]
async fn a_record_that_makes_no_sense_is_corrupt_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let database = Database::open(folder.path().join(FILE)).unwrap();
    let transaction = database.begin_write().unwrap();
    let key = [SHARE.0.to_be_bytes(), 4u64.to_be_bytes()].concat();
    let before = transaction.open_table(NODE).unwrap().insert(key.as_slice(), b"\x01?".as_slice()).unwrap().is_some();
    assert!(before, "there is such a node");
    transaction.commit().unwrap();
    drop(database);
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    let error = share.view(&Query::node(NodeId(4))).await.unwrap_err();
    assert!(matches!(error, MetadataError::Corrupt(_)), "{error}");
    share.view(&Query::node(NodeId(6))).await.unwrap();
    assert!(matches!(share.nodes(NodeId(0), 100).await, Err(MetadataError::Corrupt(_))));
    let ids = share.node_ids(NodeId(0), 100).await.unwrap();
    assert!(ids.contains(&NodeId(4)) && ids.contains(&NodeId(6)), "{ids:?}");
    share.apply(creation("more", 200), None).await.unwrap();
}

//! Tests that answered changes are there when the database is opened again.

use std::fs;

use dittofs_domain::plan::Query;
use dittofs_ports::Counter;
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use tokio::task::JoinSet;

use crate::fixture::{creation, dump, fill, key, open_share};

#[tokio::test]
async fn everything_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = RedbOptions::new(folder.path());
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let before = dump(&store).await;
    let mut numbers = Vec::new();
    for counter in [Counter::Ids, Counter::Stamps, Counter::Epochs] {
        numbers.push((counter, share.allocate(counter, 1_000).await.unwrap().end));
    }
    drop((store, share));

    let store = RedbMetadataStore::open(&options).unwrap();
    assert_eq!(dump(&store).await, before);
    let share = open_share(&store).await;
    for (counter, end) in numbers {
        assert_eq!(share.allocate(counter, 1).await.unwrap().start, end, "{counter:?}");
    }
}

/// The file as it is at some instant while the store is open is what a killed server leaves behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_in_a_file_that_was_never_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let mut tasks = JoinSet::new();
    for index in 0..64 {
        let share = share.clone();
        tasks.spawn(async move {
            let number = share.allocate(Counter::Ids, 2).await.unwrap().start;
            share.apply(creation(&format!("g{index}"), number), None).await.unwrap();
        });
    }
    tasks.join_all().await;
    let before = dump(&store).await;
    let next = share.allocate(Counter::Ids, 1).await.unwrap().end;
    let copy = tempfile::tempdir().unwrap();
    for file in ["metadata.redb", "metadata.log"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }

    let again = RedbMetadataStore::open(&RedbOptions::new(copy.path())).unwrap();
    assert_eq!(dump(&again).await, before);
    let share = open_share(&again).await;
    assert_eq!(share.allocate(Counter::Ids, 1).await.unwrap().start, next);
    let found = share.view(&Query::child(dittofs_domain::NodeId::ROOT, key("g63"))).await.unwrap();
    assert!(found.entry(0).is_some());
}

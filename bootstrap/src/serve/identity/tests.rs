use std::sync::Arc;

use dittofs_memory::{MemoryContentStore, MemoryMetadataStore};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};

use super::*;
use crate::config::{Config, Protocols, StoreKinds, load_on};

fn machine() -> Machine {
    Machine {
        clock: Arc::new(SystemClock::new()),
        randomness: Arc::new(SystemRandomness::new().unwrap()),
        spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
    }
}

/// The shares of a configuration, by name and id, in one store.
fn shares(shares: &[(&str, Option<u64>)]) -> Vec<ShareConfig> {
    let config: Config =
        load_on(Some("/data".as_ref()), None, [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap();
    let share =
        |(name, id): &(&str, Option<u64>)| ShareConfig { name: (*name).into(), id: *id, ..config.shares[0].clone() };
    shares.iter().map(share).collect()
}

/// Opens each, and answers the names and ids of what is in the store then.
async fn opened(store: &MemoryMetadataStore, all: &[(&str, Option<u64>)]) -> Result<Vec<(String, u64)>, IdentityError> {
    let all = shares(all);
    let content = MemoryContentStore::new();
    for share in &all {
        let id = share.id.map(ShareId);
        let places = Places { content: Some(&content), journals: None, metadata: vec![store], id };
        let metadata = find_or_make(share, &all, store, Some(&places), &machine()).await?;
        assert_eq!(metadata.record().await?.name, share.name);
    }
    let mut records: Vec<_> = store.shares().await?.into_iter().map(|record| (record.name, record.id.0)).collect();
    records.sort();
    Ok(records)
}

#[tokio::test]
async fn a_share_is_made_once_with_secrets_of_its_own() {
    let store = MemoryMetadataStore::new();
    let first = opened(&store, &[("/a", None), ("/b", None)]).await.unwrap();
    assert_eq!(opened(&store, &[("/a", None), ("/b", None)]).await.unwrap(), first);
    let records = store.shares().await.unwrap();
    assert_ne!(records[0].journal, records[1].journal);
    assert_ne!(records[0].content_owner, records[1].content_owner);
    assert_ne!(records[0].handle_key, records[1].handle_key);
    assert!(records.iter().all(|record| record.journal != 0 && !record.dirty));
}

#[tokio::test]
async fn a_share_that_may_have_been_renamed_does_not_come_up_empty() {
    let store = MemoryMetadataStore::new();
    opened(&store, &[("/old", None)]).await.unwrap();
    let refused = opened(&store, &[("/new", None)]).await.unwrap_err().to_string();
    assert!(refused.contains("holds /old") && refused.contains("dittofs share rename OLD /new"), "{refused}");
    assert_eq!(store.shares().await.unwrap().len(), 1);
    // Beside a share that is named, a new one is unambiguous. So is one with an id of its own.
    assert_eq!(opened(&store, &[("/old", None), ("/new", None)]).await.unwrap().len(), 2);
    assert_eq!(opened(&store, &[("/third", Some(3))]).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_share_that_is_named_by_its_id_takes_the_name_of_the_configuration() {
    let store = MemoryMetadataStore::new();
    opened(&store, &[("/old", Some(7))]).await.unwrap();
    assert_eq!(opened(&store, &[("/new", Some(7))]).await.unwrap(), [("/new".to_owned(), 7)]);
}

#[tokio::test]
async fn names_and_ids_that_contradict_each_other_are_refused() {
    let store = MemoryMetadataStore::new();
    opened(&store, &[("/a", Some(7)), ("/b", Some(8))]).await.unwrap();
    let other = opened(&store, &[("/a", Some(9))]).await;
    assert!(matches!(other, Err(IdentityError::OtherId { found: 7, expected: 9, .. })));
    let two = opened(&store, &[("/a", Some(8))]).await;
    assert!(matches!(two, Err(IdentityError::TwoShares { id: 8, .. })));
}

/// The share that it could be renamed from is gone with the server. So another share that went meanwhile makes nothing
/// ambiguous.
#[tokio::test]
async fn a_share_in_memory_comes_beside_one_that_went() {
    let store = MemoryMetadataStore::new();
    opened(&store, &[("/old", None)]).await.unwrap();
    let new = shares(&[("/new", None)]).remove(0);
    let new = ShareConfig { durability: Durability::None, ..new };
    find_or_make(&new, std::slice::from_ref(&new), &store, None, &machine()).await.unwrap();
    assert_eq!(store.shares().await.unwrap().len(), 2);
}

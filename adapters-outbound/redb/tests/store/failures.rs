//! A disk that fails for a while: those who wait get an error, and the database comes back by itself.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dittofs_domain::{Cookie, NodeId, plan::Query, plan::Space};
use dittofs_ports::{ApplyError, Counter, MetadataError, ShareMetadata};
use tokio::time::{sleep, timeout};

use crate::{
    failing::Disk,
    fixture::{creation, fill, key, open_share},
};

async fn has(share: &dyn ShareMetadata, text: &str) -> bool {
    share.view(&Query::child(NodeId::ROOT, key(text))).await.unwrap().entry(0).is_some()
}

/// Waits until the store answers again.
async fn come_back(share: &Arc<dyn ShareMetadata>) {
    let back = async {
        while share.allocate(Counter::Stamps, 1).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.expect("the database is opened again by itself");
}

/// Somebody else's acknowledged change could rest on it, and a power cut would take it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_plan_that_is_not_durable_yet() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    assert!(!has(&*share, "x").await);
    disk.switches.slow.store(true, Ordering::SeqCst);
    let applying = tokio::spawn({
        let share = Arc::clone(&share);
        async move { share.apply(creation("x", 1_000), None).await }
    });
    sleep(Duration::from_millis(100)).await;
    assert!(!applying.is_finished(), "it was answered before the sync");
    let listed = share.list(NodeId::ROOT, Space::Children, Cookie::START, 100, true).await.unwrap();
    assert!(!has(&*share, "x").await && !listed.entries.iter().any(|entry| entry.node == NodeId(1_000)));
    disk.switches.slow.store(false, Ordering::SeqCst);
    applying.await.unwrap().unwrap();
    assert!(has(&*share, "x").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_the_database_is_opened_again() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    let openings = disk.switches.openings.load(Ordering::SeqCst);
    disk.switches.sync.store(true, Ordering::SeqCst);
    let (one, two) = tokio::join!(share.apply(creation("x", 1_000), None), share.apply(creation("y", 1_002), None));
    for answer in [one, two] {
        assert!(matches!(answer, Err(ApplyError::Unknown(_) | ApplyError::Unavailable(_))), "{answer:?}");
    }
    let error = share.allocate(Counter::Ids, 1).await.unwrap_err();
    assert!(matches!(error, MetadataError::Unavailable(_)), "{error}");
    disk.switches.sync.store(false, Ordering::SeqCst);
    come_back(&share).await;
    assert!(disk.switches.openings.load(Ordering::SeqCst) > openings);
    share.apply(creation("z", 1_004), None).await.unwrap();
    assert!(has(&*share, "f0").await && has(&*share, "z").await);
    drop((store, share));
    assert!(has(&*open_share(&disk.store()).await, "z").await);
}

/// A loss is accepted as it was found at the start: what was acknowledged since is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_at_the_start_is_no_leave_to_lose_more_later() {
    let disk = Disk::default();
    let store = disk.store_that(true);
    let share = open_share(&store).await;
    fill(&*share).await;
    share.apply(creation("acknowledged", 1_000), None).await.unwrap();
    disk.switches.log_read.store(true, Ordering::SeqCst);
    disk.switches.sync.store(true, Ordering::SeqCst);
    share.apply(creation("y", 1_002), None).await.unwrap_err();
    disk.switches.sync.store(false, Ordering::SeqCst);
    let tried = disk.switches.openings.load(Ordering::SeqCst);
    let failing = async {
        while disk.switches.openings.load(Ordering::SeqCst) < tried + 4 {
            assert!(share.allocate(Counter::Stamps, 1).await.is_err(), "it was opened without its log");
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), failing).await.unwrap();
    disk.switches.log_read.store(false, Ordering::SeqCst);
    come_back(&share).await;
    assert!(has(&*share, "f0").await && has(&*share, "acknowledged").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tries_for_as_long_as_the_disk_is_away_and_answers_meanwhile() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    disk.switches.open.store(true, Ordering::SeqCst);
    disk.switches.sync.store(true, Ordering::SeqCst);
    share.apply(creation("x", 1_000), None).await.unwrap_err();
    let error = timeout(Duration::from_secs(1), share.apply(creation("y", 1_002), None)).await.unwrap().unwrap_err();
    assert!(matches!(error, ApplyError::Unavailable(_)), "{error}");
    let error = share.view(&Query::node(NodeId::ROOT)).await.unwrap_err();
    assert!(matches!(error, MetadataError::Unavailable(_)), "{error}");
    let tried = disk.switches.openings.load(Ordering::SeqCst);
    sleep(Duration::from_millis(300)).await;
    assert!(disk.switches.openings.load(Ordering::SeqCst) > tried, "it has stopped trying");
    disk.switches.sync.store(false, Ordering::SeqCst);
    disk.switches.open.store(false, Ordering::SeqCst);
    come_back(&share).await;
    assert!(has(&*share, "f0").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_can_be_closed_while_its_disk_is_away() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    disk.switches.open.store(true, Ordering::SeqCst);
    disk.switches.sync.store(true, Ordering::SeqCst);
    share.apply(creation("x", 1_000), None).await.unwrap_err();
    let closed = tokio::task::spawn_blocking(move || drop((share, store)));
    timeout(Duration::from_secs(10), closed).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_the_plan_and_nothing_of_it_is_there() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    disk.switches.full.store(true, Ordering::SeqCst);
    let answer = share.apply(creation("x", 1_000), None).await;
    assert!(matches!(answer, Err(ApplyError::Full)), "{answer:?}");
    come_back(&share).await;
    assert!(!has(&*share, "x").await, "a plan that was refused is there");
    share.apply(creation("x", 1_000), None).await.unwrap();
}

/// A file system that copies on write needs room for what is written over, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_room_refuses_plans_and_everybody_reads_on() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    let openings = disk.switches.openings.load(Ordering::SeqCst);
    disk.switches.log_full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let answer = share.apply(creation("x", 1_000), None).await;
        assert!(matches!(answer, Err(ApplyError::Full)), "{answer:?}");
        assert!(has(&*share, "f0").await && !has(&*share, "x").await);
    }
    disk.switches.log_full.store(false, Ordering::SeqCst);
    share.apply(creation("y", 1_002), None).await.unwrap();
    assert_eq!(disk.switches.openings.load(Ordering::SeqCst), openings, "nothing had to be opened again");
    drop((store, share));
    let share = open_share(&disk.store()).await;
    assert!(has(&*share, "y").await && !has(&*share, "x").await, "what was refused came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_finds_no_room_when_it_is_synced_is_used_again_once_there_is_some() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    disk.switches.log_sync_full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let answer = share.apply(creation("x", 1_000), None).await;
        assert!(matches!(answer, Err(ApplyError::Full | ApplyError::Unavailable(_))), "{answer:?}");
    }
    disk.switches.log_sync_full.store(false, Ordering::SeqCst);
    come_back(&share).await;
    assert!(has(&*share, "f0").await);
    share.apply(creation("y", 1_002), None).await.unwrap();
    drop((store, share));
    assert!(has(&*open_share(&disk.store()).await, "y").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_stays_full_refuses_plans_as_that_and_comes_back_by_itself() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    fill(&*share).await;
    disk.switches.stays_full.store(true, Ordering::SeqCst);
    disk.switches.sync.store(true, Ordering::SeqCst);
    share.apply(creation("x", 1_000), None).await.unwrap_err();
    disk.switches.sync.store(false, Ordering::SeqCst);
    let is_reported = async {
        while !matches!(share.apply(creation("y", 1_002), None).await, Err(ApplyError::Full)) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), is_reported).await.expect("changes are refused as the disk is full");
    disk.switches.stays_full.store(false, Ordering::SeqCst);
    come_back(&share).await;
    assert!(has(&*share, "f0").await);
    share.apply(creation("z", 1_004), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_read_opens_the_database_again() {
    let disk = Disk::default();
    let store = disk.store();
    let share = open_share(&store).await;
    for index in 0..3_000 {
        let share = share.clone();
        let plan = creation(&format!("n{index}"), 10 + 2 * index);
        if index % 300 == 299 {
            share.apply(plan, None).await.unwrap();
        } else {
            tokio::spawn(async move { share.apply(plan, None).await.unwrap() });
        }
    }
    disk.switches.read.store(true, Ordering::SeqCst);
    let listed = share.list(NodeId::ROOT, Space::Children, Cookie::START, 10_000, true).await;
    assert!(matches!(listed, Err(MetadataError::Unavailable(_))), "the cache holds hardly anything");
    disk.switches.read.store(false, Ordering::SeqCst);
    come_back(&share).await;
    let back = async {
        while share.list(NodeId::ROOT, Space::Children, Cookie::START, 10_000, true).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
}

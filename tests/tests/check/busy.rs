//! A share that is used while it is checked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_domain::{
    NodeId,
    error::FsError,
    namespace::{LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest, SetAttributes},
};
use dittofs_ports::{AdminService, CheckReport, MetadataService};
use dittofs_tests::{model::Random, world::SHARE};

use crate::share::{QUIET, Share, assert_clean, name, noise};

const WORKERS: u64 = 4;
const DIRECTORIES: u64 = 6;

/// Makes, links, moves, truncates, writes and removes files and directories, all of one name space.
async fn work(share: &Share, directories: &[NodeId], seed: u64, stop: &AtomicBool, done: &AtomicU64) {
    let mut random = Random::new(seed);
    let data = noise(300_000);
    let services = &share.world.share;
    while !stop.load(Ordering::Relaxed) {
        let mut pick = |bound: u64| random.bits() % bound;
        let (from, to) = (directories[pick(DIRECTORIES) as usize], directories[pick(DIRECTORIES) as usize]);
        let (one, two) = (format!("n{}", pick(12)), format!("n{}", pick(12)));
        let (what, length) = (pick(10), pick(data.len() as u64) as usize);
        let file = async || {
            let found = dittofs_ports::LookupName::Child(name(&one));
            services.lookup(&share.caller, from, &found).await.ok().map(|found| found.node.node)
        };
        match what {
            0 | 1 => drop(try_make(share, from, &one, NewKind::File).await),
            2 => drop(try_make(share, from, &one, NewKind::Directory).await),
            3 | 4 => {
                if let Some(node) = file().await {
                    let part = bytes::Bytes::copy_from_slice(&data[..length]);
                    let stability = dittofs_ports::Stability::Unstable;
                    let at = length as u64 * 3;
                    let write =
                        dittofs_ports::BlockService::write(&**services, &share.caller, node, at, part, stability);
                    drop(write.await);
                }
            }
            5 => {
                if let Some(node) = file().await {
                    let request = SetAttributes { size: Some(length as u64 * 2), ..SetAttributes::default() };
                    drop(services.set_attributes(&share.caller, node, &request, None).await);
                }
            }
            6 => {
                if let Some(node) = file().await {
                    let request = LinkRequest { node, directory: to, name: name(&two) };
                    drop(services.link(&share.caller, &request, None).await);
                }
            }
            7 => {
                let request = RenameRequest::new((from, name(&one)), (to, name(&two)));
                drop(services.rename(&share.caller, &request, None).await);
            }
            8 => {
                for kind in [RemoveKind::NotDirectory, RemoveKind::Directory] {
                    let request = RemoveRequest { directory: from, name: name(&one), kind };
                    drop(services.remove(&share.caller, &request, None).await);
                }
            }
            _ => drop(share.world.services.flush().await),
        }
        done.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

async fn try_make(share: &Share, directory: NodeId, text: &str, kind: NewKind) -> Result<(), FsError> {
    let request = dittofs_domain::namespace::CreateRequest {
        directory,
        name: name(text),
        kind,
        attributes: Default::default(),
        how: dittofs_domain::namespace::CreateHow::Guarded,
    };
    share.world.share.create(&share.caller, &request, None).await.map(drop)
}

async fn check_while_busy(is_redb: bool) {
    let share = Arc::new(Share::new(is_redb).await);
    let mut directories = Vec::new();
    for number in 0..DIRECTORIES {
        directories.push(share.make_in(NodeId::ROOT, &format!("d{number}"), NewKind::Directory).await);
    }
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|seed| {
            let (share, directories) = (Arc::clone(&share), directories.clone());
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            tokio::spawn(async move { work(&share, &directories, seed, &stop, &done).await })
        })
        .collect();
    let (began, mut checks, mut unfinished) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_secs(3) {
        let report = share.check(QUIET).await;
        // Files that are truncated again and again may keep the flush before a check from its end, which the report
        // says.
        unfinished += u32::from(report.unflushed_bytes > 0);
        let report = CheckReport { unflushed_bytes: 0, ..report };
        assert!(report.is_clean(), "{report:#?}");
        checks += 1;
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let done = done.load(Ordering::Relaxed);
    eprintln!("{checks} checks beside {done} operations");
    assert!(checks > 3 && done > 100, "{checks} checks beside {done} operations");
    assert!(unfinished * 4 <= checks, "{unfinished} of {checks} checks began before all was flushed");
    share.world.close().await;
    assert_clean(&share.check_offline(QUIET).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_found_in_a_healthy_share_however_busy() {
    check_while_busy(false).await;
    check_while_busy(true).await;
}

#[tokio::test]
async fn a_running_share_is_not_repaired_and_checked_once_at_a_time() {
    let share = Share::closed(false).await;
    let refused = share.world.services.check(SHARE, crate::share::REPAIR, Arc::new(())).await;
    assert_eq!(refused.unwrap_err(), FsError::NotSupported);
    let (one, two) = tokio::join!(
        share.world.services.check(SHARE, QUIET, Arc::new(())),
        share.world.services.check(SHARE, QUIET, Arc::new(()))
    );
    assert!(one.is_ok());
    assert_eq!(two.unwrap_err(), FsError::Busy);
}

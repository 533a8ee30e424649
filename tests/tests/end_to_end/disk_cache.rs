//! The cache on a disk: it saves requests over restarts, and whatever becomes of its files no client sees.

use std::{
    fs, io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_tests::{
    fault_proxy::FaultProxy,
    s3::S3Server,
    server::{Home, Server},
};
use hyper::Method;
use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;

use crate::{
    object_store::{check_file, configuration, write_file},
    persistence::root_of,
    session::{home, pattern},
};

const MIB: usize = 1 << 20;

/// A share in a bucket, with a memory that holds little and a disk that holds all.
fn with_disk(proxy: &FaultProxy, size: &str) -> String {
    let without = configuration(proxy.address(), "compression: none");
    let with = without.replace("memory: 64MiB", &format!("memory: 1MiB, disk: {{ path: warm, size: {size} }}"));
    assert_ne!(with, without);
    with
}

fn folder_of(home: &Home) -> PathBuf {
    home.data().join("warm")
}

fn gets(proxy: &FaultProxy) -> usize {
    proxy.seen().iter().filter(|(seen, _)| seen.method == Method::GET && seen.is_of_object()).count()
}

fn stop(server: Server) {
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
}

/// A file that is in the bucket only.
async fn flushed(home: &Home, data: &[u8]) -> nfs_fh3 {
    let server = home.start();
    let mut session = root_of(&server).await;
    let file = write_file(&mut session, "file", data).await;
    stop(server);
    fs::remove_dir_all(folder_of(home)).unwrap();
    file
}

/// Waits until what was read is on the disk.
async fn wait_until_written(home: &Home) {
    let (mut before, began) = (0, Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = bytes_in(&folder_of(home));
        if now > 0 && now == before {
            return;
        }
        before = now;
        assert!(began.elapsed() < Duration::from_secs(30), "it never ends writing");
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()).collect()
}

fn bytes_in(folder: &Path) -> u64 {
    files_in(folder).iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum()
}

#[rstest]
#[case::stop(false)]
#[case::kill(true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_not_fetched_again_after_a_restart(#[case] kill: bool) {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&with_disk(&proxy, "64MiB")));
    let data = pattern(21 * MIB + 333);
    let file = flushed(&home, &data).await;

    let server = home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &file, &data).await;
    wait_until_written(&home).await;
    if kill {
        server.kill()
    } else {
        stop(server)
    }
    assert!(gets(&proxy) > 0);

    let server = home.start();
    let mut session = root_of(&server).await;
    let before = gets(&proxy);
    check_file(&mut session, &file, &data).await;
    assert_eq!(gets(&proxy), before, "it was on the disk");
    // Not even the store is needed.
    proxy.begin_outage();
    check_file(&mut session, &file, &data).await;
    drop(server);
}

/// Removes a folder into which the server may be writing: a file that comes between the listing and the removal of the
/// folder makes that removal fail, so it is tried again.
fn remove_under_a_writer(folder: &Path) {
    for _ in 0..1000 {
        match fs::remove_dir_all(folder) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{} is never empty", folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_wiped_damaged_and_cut_under_a_reader_change_nothing_that_it_sees() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&with_disk(&proxy, "16MiB")));
    // More than the cache may hold, so that it is written to all the time.
    let data = pattern(24 * MIB);
    let file = flushed(&home, &data).await;
    let server = home.start();
    let mut session = root_of(&server).await;
    let ends = Arc::new(AtomicBool::new(false));
    let (vandal_ends, folder) = (Arc::clone(&ends), folder_of(&home));
    let vandal = std::thread::spawn(move || {
        let mut round = 0_usize;
        while !vandal_ends.load(Ordering::Relaxed) {
            for (number, path) in files_in(&folder).into_iter().enumerate() {
                let Ok(file) = fs::File::options().write(true).open(&path) else { continue };
                let length = file.metadata().map_or(0, |known| known.len());
                // Calls fail here where the server is removing the file at the same time.
                match (number + round) % 7 {
                    0 => drop(file.set_len(length / 3)),
                    1 => drop(fs::remove_file(&path)),
                    2 => (0..length).step_by(50_000).for_each(|at| drop(file.write_all_at(b"vandal", at))),
                    3 => drop(file.set_len(0)),
                    _ => {}
                }
            }
            round += 1;
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    for _ in 0..4 {
        check_file(&mut session, &file, &data).await;
    }
    ends.store(true, Ordering::Relaxed);
    vandal.join().unwrap();
    assert!(bytes_in(&folder_of(&home)) <= 16 << 20);
    stop(server);
    // The files that are left of it are opened again.
    let server = home.start();
    check_file(&mut root_of(&server).await, &file, &data).await;
    remove_under_a_writer(&folder_of(&home));
    for _ in 0..2 {
        check_file(&mut root_of(&server).await, &file, &data).await;
    }
    stop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_can_not_be_used_switches_the_cache_off_and_nothing_else() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&with_disk(&proxy, "16MiB")));
    let data = pattern(3 * MIB);
    let file = flushed(&home, &data).await;
    fs::write(folder_of(&home), "in the way").unwrap();
    let server = home.start();
    check_file(&mut root_of(&server).await, &file, &data).await;
    stop(server);
    assert!(home.log().contains("the disk cache can't be opened"), "{}", home.log());
    fs::remove_file(folder_of(&home)).unwrap();

    fs::create_dir(folder_of(&home)).unwrap();
    fs::write(folder_of(&home).join("letter.txt"), "somebody's").unwrap();
    let refused = home.try_start(&[]).err().unwrap();
    assert!(refused.log.contains("letter.txt") && refused.log.contains("cache.disk.path"), "{}", refused.log);
    fs::remove_file(folder_of(&home).join("letter.txt")).unwrap();

    let server = home.start();
    check_file(&mut root_of(&server).await, &file, &data).await;
    wait_until_written(&home).await;
    stop(server);
}

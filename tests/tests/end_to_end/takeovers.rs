//! A holder of a share's objects that stands still at one of its steps, is taken over from meanwhile, and goes on: what
//! it sends then harms nothing.
//!
//! CI goes through two of the steps; `TAKEOVERS=all cargo test -p dittofs-tests --test end_to_end takeovers` through all.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy, Seen},
    s3::S3Server,
    server::Server,
};
use hyper::Method;
use parking_lot::Mutex;

use crate::{
    object_store::{check_file, configuration, write_file},
    owners::copy_of,
    persistence::root_of,
    session::{home, pattern},
};

/// Until a step comes by: what is removed is deleted after half a minute.
const STEP_WITHIN: Duration = Duration::from_secs(120);
/// Until what was written is in the bucket.
const FLUSHED: Duration = Duration::from_secs(10);
/// Until nothing of the one before can have an effect any more, and what the next one took is flushed.
const QUIET_WITHIN: Duration = Duration::from_secs(150);
/// Until a holder that goes on sees that it is none any more.
const LOST_WITHIN: Duration = Duration::from_secs(60);

/// A request of the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    ReadsMark,
    WritesMark,
    Puts,
    Deletes,
}

impl Step {
    fn is(self, seen: &Seen) -> bool {
        let is_mark = seen.path.ends_with("/owner");
        match self {
            Step::ReadsMark => is_mark && seen.method == Method::GET,
            Step::WritesMark => is_mark && seen.method == Method::PUT,
            Step::Puts => seen.is_of_object() && seen.method == Method::PUT,
            Step::Deletes => seen.is_of_object() && seen.method == Method::DELETE,
        }
    }
}

/// Stops a process at its next request of a kind, which then takes effect or not.
fn stop_at(proxy: &FaultProxy, server: &Server, step: Step, fate: Fate) -> Arc<AtomicU32> {
    let process = Arc::new(AtomicU32::new(server.process()));
    let armed = Arc::clone(&process);
    proxy.rule(move |seen| {
        if !step.is(seen) {
            return Fate::Pass;
        }
        match armed.swap(0, Ordering::AcqRel) {
            0 => Fate::Pass,
            process => {
                let stopped = Command::new("kill").args(["-STOP", &process.to_string()]).status().unwrap();
                assert!(stopped.success());
                fate
            }
        }
    });
    process
}

/// Files that were committed, with what is in them.
type Committed = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Removes what has been flushed, so that it is deleted, and writes files until the server stands still.
async fn work(server: &Server, committed: Committed) -> ! {
    let mut session = root_of(server).await;
    let root = session.root.clone();
    let doomed: Vec<String> = (0..5).map(|number| format!("doomed{number}")).collect();
    for name in &doomed {
        write_file(&mut session, name, &pattern(60_000)).await;
    }
    tokio::time::sleep(FLUSHED).await;
    for name in &doomed {
        session.remove_file(&root, name.as_bytes()).await.unwrap();
    }
    let mut number = 0;
    loop {
        let (name, data) = (format!("file{number}"), pattern(60_000 + number % 1_000));
        write_file(&mut session, &name, &data).await;
        committed.lock().push((name, data));
        number += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn taken_over(bucket: S3Server, step: Step, fate: Fate) {
    let what = format!("{step:?}, {fate:?}");
    let proxy = FaultProxy::start(bucket.address());
    let original = home(Some(&configuration(proxy.address(), "compression: none")));
    let server = original.start();
    let committed = Committed::default();
    let armed = stop_at(&proxy, &server, step, fate);
    let until = Instant::now() + STEP_WITHIN;
    tokio::select! {
        never = work(&server, Arc::clone(&committed)) => never,
        () = async {
            while armed.load(Ordering::Acquire) != 0 {
                assert!(Instant::now() < until, "{what}: {}", original.log());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        } => {}
    }
    let committed = std::mem::take(&mut *committed.lock());

    let direct = configuration(bucket.address(), "compression: none");
    let copy = copy_of(&original, None, &direct);
    let second =
        copy.try_start(&["--take-over", "/export"]).unwrap_or_else(|refused| panic!("{what}: {}", refused.log));
    let mut taken = root_of(&second).await;
    let root = taken.root.clone();
    let own = pattern(3_000_000);
    write_file(&mut taken, "own", &own).await;
    server.signal("CONT");

    let until = Instant::now() + LOST_WITHIN;
    let gave_up = ["nothing is flushed or deleted any more", "the content store can't be used"];
    while !gave_up.iter().any(|words| fs::read_to_string(original.data().join("../log")).unwrap().contains(words)) {
        assert!(Instant::now() < until, "{what}: {}", original.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Meanwhile an object that the earlier holder began may be deleted.
    let before = bucket.objects();
    let until = Instant::now() + QUIET_WITHIN;
    while bucket.objects().iter().all(|object| before.contains(object)) {
        assert!(Instant::now() < until, "{what}: {}", copy.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    server.kill();
    let stopped = second.stop();
    assert!(stopped.status.success(), "{what}: {}", copy.log());
    let checked = copy.run(&["check"]);
    assert!(checked.status.success(), "{what}: {checked:?}");
    let second = copy.start();
    let mut taken = root_of(&second).await;
    for (name, data) in committed.iter().chain([&("own".to_owned(), own)]) {
        let file = taken.find(&root, name.as_bytes()).await.unwrap_or_else(|error| panic!("{what}: {name}: {error:?}"));
        check_file(&mut taken, &file, data).await;
    }
    assert!(second.stop().status.success());
}

/// Whether all steps are gone through.
fn are_all() -> bool {
    std::env::var("TAKEOVERS").is_ok_and(|which| which == "all")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_stopped_harms_nothing_where_the_store_can_compare() {
    let all = [Step::WritesMark, Step::Puts, Step::Deletes];
    for step in all.into_iter().filter(|step| are_all() || *step == Step::Deletes) {
        for fate in [Fate::Pass, Fate::DropBefore].into_iter().filter(|fate| are_all() || *fate == Fate::DropBefore) {
            taken_over(S3Server::start(), step, fate).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_stopped_harms_nothing_where_the_store_can_not_compare() {
    let all = [Step::ReadsMark, Step::WritesMark, Step::Puts, Step::Deletes];
    for step in all.into_iter().filter(|step| are_all() || *step == Step::ReadsMark) {
        for fate in [Fate::Pass, Fate::DropBefore].into_iter().filter(|fate| are_all() || *fate == Fate::Pass) {
            taken_over(S3Server::without_conditions(), step, fate).await;
        }
    }
}

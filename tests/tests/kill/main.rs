//! The server is killed at random under mixed load over NFS, or SMB, and started again. Everything that was answered as
//! stable is there, by a record that the clients keep, and a retransmission is carried out once. `KILLS` says how often
//! (8), `KILL_SEED` which load. Where there is a disk cache, it is wiped, truncated and damaged meanwhile.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../end_to_end/session.rs"]
#[allow(dead_code, reason = "shared with the end-to-end tests, which use all of it")]
mod session;

mod database;
mod record;
mod resend;
mod smb;
mod steps;
mod worker;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use dittofs_tests::{
    bucket,
    fault_proxy::{Fate, FaultProxy},
    model::Random,
    s3::S3Server,
    server::Home,
};
use tokio::sync::watch;

use database::{Database, Trouble, over_database};
use resend::{Place, Resender, Seen};
use session::{Session, home, user};
use worker::Worker;

const WORKERS: u64 = 4;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
}

/// Small stores, so that flushes, pressure and reuse of segments happen all the time.
fn small(home: &Home, content: &str, disk_cache: &str) -> String {
    let path = |name: &str| home.data().join(name).display().to_string();
    format!(
        "metadata: {{ stores: {{ persistent: {{ type: redb, redb: {{ path: {} }} }} }} }}\n\
         content: {{ stores: {{ content: {content} }} }}\n\
         journal: {{ path: {}, size: 32MiB }}\n\
         cache: {{ memory: 4MiB{disk_cache} }}\n\
         shares: [ {{ name: /export, metadata_store: persistent, content_store: content, squash: none }} ]\n",
        path("metadata"),
        path("journal")
    )
}

/// Does something bad to a disk cache, or nothing.
fn spoil(cache: &Path, random: &mut Random) {
    let files: Vec<_> = fs::read_dir(cache).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let files: Vec<_> = files.into_iter().filter(|path| path.is_file()).collect();
    if files.is_empty() {
        return;
    }
    let file = &files[random.below(files.len() as u64) as usize];
    match random.below(5) {
        0 => drop(fs::remove_dir_all(cache)),
        1 => drop(fs::remove_file(file)),
        2 => {
            if let Ok(opened) = fs::File::options().write(true).open(file) {
                let length = opened.metadata().map_or(0, |found| found.len());
                opened.set_len(random.below(length + 1)).unwrap();
            }
        }
        3 => {
            use std::os::unix::fs::FileExt;
            if let Ok(opened) = fs::File::options().write(true).open(file) {
                let length = opened.metadata().map_or(0, |found| found.len());
                opened.write_all_at(b"damaged bytes", random.below(length + 1)).unwrap();
            }
        }
        _ => {}
    }
}

/// Kills and starts the server again and again under load. After each start all is there that was answered as stable.
async fn outlives_every_kill(home: &Home, disk_cache: Option<&Path>) {
    let (kills, seed) = (number("KILLS", 8), number("KILL_SEED", 1));
    let mut random = Random::new(seed);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, random.bits())).collect();
    let mut answered = 0;
    for round in 0..=kills {
        let server = home.start();
        let mut checked = Vec::new();
        for worker in &mut workers {
            let mut session = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
            worker.check(&mut session, round).await;
            checked.push(session);
        }
        if round == kills {
            assert!(server.stop().status.success());
            break;
        }
        let (killed, _) = watch::channel(false);
        let tasks: Vec<_> = workers
            .into_iter()
            .zip(checked)
            .map(|(mut worker, mut session)| {
                let killed = killed.subscribe();
                tokio::spawn(async move {
                    worker.work(&mut session, killed).await;
                    worker
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(10 + random.below(450))).await;
        disk_cache.into_iter().for_each(|cache| spoil(cache, &mut random));
        tokio::time::sleep(Duration::from_millis(10 + random.below(450))).await;
        server.kill();
        disk_cache.into_iter().for_each(|cache| spoil(cache, &mut random));
        killed.send_replace(true);
        workers = Vec::new();
        for task in tasks {
            workers.push(task.await.unwrap());
        }
        answered = workers.iter().map(|worker| worker.answered).sum();
    }
    println!("{kills} kills, {answered} operations answered, seed {seed}");
    assert!(answered > kills * 10, "only {answered} operations were answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_as_stable_outlives_every_kill() {
    let home = home(None);
    let content = format!("{{ type: fs, fs: {{ path: {} }} }}", home.data().join("content").display());
    home.configure(&small(&home, &content, ""));
    outlives_every_kill(&home, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_content_on_s3_behind_a_lossy_network_it_outlives_every_kill_too() {
    let server = S3Server::start();
    let proxy = FaultProxy::start(server.address());
    let objects = AtomicUsize::new(0);
    proxy.rule(move |seen| match seen.number % 23 {
        _ if seen.is_of_object() && objects.fetch_add(1, Ordering::Relaxed) % 9 == 4 => Fate::DropAfter,
        5 => Fate::DropAfter,
        11 => Fate::Refuse(503, "SlowDown"),
        17 => Fate::DropBefore,
        20 => Fate::Delay(Duration::from_millis(40)),
        _ => Fate::Pass,
    });
    let home = home(None);
    let content = bucket::content(proxy.address(), "killed");
    let cache = home.data().join("cache");
    let disk_cache = format!(", disk: {{ path: {}, size: 64MiB }}", cache.display());
    home.configure(&small(&home, &content, &disk_cache));
    outlives_every_kill(&home, Some(&cache)).await;
    assert!(proxy.seen().iter().any(|(seen, fate)| seen.is_of_object() && *fate == Fate::DropAfter));
}

/// Without a disk: metadata in PostgreSQL, content in S3, nothing in a journal. The database is killed, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_tier_remote_it_outlives_every_kill_of_the_server_and_of_the_database() {
    let (bucket, database) = (S3Server::start(), Database::start());
    let home = home(None);
    let content = bucket::content(bucket.address(), "remote");
    home.configure(&over_database(&database, &content, "remote"));
    let trouble = database.in_trouble(Random::new(number("KILL_SEED", 1)));
    outlives_every_kill(&home, None).await;
    drop(trouble.end());
    assert!(!home.data().join("journal").exists(), "there is no journal");
}

/// Clients that send what got no reply again, with the same bytes from the same port: no call fails, as nobody else works
/// on their names. `KILL_ROUNDS` says how often the server is killed (20).
#[test]
fn a_call_that_is_sent_again_after_a_kill_is_carried_out_once() {
    let home = home(None);
    let content = format!("{{ type: fs, fs: {{ path: {} }} }}", home.data().join("content").display());
    home.configure(&small(&home, &content, ""));
    every_call_is_carried_out_once(&home, None);
}

/// The same with metadata in PostgreSQL, which is killed, paused and cut off in between, in whatever it is doing.
#[test]
fn over_a_database_in_trouble_a_call_is_carried_out_once_too() {
    let database = Database::start();
    let home = home(None);
    let content = format!("{{ type: fs, fs: {{ path: {} }} }}", home.data().join("content").display());
    home.configure(&over_database(&database, &content, "local"));
    every_call_is_carried_out_once(&home, Some(database));
}

fn every_call_is_carried_out_once(home: &Home, database: Option<Database>) {
    const CLIENTS: u32 = 3;
    let (rounds, mut random) = (number("KILL_ROUNDS", 20), Random::new(number("KILL_SEED", 1)));
    let place = Arc::new(Place::default());
    let mut server = home.start();
    place.set(Some(server.address()));
    let clients: Vec<_> = (1..=CLIENTS).map(|number| Resender::new(number, &place)).collect();
    let trouble = database.map(|database| database.in_trouble(Random::new(number("KILL_SEED", 1))));
    let clients: Vec<_> = clients.into_iter().map(|client| thread::spawn(|| client.work())).collect();
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(20 + random.below(300)));
        place.set(None);
        server.kill();
        server = home.start();
        place.set(Some(server.address()));
    }
    place.finish();
    let _database = trouble.map(Trouble::end);
    let seen: Vec<Seen> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>();
    let wrong: Vec<&String> = seen.iter().flat_map(|seen| &seen.wrong).collect();
    println!(
        "{rounds} kills, {} calls answered, {} sent again, {} of them carried out before, {} wrong errors",
        sum(|seen| seen.answered),
        sum(|seen| seen.resent),
        sum(|seen| seen.repeated),
        wrong.len(),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(sum(|seen| seen.resent) >= rounds, "hardly a call was sent again");
    assert!(server.stop().status.success());
}

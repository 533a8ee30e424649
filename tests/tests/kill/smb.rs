//! The same over SMB: what a FLUSH, a write-through WRITE, or a change of names or lengths was answered for is there after
//! each start, over SMB and over NFS, and what was only written is there or not. Half of the clients encrypt, half sign.

mod client;
mod worker;

use std::time::Duration;

use dittofs_tests::{bucket, model::Random, ports::own_port, s3::S3Server, server::Home};
use tokio::sync::watch;

use crate::{
    database::{Database, over_database},
    number,
    session::{Session, home, user},
    small,
};
use client::Client;
use worker::{Counts, Worker};

const PASSWORD: &str = "correct horse";
const WORKERS: u64 = 4;

/// Adds SMB to a configuration, and a user to the server. Returns the port.
fn with_smb(home: &Home, configuration: &str) -> u16 {
    let port = own_port();
    home.configure(&format!("{configuration}adapters: {{ smb: {{ listen: \"127.0.0.1:{port}\" }} }}\n"));
    let words = ["user", "add", "alice", "--uid", "1000", "--gid", "1000"];
    let added = home.run_with(&words, &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    port
}

/// Kills and starts the server again and again under load. After each start all is there that must be.
async fn outlives_every_kill(home: &Home, port: u16) {
    let (kills, seed) = (number("KILLS", 8), number("KILL_SEED", 1));
    let mut random = Random::new(seed);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, random.bits())).collect();
    for round in 0..=kills {
        if random.one_in(8) {
            // One that is killed while it settles, after a start that may have had much to replay.
            home.start().kill();
        }
        let server = home.start();
        let address = server.address();
        let checked = each(workers, move |mut worker: Worker| async move {
            let mut client = Client::connect(port, worker.is_sealed).await;
            let mut nfs = Session::open(address, "/export", &user(0, 0, &[])).await;
            worker.check(&mut client, &mut nfs, round).await;
            (worker, client)
        });
        let checked = checked.await;
        if round == kills {
            assert!(server.stop().status.success());
            workers = checked.into_iter().map(|(worker, _)| worker).collect();
            break;
        }
        let (killed, _) = watch::channel(false);
        let receivers: Vec<_> = checked.into_iter().map(|pair| (pair, killed.subscribe())).collect();
        let working =
            tokio::spawn(each(receivers, |((mut worker, client), killed): ((Worker, Client), _)| async move {
                worker.work(&client, killed).await;
                worker
            }));
        tokio::time::sleep(Duration::from_millis(20 + random.below(600))).await;
        server.kill();
        killed.send_replace(true);
        workers = working.await.unwrap();
    }
    report(kills, seed, &workers);
    let output = home.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("check: {}", said.trim());
    assert!(output.status.success() && said.contains("clean"), "{said}");
}

/// Runs something for each of these at once, and returns what comes of them, in their order.
async fn each<T, R, F>(all: Vec<T>, run: impl Fn(T) -> F) -> Vec<R>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let tasks: Vec<_> = all.into_iter().map(|one| tokio::spawn(run(one))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

fn report(kills: u64, seed: u64, workers: &[Worker]) {
    let sum = |count: fn(&Counts) -> u64| workers.iter().map(|worker| count(&worker.counts)).sum::<u64>();
    let answered = sum(|counts| counts.answered);
    println!(
        "{kills} kills over SMB, {answered} requests answered: {} flushes, {} durable writes, {} changes of names, \
         {} writes across regions, seed {seed}",
        sum(|counts| counts.flushes),
        sum(|counts| counts.durable_writes),
        sum(|counts| counts.names),
        sum(|counts| counts.across),
    );
    assert!(answered > kills * 10, "only {answered} requests were answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_flush_confirmed_outlives_every_kill() {
    let home = home(None);
    let content = format!("{{ type: fs, fs: {{ path: {} }} }}", home.data().join("content").display());
    let port = with_smb(&home, &small(&home, &content, ""));
    outlives_every_kill(&home, port).await;
}

/// Metadata in PostgreSQL, content in S3, and no journal: what is not flushed is only in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_tier_remote_what_a_flush_confirmed_outlives_every_kill() {
    let (bucket, database) = (S3Server::start(), Database::start());
    let home = home(None);
    let content = bucket::content(bucket.address(), "remote");
    let port = with_smb(&home, &over_database(&database, &content, "remote"));
    outlives_every_kill(&home, port).await;
    assert!(!home.data().join("journal").exists(), "there is no journal");
}

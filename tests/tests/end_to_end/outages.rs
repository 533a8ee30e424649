//! Object stores that lose answers, refuse, damage what they answer, or are away: for `OUTAGE_SECONDS` (12) in the long one.

use std::time::{Duration, Instant};

use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy, Seen},
    s3::S3Server,
};
use hyper::Method;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    object_store::{check_file, configuration, write_file},
    persistence::root_of,
    session::{Session, home, pattern, status},
};

const MIB: usize = 1 << 20;

async fn read_status(session: &mut Session, file: &nfs_fh3, offset: u64) -> nfsstat3 {
    let arguments = READ3args { file: file.clone(), offset, count: 4_096 };
    status(&session.read(&arguments).await.unwrap())
}

/// Reads until the status is this one.
async fn until_read_is(session: &mut Session, file: &nfs_fh3, wanted: nfsstat3, within: Duration) {
    let began = Instant::now();
    loop {
        let found = read_status(session, file, 0).await;
        if found == wanted {
            return;
        }
        assert!(began.elapsed() < within, "{found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn until(within: Duration, what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < within, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_refusals_lose_nothing() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "compression: none")));
    let data = pattern(40 * MIB + 5);
    let server = home.start();
    proxy.rule(|seen| match seen.number % 7 {
        1 => Fate::DropAfter,
        3 => Fate::Refuse(503, "SlowDown"),
        4 => Fate::DropBefore,
        6 => Fate::Delay(Duration::from_millis(50)),
        _ => Fate::Pass,
    });
    let mut session = root_of(&server).await;
    let file = write_file(&mut session, "file", &data).await;
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}: {}", home.log());
    let server = home.start();
    let mut session = root_of(&server).await;
    proxy.rule(|seen| match seen.number % 5 {
        1 => Fate::DropAfter,
        3 => Fate::Refuse(500, "InternalError"),
        _ => Fate::Pass,
    });
    check_file(&mut session, &file, &data).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_wrong_bytes_is_asked_for_again_and_never_believed() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "compression: none")));
    let data = pattern(100_000);
    let server = home.start();
    let file = write_file(&mut root_of(&server).await, "file", &data).await;
    assert!(server.stop().status.success());

    let is_read = |seen: &Seen| seen.method == Method::GET && seen.is_of_object();
    for fate in [Fate::Corrupt, Fate::Shorten] {
        let server = home.start();
        let mut session = root_of(&server).await;
        let from = proxy.seen().len();
        proxy.rule(move |seen| if is_read(seen) && seen.number < from + 2 { fate } else { Fate::Pass });
        until_read_is(&mut session, &file, nfsstat3::NFS3_OK, Duration::from_secs(10)).await;
        check_file(&mut session, &file, &data).await;
        assert!(server.stop().status.success());
    }
    let server = home.start();
    let mut session = root_of(&server).await;
    proxy.rule(move |seen| if is_read(seen) { Fate::Corrupt } else { Fate::Pass });
    assert_eq!(read_status(&mut session, &file, 0).await, nfsstat3::NFS3ERR_IO);
    proxy.end_outage();
    check_file(&mut session, &file, &data).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_what_does_not_need_it_goes_on_and_all_drains_afterwards() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "compression: none")));
    let server = home.start();
    let data = pattern(4 * MIB);
    let stored = write_file(&mut root_of(&server).await, "stored", &data).await;
    // Now it is in the bucket, and is read from there.
    assert!(server.stop().status.success());
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    check_file(&mut session, &stored, &data).await;

    proxy.begin_outage();
    let file = session.make_file(&root, b"large", 0o644).await;
    let large = pattern(64 * MIB);
    let mut written = 0;
    let throttled = loop {
        let piece = &large[written..written + MIB];
        match session.write_at(&file, written as u64, piece, stable_how::FILE_SYNC).await {
            Nfs3Result::Ok(_) => written += MIB,
            Nfs3Result::Err((status, _)) => break status,
        }
    };
    assert_eq!(throttled, nfsstat3::NFS3ERR_JUKEBOX);
    assert!((16 * MIB..64 * MIB).contains(&written), "{written}");
    // Cached content, content in the journal, names.
    check_file(&mut session, &stored, &data).await;
    check_file(&mut session, &file, &large[..written]).await;
    session.make_directory(&root, b"folder", 0o755).await;
    session.move_to((&root, b"stored"), (&root, b"moved")).await.unwrap();
    assert_eq!(session.attributes_of(&file).await.size, written as u64);

    proxy.end_outage();
    let began = Instant::now();
    while written < large.len() {
        let piece = &large[written..written + MIB];
        match session.write_at(&file, written as u64, piece, stable_how::UNSTABLE).await {
            Nfs3Result::Ok(_) => written += MIB,
            Nfs3Result::Err((status, _)) => assert_eq!(status, nfsstat3::NFS3ERR_JUKEBOX),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not drain: {written}");
    }
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");

    let server = home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &file, &large).await;
    check_file(&mut session, &stored, &data).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_starts_without_its_store_and_reads_what_is_not_there_later_or_never() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "outage_seconds: 3")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let data = pattern(MIB);
    let cold = write_file(&mut session, "cold", &data).await;
    until(Duration::from_secs(20), "flushed", || !bucket.objects().is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    proxy.begin_outage();
    let journaled = write_file(&mut session, "journaled", &data).await;
    server.kill();

    let server = home.start();
    let mut session = root_of(&server).await;
    assert!(home.log().contains("opened without its content store"), "{}", home.log());
    check_file(&mut session, &journaled, &data).await;
    assert_eq!(session.attributes_of(&cold).await.size, data.len() as u64);
    let late = write_file(&mut session, "late", &data).await;
    assert_eq!(read_status(&mut session, &cold, 0).await, nfsstat3::NFS3ERR_JUKEBOX);
    until_read_is(&mut session, &cold, nfsstat3::NFS3ERR_IO, Duration::from_secs(20)).await;

    proxy.end_outage();
    until_read_is(&mut session, &cold, nfsstat3::NFS3_OK, Duration::from_secs(20)).await;
    for file in [&cold, &journaled, &late] {
        check_file(&mut session, file, &data).await;
    }
    assert!(server.stop().status.success());
}

/// How long the store is away, and for how long a read is put off meanwhile.
fn long_outage() -> (Duration, Duration) {
    let seconds = std::env::var("OUTAGE_SECONDS").ok().map_or(12, |text| text.parse().expect("a number of seconds"));
    (Duration::from_secs(seconds), Duration::from_secs(seconds / 4).min(Duration::from_secs(300)))
}

/// Reads what is nowhere but in the store, until it is over: it is to come again at first, and an error when the bound
/// is over.
async fn read_in_vain(
    mut session: Session,
    file: nfs_fh3,
    (began, bound): (Instant, Duration),
    mut ended: tokio::sync::watch::Receiver<bool>,
) -> Vec<(Duration, nfsstat3)> {
    let mut answers = Vec::new();
    while !*ended.borrow() {
        let answer = tokio::select! {
            answer = read_status(&mut session, &file, 0) => answer,
            _ = ended.changed() => break,
        };
        answers.push((began.elapsed(), answer));
        tokio::time::sleep(bound / 20).await;
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_of_every_kind_is_survived() {
    let (length, bound) = long_outage();
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let share = format!("compression: none, outage_seconds: {}", bound.as_secs());
    let home = home(Some(&configuration(proxy.address(), &share)));
    let server = home.start();
    let mut session = root_of(&server).await;
    let (data, large) = (pattern(4 * MIB), pattern(64 * MIB));
    let cached = write_file(&mut session, "cached", &data).await;
    let cold = write_file(&mut session, "cold", &data).await;
    assert!(server.stop().status.success());
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    check_file(&mut session, &cached, &data).await;

    let began = Instant::now();
    proxy.rule(move |_| match 4 * began.elapsed().as_secs() / length.as_secs().max(1) {
        0 => Fate::DropBefore,
        1 => Fate::Refuse(503, "SlowDown"),
        2 => Fate::Hang,
        _ => Fate::Refuse(500, "InternalError"),
    });
    let (over, ended) = tokio::sync::watch::channel(false);
    let reader = tokio::spawn(read_in_vain(root_of(&server).await, cold.clone(), (began, bound), ended));
    let file = session.make_file(&root, b"large", 0o644).await;
    let (mut written, mut throttled, mut rounds) = (0, 0, 0_u64);
    while began.elapsed() < length {
        // In the second half the journal is filled, and stays full.
        let pieces = if 2 * began.elapsed() < length { 1 } else { 8 };
        for _ in 0..pieces.min((large.len() - written) / MIB) {
            let stable = if rounds % 2 == 0 { stable_how::FILE_SYNC } else { stable_how::UNSTABLE };
            let length = if pieces == 1 { 4_096 } else { MIB };
            let answer = session.write_at(&file, written as u64, &large[written..written + length], stable).await;
            match status(&answer) {
                nfsstat3::NFS3_OK => written += length,
                status => {
                    assert_eq!(status, nfsstat3::NFS3ERR_JUKEBOX, "after {:?}", began.elapsed());
                    throttled += 1;
                    break;
                }
            }
        }
        check_file(&mut session, &cached, &data).await;
        let (name, other) = (format!("folder{rounds}"), format!("moved{rounds}"));
        session.make_directory(&root, name.as_bytes(), 0o755).await;
        session.move_to((&root, name.as_bytes()), (&root, other.as_bytes())).await.unwrap();
        assert_eq!(status(&session.remove_directory(&root, other.as_bytes()).await), nfsstat3::NFS3_OK);
        assert_eq!(session.attributes_of(&file).await.size, written as u64);
        rounds += 1;
        tokio::time::sleep((length / 200).min(Duration::from_secs(2))).await;
    }
    assert!(throttled > 0, "the journal was never full: {written} bytes, {rounds} rounds");

    over.send_replace(true);
    proxy.end_outage();
    let began = Instant::now();
    while written < large.len() {
        let end = large.len().min(written + MIB);
        match session.write_at(&file, written as u64, &large[written..end], stable_how::UNSTABLE).await {
            Nfs3Result::Ok(_) => written = end,
            Nfs3Result::Err((status, _)) => assert_eq!(status, nfsstat3::NFS3ERR_JUKEBOX),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not drain: {written}");
    }
    until_read_is(&mut session, &cold, nfsstat3::NFS3_OK, Duration::from_secs(60)).await;
    let answers = reader.await.unwrap();
    let others = |(at, status): &&(Duration, nfsstat3)| {
        *status != nfsstat3::NFS3ERR_JUKEBOX && (*status != nfsstat3::NFS3ERR_IO || *at < bound)
    };
    assert_eq!(answers.iter().find(others), None);
    assert!(answers.iter().any(|(_, status)| *status == nfsstat3::NFS3ERR_JUKEBOX), "{answers:?}");
    assert!(answers.iter().any(|(_, status)| *status == nfsstat3::NFS3ERR_IO), "{answers:?}");
    println!("away for {length:?}: {rounds} rounds, {throttled} writes put off, {} cold reads", answers.len());

    assert!(server.stop().status.success());
    let server = home.start();
    let mut session = root_of(&server).await;
    for (file, data) in [(&file, &large), (&cached, &data), (&cold, &data)] {
        check_file(&mut session, file, data).await;
    }
}

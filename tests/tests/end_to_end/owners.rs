//! Two servers on one content store: a data folder that was copied, and started beside the original.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use dittofs_tests::{
    s3::S3Server,
    server::{Home, Refused, Server},
};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    object_store::{check_file, configuration, write_file},
    persistence::root_of,
    session::{home, pattern},
};

/// A home with a copy of the data folder of another one, as of one instant.
pub(crate) fn copy_of(original: &Home, server: Option<&Server>, configuration: &str) -> Home {
    let copy = home(Some(configuration));
    server.into_iter().for_each(|server| server.signal("STOP"));
    let copied = Command::new("cp").arg("-a").args([original.data(), copy.data()]).status().unwrap();
    server.into_iter().for_each(|server| server.signal("CONT"));
    assert!(copied.success());
    copy
}

fn on_folder(content: &Path) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: {} }} }} }} }}\n\
         journal: {{ path: journal, size: 64MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n",
        content.display()
    )
}

fn refusal(home: &Home, options: &[&str]) -> String {
    home.try_start(options).err().expect("the start should be refused").log
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_beside_the_living_original_is_refused_on_a_folder() {
    let content = tempfile::tempdir().unwrap();
    let configuration = on_folder(content.path());
    let original = home(Some(&configuration));
    let server = original.start();
    let data = pattern(300_000);
    let file = write_file(&mut root_of(&server).await, "file", &data).await;
    let copy = copy_of(&original, Some(&server), &configuration);
    // Whoever looks sees the mark change; whoever takes over does not get past the lock.
    for (options, found) in [(&[][..], "its objects are held by"), (&["--take-over", "/export"], "is locked")] {
        let log = refusal(&copy, options);
        let folder = original.data().display().to_string();
        assert!(log.contains(found) && log.contains(&folder), "{log}");
    }
    // A holder that stands still is no dead one.
    server.signal("STOP");
    assert!(refusal(&copy, &[]).contains("is locked"));
    server.signal("CONT");
    check_file(&mut root_of(&server).await, &file, &data).await;
    // A restart of the original waits for nobody, however it ended.
    server.kill();
    let began = Instant::now();
    let server = original.start();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(server.stop().status.success());
    // The original went on: the copy is an older one now.
    let log = refusal(&copy, &[]);
    assert!(log.contains("older copy") && log.contains("--accept-loss /export"), "{log}");
    let unknown = refusal(&copy, &["--take-over", "/exprot"]);
    assert!(unknown.contains("--take-over /exprot") && unknown.contains("known: /export"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_stopped_server_goes_on_elsewhere_and_the_original_is_refused_then() {
    let content = tempfile::tempdir().unwrap();
    let configuration = on_folder(content.path());
    let original = home(Some(&configuration));
    let server = original.start();
    let data = pattern(300_000);
    let file = write_file(&mut root_of(&server).await, "file", &data).await;
    assert!(server.stop().status.success());
    let copy = copy_of(&original, None, &configuration);
    let began = Instant::now();
    let server = copy.start();
    assert!(began.elapsed() < Duration::from_secs(5), "what was given back is free: {:?}", began.elapsed());
    check_file(&mut root_of(&server).await, &file, &data).await;
    assert!(server.stop().status.success());
    assert!(refusal(&original, &[]).contains("does not know"));
}

/// On a bucket nothing is locked: the copy takes over from an original that stands still, waits until nothing of that
/// one can have an effect any more, and the original stops for good when it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_taken_over_on_a_bucket_stops_flushing() {
    let bucket = S3Server::start();
    let configuration = configuration(bucket.address(), "compression: none");
    let original = home(Some(&configuration));
    let server = original.start();
    let mut session = root_of(&server).await;
    let data = pattern(300_000);
    let file = write_file(&mut session, "file", &data).await;
    assert!(original.run(&["share", "list"]).status.success());
    let copy = copy_of(&original, Some(&server), &configuration);
    let log = refusal(&copy, &[]);
    assert!(log.contains("--take-over /export") && log.contains(&original.data().display().to_string()), "{log}");

    server.signal("STOP");
    let second = copy.try_start(&["--take-over", "/export"]).unwrap_or_else(|refused| panic!("{}", refused.log));
    let mut taken = root_of(&second).await;
    let root = taken.root.clone();
    let found = taken.find(&root, b"file").await.unwrap();
    assert_eq!(taken.read_at(&found, 0, 10).await.data.as_ref(), &data[..10]);
    let own = write_file(&mut taken, "own", &data).await;
    server.signal("CONT");

    // The original sees that it has lost the objects, and says so.
    let until = Instant::now() + Duration::from_secs(40);
    while !fs::read_to_string(original.data().join("../log"))
        .unwrap()
        .contains("nothing is flushed or deleted any more")
    {
        assert!(Instant::now() < until, "{}", original.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let objects = bucket.objects();
    session.write_at(&file, 0, &data, stable_how::FILE_SYNC).await.unwrap();
    session.remove_file(&session.root.clone(), b"file").await.unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let left: Vec<_> = bucket.objects();
    assert!(objects.iter().all(|object| left.contains(object)), "something was deleted");

    // Writes that the new owner took are flushed once the other one's requests have surely ended.
    let until = Instant::now() + Duration::from_secs(90);
    while bucket.objects().len() <= objects.len() {
        assert!(Instant::now() < until, "{}", copy.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    check_file(&mut taken, &own, &data).await;
    server.kill();
    assert!(second.stop().status.success());
    assert!(refusal(&original, &[]).contains("does not know"));
}

/// Of two copies that start at one instant one becomes the owner, whether the store can compare or not.
#[rstest::rstest]
#[case::conditional(S3Server::start())]
#[case::unconditional(S3Server::without_conditions())]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_that_start_at_one_instant_one_is_the_owner(#[case] bucket: S3Server) {
    let configuration = configuration(bucket.address(), "compression: none");
    let original = home(Some(&configuration));
    let server = original.start();
    write_file(&mut root_of(&server).await, "file", &pattern(300_000)).await;
    assert!(server.stop().status.success());
    let copy = copy_of(&original, None, &configuration);
    let starts = [original, copy].map(|home| thread::spawn(move || (home.try_start(&[]), home)));
    let started = starts.map(|start| start.join().unwrap());
    // Longer than it takes a claim to settle.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let is_owner = |(server, home): &(Result<Server, Refused>, Home)| {
        let gave_up = ["the content store can't be used", "nothing is flushed or deleted any more"];
        server.is_ok() && !gave_up.iter().any(|words| home.log().contains(words))
    };
    let logs = started.each_ref().map(|(_, home)| home.log());
    assert_eq!(started.iter().filter(|start| is_owner(start)).count(), 1, "{logs:#?}");
}

//! Backups: what was acknowledged before one comes back byte by byte, elsewhere, after everything was removed, and
//! beside the original; what a backup pins stays, and what it does not pin any more goes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy},
    s3::S3Server,
    server::{Home, Server},
};
use hyper::Method;
use nfs3_client::nfs3_types::nfs3::nfsstat3;
use tempfile::TempDir;

use crate::{
    object_store::{self, check_file, write_file},
    persistence::root_of,
    sealing::key_add,
    session::{home, pattern},
};

mod content;

use content::{Load, Tree};

const MIB: usize = 1 << 20;
/// Longer than the collector waits before it deletes what nothing refers to.
const COLLECTED: Duration = Duration::from_secs(40);

/// A share in folders of its data folder, and more content stores.
fn on_folders(more: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} {more} }} }}\n\
         journal: {{ path: journal, size: 64MiB }}\n\
         cache: {{ memory: 64MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n"
    )
}

fn stop(server: Server) {
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
}

/// All that a command said.
fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    said(output)
}

/// A place for a backup.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("backup");
    (folder, place)
}

async fn run(home: &Home, words: &[&str]) -> Output {
    let (home, words) = (home.clone(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let run = move || home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn back_up(home: &Home, place: &Path, more: &[&str]) -> String {
    let words = [&["backup", "create", place.to_str().unwrap()], more].concat();
    succeeded(&run(home, &words).await)
}

async fn restore(home: &Home, place: &Path, more: &[&str]) -> Output {
    run(home, &[&["restore", place.to_str().unwrap()], more].concat()).await
}

/// The id in what `backup create` says.
fn id_of(said: &str) -> String {
    let id = said.split_whitespace().nth(1).unwrap().to_owned();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{said}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_brings_everything_back_after_all_was_removed() {
    let (_folder, place) = place();
    let original = home(Some(&on_folders("")));
    let server = original.start();
    let mut session = root_of(&server).await;
    let tree = Tree::write(&mut session).await;
    let root = session.root.clone();
    let handle = session.find(&root, b"large").await.unwrap();
    let id = session.attributes_of(&handle).await.fileid;
    let load = Load::start(&server).await;
    let said = back_up(&original, &place, &[]).await;
    let most = load.end().await;
    assert!(said.contains("of /export is written to") && said.contains("copied"), "{said}");
    // Nothing stays pinned.
    assert!(succeeded(&original.run(&["backup", "list"])).contains("no backup keeps objects"));
    tree.remove(&mut session).await;
    stop(server);
    fs::remove_dir_all(original.data()).unwrap();

    let elsewhere = home(Some(&on_folders("")));
    let said = succeeded(&restore(&elsewhere, &place, &[]).await);
    assert!(said.contains("/export is restored"), "{said}");
    let server = elsewhere.start();
    let mut session = root_of(&server).await;
    tree.check(&mut session).await;
    Load::check(&mut session, most).await;
    assert_eq!(session.state_of(&handle).await, nfsstat3::NFS3ERR_STALE);
    let made = session.make_file(&session.root.clone(), b"made after", 0o644).await;
    assert!(session.attributes_of(&made).await.fileid > id + (1 << 39));
    let checked = succeeded(&elsewhere.run(&["check"]));
    assert!(checked.contains("clean"), "{checked}");
    stop(server);
    // It goes on as any other share does.
    let server = elsewhere.start();
    tree.check(&mut root_of(&server).await).await;
    stop(server);
}

/// The files of the objects that a backup pins.
fn pinned_in(place: &Path, content: &Path) -> Vec<PathBuf> {
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(place.join("manifest.json")).unwrap()).unwrap();
    let objects = manifest["backup"]["shares"][0]["objects"].as_array().unwrap();
    let ids: Vec<&str> = objects.iter().map(|object| object["id"].as_str().unwrap()).collect();
    let is_pinned = |file: &PathBuf| ids.contains(&file.file_name().unwrap().to_str().unwrap());
    let files: Vec<PathBuf> = files_in(content).into_iter().filter(is_pinned).collect();
    assert_eq!(files.len(), ids.len());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_objects_stay_until_the_backup_is_released_and_are_restored_beside_the_original() {
    let (_folder, place) = place();
    let original = home(Some(&on_folders("")));
    let content = original.data().join("content");
    let server = original.start();
    let mut session = root_of(&server).await;
    let tree = Tree::write(&mut session).await;
    let load = Load::start(&server).await;
    let said = back_up(&original, &place, &["--pin", "--share", "/export"]).await;
    let most = load.end().await;
    assert!(said.contains("pinned where they are"), "{said}");
    let id = id_of(&said);
    let listed = succeeded(&original.run(&["backup", "list"]));
    assert!(listed.contains(&id) && listed.contains("pinned") && listed.contains("/export"), "{listed}");

    let pinned = pinned_in(&place, &content);
    assert!(pinned.len() > 1 && pinned.iter().all(|file| file.exists()), "{pinned:?}");

    // Objects that are written and removed after it are collected. Those that it pins are not, also over a restart.
    let large = pattern(9 * MIB);
    write_file(&mut session, "after", &large).await;
    succeeded(&original.run(&["backup", "list"]));
    tree.remove(&mut session).await;
    session.remove_file(&session.root.clone(), b"after").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop(server);
    let server = original.start();
    tokio::time::sleep(COLLECTED).await;
    assert!(pinned.iter().all(|file| file.exists()), "{pinned:?}");
    let checked = succeeded(&original.run(&["check"]));
    assert!(checked.contains("clean"), "{checked}");

    // Beside the living original.
    let stores = format!(", original: {{ type: fs, fs: {{ path: {} }} }}", content.display());
    let beside = home(Some(&on_folders(&stores)));
    let refused = restore(&beside, &place, &[]).await;
    assert!(!refused.status.success() && self::said(&refused).contains("--objects STORE"), "{}", self::said(&refused));
    succeeded(&restore(&beside, &place, &["--objects", "original"]).await);
    let second = beside.start();
    let mut restored = root_of(&second).await;
    tree.check(&mut restored).await;
    Load::check(&mut restored, most).await;
    write_file(&mut restored, "own", &large).await;
    let mut session = root_of(&server).await;
    write_file(&mut session, "own", &large).await;
    stop(second);

    // Released, what it pinned goes: nothing else refers to most of it.
    let released = succeeded(&original.run(&["backup", "release", &id]));
    assert!(released.contains("is released"), "{released}");
    assert!(succeeded(&original.run(&["backup", "list"])).contains("no backup keeps objects"));
    let until = Instant::now() + 2 * COLLECTED;
    while pinned.iter().all(|file| file.exists()) {
        assert!(Instant::now() < until, "{pinned:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let again = original.run(&["backup", "release", &id]);
    assert!(!again.status.success() && self::said(&again).contains("no share has a backup"), "{}", self::said(&again));
    stop(server);
    let refused = restore(&home(Some(&on_folders(&stores))), &place, &["--objects", "original"]).await;
    assert!(self::said(&refused).contains("was the backup released?"), "{}", self::said(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_during_a_backup_leaves_no_manifest_and_no_pins() {
    let (_folder, place) = place();
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let configuration = object_store::configuration(proxy.address(), "compression: none");
    let original = home(Some(&configuration));
    let server = original.start();
    let data = pattern(5 * MIB);
    let mut session = root_of(&server).await;
    let file = write_file(&mut session, "file", &data).await;
    succeeded(&original.run(&["share", "list"]));
    proxy.rule(|seen| if seen.method == Method::GET && seen.is_of_object() { Fate::Hang } else { Fate::Pass });
    let running = {
        let (original, place) = (original.clone(), place.clone());
        tokio::task::spawn_blocking(move || original.run(&["backup", "create", place.to_str().unwrap()]))
    };
    let until = Instant::now() + Duration::from_secs(30);
    while !succeeded(&original.run(&["backup", "list"])).contains("being made") {
        assert!(Instant::now() < until, "{}", original.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // One at a time.
    let (_other, second) = self::place();
    let refused = original.run(&["backup", "create", second.to_str().unwrap()]);
    assert!(said(&refused).contains("another backup is being written"), "{}", said(&refused));
    server.kill();
    let failed = running.await.unwrap();
    assert!(!failed.status.success(), "{}", said(&failed));
    assert!(!place.join("manifest.json").exists());
    let refused = restore(&home(Some(&on_folders(""))), &place, &[]).await;
    assert!(!refused.status.success() && said(&refused).contains("no manifest"), "{}", said(&refused));

    proxy.rule(|_| Fate::Pass);
    let server = original.start();
    let until = Instant::now() + Duration::from_secs(30);
    while !succeeded(&original.run(&["backup", "list"])).contains("no backup keeps objects") {
        assert!(Instant::now() < until, "{}", original.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    check_file(&mut root_of(&server).await, &file, &data).await;

    // From bucket to bucket, one that can compare and one that can't.
    let (_whole, place) = self::place();
    back_up(&original, &place, &[]).await;
    stop(server);
    for bucket in [S3Server::start(), S3Server::without_conditions()] {
        let elsewhere = home(Some(&object_store::configuration(bucket.address(), "compression: none")));
        succeeded(&restore(&elsewhere, &place, &[]).await);
        serves_file(&elsewhere, &data).await;
    }
}

/// All files in a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_by_name_and_so_are_stores_with_something_in_them() {
    let (_folder, place) = place();
    let original = home(Some(&on_folders("")));
    let server = original.start();
    let data = pattern(700_000);
    write_file(&mut root_of(&server).await, "file", &data).await;
    back_up(&original, &place, &[]).await;
    let twice = run(&original, &["backup", "create", place.to_str().unwrap()]).await;
    assert!(said(&twice).contains("is not empty"), "{}", said(&twice));
    let unknown = run(&original, &["backup", "create", "elsewhere", "--share", "/exprot"]).await;
    assert!(said(&unknown).contains("known: /export"), "{}", said(&unknown));

    // While it is served, and where it is already.
    let refused = restore(&original, &place, &[]).await;
    assert!(said(&refused).contains("a server runs"), "{}", said(&refused));
    stop(server);
    let refused = restore(&original, &place, &[]).await;
    assert!(said(&refused).contains("a journal of /export"), "{}", said(&refused));
    fs::remove_dir_all(original.data().join("journal")).unwrap();
    let refused = restore(&original, &place, &[]).await;
    assert!(said(&refused).contains("has the share /export"), "{}", said(&refused));
    fs::remove_dir_all(original.data().join("metadata")).unwrap();
    let refused = restore(&original, &place, &[]).await;
    assert!(said(&refused).contains("has objects of the share"), "{}", said(&refused));
    let stopped = original.run(&["backup", "create", "elsewhere"]);
    assert!(said(&stopped).contains("start it"), "{}", said(&stopped));

    let elsewhere = home(Some(&on_folders("")));
    for file in files_in(&place) {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        let at = whole.iter().rposition(|byte| byte.is_ascii_digit()).unwrap();
        flipped[at] ^= 1;
        for bytes in [&flipped[..], &whole[..whole.len() - 2]] {
            fs::write(&file, bytes).unwrap();
            let refused = restore(&elsewhere, &place, &[]).await;
            let said = said(&refused);
            assert!(!refused.status.success() && said.contains(file.to_str().unwrap()), "{said}");
            let served = elsewhere.try_start(&[]).map(drop).err();
            // Nothing that was begun is served.
            assert!(served.is_none_or(|refused| refused.log.contains("restored, not served yet")));
            fs::remove_dir_all(elsewhere.data()).unwrap();
        }
        fs::write(&file, &whole).unwrap();
    }
    succeeded(&restore(&elsewhere, &place, &[]).await);
    serves_file(&elsewhere, &data).await;
}

/// A server on these stores has the file, and stops cleanly.
async fn serves_file(home: &Home, data: &[u8]) {
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.find(&root, b"file").await.unwrap();
    check_file(&mut session, &file, data).await;
    stop(server);
}

/// A restore that ended in the midst is done again over what it left.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_failed_is_done_again() {
    let (_folder, place) = place();
    let original = home(Some(&on_folders("")));
    let server = original.start();
    let data = pattern(700_000);
    write_file(&mut root_of(&server).await, "file", &data).await;
    back_up(&original, &place, &[]).await;
    let (_other, pinned) = self::place();
    let id = id_of(&back_up(&original, &pinned, &["--pin"]).await);
    stop(server);
    // Also without a server.
    let listed = succeeded(&original.run(&["backup", "list"]));
    assert!(listed.contains(&id) && listed.contains("pinned"), "{listed}");
    assert!(succeeded(&original.run(&["backup", "release", &id])).contains("is released"));
    assert!(succeeded(&original.run(&["backup", "list"])).contains("no backup keeps objects"));
    for (wrong, expected) in [(id.as_str(), "no share has a backup"), ("monday", "no id of a backup")] {
        let refused = original.run(&["backup", "release", wrong]);
        assert!(refused.status.code() == Some(2) && said(&refused).contains(expected), "{}", said(&refused));
    }
    let rows = files_in(&place).into_iter().find(|file| file.ends_with("rows")).unwrap();
    let whole = fs::read(&rows).unwrap();
    // The objects are there by then.
    fs::write(&rows, &whole[..whole.len() - 1]).unwrap();
    let elsewhere = home(Some(&on_folders("")));
    assert!(!restore(&elsewhere, &place, &[]).await.status.success());
    let refused = elsewhere.try_start(&[]).map(drop).expect_err("a share that is not there yet should not be served");
    assert!(refused.log.contains("restored, not served yet"), "{}", refused.log);
    fs::write(&rows, &whole).unwrap();
    succeeded(&restore(&elsewhere, &place, &[]).await);
    serves_file(&elsewhere, &data).await;
}

/// Key files are not part of a backup: it says which keys it needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_share_is_restored_and_says_which_key_it_needs() {
    let (_folder, place) = place();
    let keys = tempfile::tempdir().unwrap();
    let key_file = keys.path().join("keys");
    let share = format!("squash: none, encryption: {{ key_file: {} }}", key_file.display());
    let configuration = on_folders("").replace("squash: none", &share);
    let original = home(Some(&configuration));
    key_add(&key_file);
    let server = original.start();
    let data = pattern(700_000);
    write_file(&mut root_of(&server).await, "file", &data).await;
    back_up(&original, &place, &[]).await;
    stop(server);

    let aside = keys.path().join("aside");
    fs::rename(&key_file, &aside).unwrap();
    let elsewhere = home(Some(&configuration));
    let said = succeeded(&restore(&elsewhere, &place, &[]).await);
    assert!(said.contains("warning: /export") && said.contains("is restored"), "{said}");
    fs::rename(&aside, &key_file).unwrap();
    serves_file(&elsewhere, &data).await;
    let other = home(Some(&configuration));
    let said = succeeded(&restore(&other, &place, &[]).await);
    assert!(said.contains("is there") && !said.contains("warning"), "{said}");
}

//! A file whose metadata is damaged on the disk: checks report it, and backups are written without what can't be
//! stored.

use std::{fs, path::Path, process::Output};

use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::{nfsstat3, stable_how};
use redb::{Database, ReadableTable, TableDefinition};

use crate::{
    object_store::{check_file, write_file},
    persistence::root_of,
    session::{home, pattern, status},
};

const CONFIGURATION: &str = "metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }\n\
    content: { stores: { c: { type: fs, fs: { path: content } } } }\n\
    journal: { path: journal, size: 64MiB }\n\
    cache: { memory: 64MiB }\n\
    shares: [{ name: /export, metadata_store: m, content_store: c, squash: none }]\n";
const NODE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("node");
const ROW: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("row");
const SIZE: usize = 700_000;

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

async fn run(home: &Home, words: &[&str]) -> Output {
    let (home, words) = (home.clone(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let run = move || home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Puts nonsense in the place of a file's rows in a table. Nobody has the database open.
fn damage(home: &Home, table: TableDefinition<'_, &'static [u8], &'static [u8]>, file: u64) {
    let database = Database::open(home.data().join("metadata").join("metadata.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut rows = transaction.open_table(table).unwrap();
        let keys = rows.iter().unwrap().map(|row| row.unwrap().0.value().to_vec());
        let keys: Vec<Vec<u8>> = keys.filter(|key| key[8..16] == file.to_be_bytes()).collect();
        assert!(!keys.is_empty());
        for key in keys {
            rows.insert(key.as_slice(), b"\x01?".as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// A share with `/victim` and `/other`, and rows of the first damaged.
async fn damaged(table: TableDefinition<'_, &'static [u8], &'static [u8]>) -> Home {
    let home = home(Some(CONFIGURATION));
    let server = home.start();
    let mut session = root_of(&server).await;
    let victim = write_file(&mut session, "victim", &pattern(SIZE)).await;
    write_file(&mut session, "other", &pattern(SIZE)).await;
    let victim = session.attributes_of(&victim).await.fileid;
    assert!(server.stop().status.success());
    damage(&home, table, victim);
    home
}

fn manifest(place: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(place.join("manifest.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_names_files_whose_newest_bytes_it_lacks_and_is_written_if_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (refused_place, place) = (folder.path().join("refused"), folder.path().join("backup"));
    let original = damaged(ROW).await;
    let server = original.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let victim = session.find(&root, b"victim").await.unwrap();
    // It is taken, as nobody has looked at the map.
    let written = session.write_at(&victim, 0, b"newest", stable_how::FILE_SYNC).await;
    assert_eq!(status(&written), nfsstat3::NFS3_OK);
    let refused = run(&original, &["backup", "create", refused_place.to_str().unwrap()]).await;
    let output = said(&refused);
    assert!(!refused.status.success() && !refused_place.join("manifest.json").exists(), "{output}");
    assert!(
        output.contains("the newest bytes of /victim in /export") && output.contains("--allow-damaged"),
        "{output}"
    );
    let allowed = run(&original, &["backup", "create", place.to_str().unwrap(), "--allow-damaged"]).await;
    let output = said(&allowed);
    assert!(
        allowed.status.success() && output.contains("the newest bytes of /victim of /export are not in it"),
        "{output}"
    );
    let manifest = manifest(&place);
    assert_eq!((&manifest["format"], &manifest["backup"]["shares"][0]["incomplete"]), (&2.into(), &["/victim"].into()));
    server.kill();

    let elsewhere = home(Some(CONFIGURATION));
    let restored = run(&elsewhere, &["restore", place.to_str().unwrap()]).await;
    let output = said(&restored);
    assert!(
        restored.status.success() && output.contains("the newest bytes of /victim were not in the backup"),
        "{output}"
    );
    let server = elsewhere.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let other = session.find(&root, b"other").await.unwrap();
    check_file(&mut session, &other, &pattern(SIZE)).await;
    // A backup of a share without anything unflushed is whole, whatever its rows are.
    let whole = folder.path().join("whole");
    assert!(run(&elsewhere, &["backup", "create", whole.to_str().unwrap()]).await.status.success());
    assert_eq!(self::manifest(&whole)["format"], 1);
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_a_node_whose_row_is_damaged_with_its_path_and_checks_everything_else() {
    let home = damaged(NODE).await;
    for is_served in [false, true] {
        let server = is_served.then(|| home.start());
        let checked = run(&home, &["check"]).await;
        let output = said(&checked);
        assert_eq!(checked.status.code(), Some(1), "{output}");
        assert!(output.contains("/victim") && output.contains("is damaged: nothing can be done with it"), "{output}");
        if let Some(server) = server {
            let mut session = root_of(&server).await;
            let root = session.root.clone();
            let other = session.find(&root, b"other").await.unwrap();
            check_file(&mut session, &other, &pattern(SIZE)).await;
            assert!(server.stop().status.success());
        }
    }
}

//! Shares that seal what is in files: what of it a store sees, keys that come and go, and damage.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use dittofs_tests::{
    s3::{self, S3Server},
    server::{Home, Server},
};
use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;

use crate::{
    checking::said,
    object_store::{check_file, write_file},
    persistence::root_of,
    session::{Session, home, pattern, status},
    watching::{WATCHED, metrics, monitoring},
};

const MIB: usize = 1 << 20;

/// A share on a content store, with a key file beside its data.
pub(crate) struct Sealed {
    pub(crate) home: Home,
    bucket: Option<S3Server>,
}

/// Where content is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Folder,
    S3,
}

impl Sealed {
    /// With a first key.
    pub(crate) fn new(place: Place, share: &str) -> Sealed {
        let bucket = matches!(place, Place::S3).then(S3Server::start);
        let sealed = Sealed { home: home(None), bucket };
        assert!(sealed.add_key().contains(&format!("the key with the fingerprint {} is added", sealed.key(0))));
        sealed.configure(&format!("{}, {share}", sealed.encryption("")));
        sealed
    }

    /// The section of a share that names the key file.
    fn encryption(&self, more: &str) -> String {
        format!("encryption: {{ key_file: {} {more} }}", self.keys().display())
    }

    fn configure(&self, share: &str) {
        let content = match &self.bucket {
            Some(bucket) => format!("{{ type: s3, s3: {} }}", s3::options(bucket.address(), "p")),
            None => "{ type: fs, fs: { path: content } }".to_owned(),
        };
        self.home.configure(&format!(
            "{WATCHED}metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
             content: {{ stores: {{ c: {content} }} }}\n\
             journal: {{ path: journal, size: 32MiB }}\n\
             cache: {{ memory: 4MiB }}\n\
             shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none, {share} }}]\n"
        ));
    }

    fn keys(&self) -> PathBuf {
        self.home.data().with_file_name("keys")
    }

    /// The fingerprint of the key in a line of the key file.
    pub(crate) fn key(&self, line: usize) -> String {
        let text = fs::read_to_string(self.keys()).unwrap();
        text.lines().nth(line).unwrap().split(' ').next().unwrap().to_owned()
    }

    pub(crate) fn add_key(&self) -> String {
        key_add(&self.keys()).1
    }

    fn objects(&self) -> Vec<PathBuf> {
        match &self.bucket {
            Some(bucket) => bucket.objects().into_iter().map(|(path, _)| path).collect(),
            None => crate::checking::objects(&self.home),
        }
    }

    /// Whether some object has these bytes as they are.
    fn shows(&self, bytes: &[u8]) -> bool {
        let objects = self.objects();
        assert!(!objects.is_empty());
        objects.iter().any(|path| fs::read(path).unwrap().windows(bytes.len()).any(|found| found == bytes))
    }

    /// The status of a check and what it says.
    pub(crate) fn check(&self) -> (Option<i32>, String) {
        said(&self.home.run(&["check"]))
    }

    /// Waits for a line of the log.
    pub(crate) async fn until_log(&self, line: &str) {
        let began = Instant::now();
        while !self.home.log().contains(line) {
            assert!(began.elapsed() < Duration::from_secs(20), "no {line} in the log: {}", self.home.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub(crate) fn key_add(file: &Path) -> (Option<i32>, String) {
    said(&Command::new(env!("CARGO_BIN_EXE_dittofs-under-test")).args(["key", "add"]).arg(file).output().unwrap())
}

fn stop(server: Server) {
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
}

async fn read_status(session: &mut Session, file: &nfs_fh3, offset: u64) -> nfsstat3 {
    status(&session.read(&READ3args { file: file.clone(), offset, count: 4_096 }).await.unwrap())
}

/// Bytes that are easily found.
fn confession() -> Vec<u8> {
    b"Dear diary, the treasure is buried below the old oak. ".iter().copied().cycle().take(3 * MIB + 77).collect()
}

const SECRET: &[u8] = b"buried below the old oak";

#[rstest]
#[case::folder(Place::Folder, "compression: none")]
#[case::folder_compressed(Place::Folder, "compression: zstd")]
#[case::s3(Place::S3, "compression: none")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_in_plain_text_and_all_is_read_again(#[case] place: Place, #[case] share: &str) {
    let sealed = Sealed::new(place, share);
    let (secret, noise) = (confession(), pattern(2 * MIB + 5));
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    let of_secret = write_file(&mut session, "secret", &secret).await;
    let of_noise = write_file(&mut session, "noise", &noise).await;
    stop(server);
    assert!(!sealed.shows(SECRET));
    assert!(!sealed.shows(&noise[1_000..1_016]));
    let stored: u64 = sealed.objects().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(stored < secret.len() as u64, share.contains("zstd"), "compressed, and then sealed: {stored}");

    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &of_secret, &secret).await;
    check_file(&mut session, &of_noise, &noise).await;
    let (code, text) = sealed.check();
    assert!(code == Some(0) && text.contains(&format!("/export: sealed with key {}: ", sealed.key(0))), "{text}");
    stop(server);
    let keys = fs::read_to_string(sealed.keys()).unwrap();
    assert!(!sealed.home.log().contains(keys.split_whitespace().nth(1).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_is_switched_on_and_off_and_what_is_there_stays_readable() {
    let sealed = Sealed::new(Place::Folder, "compression: none");
    let mut files = Vec::new();
    let (on, off) = (sealed.encryption(""), sealed.encryption(", seal: false"));
    for (name, share) in [("plain", "compression: none"), ("sealed", &on), ("open", &off)] {
        sealed.configure(share);
        let server = sealed.home.start();
        let mut session = root_of(&server).await;
        let data = [name.as_bytes(), b" treasure ", &confession()].concat();
        files.push((write_file(&mut session, name, &data).await, data));
        for (file, data) in &files {
            check_file(&mut session, file, data).await;
        }
        stop(server);
    }
    assert!(sealed.shows(b"plain treasure") && sealed.shows(b"open treasure"), "a search does find what is not sealed");
    assert!(!sealed.shows(b"sealed treasure"));
    let (code, text) = sealed.check();
    let key = sealed.key(0);
    let sealed_with = format!("sealed with key {key}: ");
    assert!(code == Some(0) && text.contains("not sealed: ") && text.contains(&sealed_with), "{text}");

    // Without any key.
    sealed.configure("compression: none");
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &files[0].0, &files[0].1).await;
    assert_eq!(read_status(&mut session, &files[1].0, 0).await, nfsstat3::NFS3ERR_IO);
    sealed.until_log(&format!("key {key} is not known: name the key file")).await;
    sealed.until_log("file=/sealed").await;
    stop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_removed_is_named_and_nothing_is_lost() {
    let sealed = Sealed::new(Place::Folder, "compression: none");
    let (old, new) = (pattern(3 * MIB), confession());
    let server = sealed.home.start();
    let of_old = write_file(&mut root_of(&server).await, "old", &old).await;
    stop(server);
    let first = fs::read_to_string(sealed.keys()).unwrap();
    let old_key = sealed.key(0);
    assert!(sealed.add_key().contains(&format!("{} is added", sealed.key(1))));
    let both = fs::read_to_string(sealed.keys()).unwrap();

    // From under a running server: it goes on, and says what will come.
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    let of_new = write_file(&mut session, "new", &new).await;
    fs::write(sealed.keys(), both.strip_prefix(&first).unwrap()).unwrap();
    sealed.until_log(&format!("keys={old_key}")).await;
    check_file(&mut session, &of_old, &old).await;
    stop(server);

    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &of_new, &new).await;
    assert_eq!(read_status(&mut session, &of_old, 0).await, nfsstat3::NFS3ERR_IO);
    let expected = format!("key {old_key} is not known: put it back into the key file {}", sealed.keys().display());
    sealed.until_log(&expected).await;
    sealed.until_log("file=/old").await;
    let (code, text) = sealed.check();
    assert!(
        code == Some(1)
            && text.contains(&format!("sealed with key {old_key}: "))
            && text.contains("this key is not there"),
        "{text}"
    );
    assert!(!text.contains("are lost"), "{text}");
    // Writing needs no old key, also not inside of a block of which the rest can't be read.
    let written = session.write_at(&of_old, MIB as u64 + 5, b"treasure", stable_how::FILE_SYNC).await;
    assert_eq!(status(&written), nfsstat3::NFS3_OK);
    let mut expected = old.clone();
    expected[MIB + 5..][..8].copy_from_slice(b"treasure");

    // Back, without a restart.
    fs::write(sealed.keys(), &both).unwrap();
    sealed.until_log("keys were added").await;
    check_file(&mut session, &of_old, &expected).await;
    stop(server);
    let (code, text) = sealed.check();
    assert!(code == Some(0), "{text}");
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &of_old, &expected).await;
    check_file(&mut session, &of_new, &new).await;
    stop(server);
}

/// The file of keys is lost, and whoever operates the server makes another key.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_file_is_reported_by_fingerprint_and_another_key_is_no_damage() {
    let sealed = Sealed::new(Place::Folder, "compression: none");
    let (old, new) = (pattern(3 * MIB), confession());
    let server = sealed.home.start();
    let of_old = write_file(&mut root_of(&server).await, "old", &old).await;
    stop(server);
    let (lost, copy) = (sealed.key(0), fs::read_to_string(sealed.keys()).unwrap());
    fs::remove_file(sealed.keys()).unwrap();
    let log = sealed.home.try_start(&[]).map(drop).unwrap_err().log;
    assert!(log.contains(&format!("sealed with key {lost}: no other key opens it")), "{log}");
    assert!(log.contains("is not there: put it back from a copy") && !log.contains("key add"), "{log}");

    sealed.add_key();
    assert_ne!(sealed.key(0), lost);
    let server = sealed.home.start();
    sealed.until_log(&format!("key={lost}")).await;
    let mut session = root_of(&server).await;
    let of_new = write_file(&mut session, "new", &new).await;
    assert_eq!(read_status(&mut session, &of_old, 0).await, nfsstat3::NFS3ERR_IO);
    let value = |name| metrics(monitoring(&sealed.home)).value(name, &[("share", "/export")]);
    assert!(value("dittofs_keyless_reads_total") >= 1.0);
    assert_eq!((value("dittofs_damaged_reads_total"), value("dittofs_lost_reads_total")), (0.0, 0.0));
    let (code, text) = sealed.check();
    assert!(code == Some(1) && text.contains(&format!("sealed with key {lost}: ")), "{text}");
    assert!(text.contains("nothing is damaged, but not all can be read"), "{text}");
    assert!(!text.contains("clean") && !text.contains("are lost") && !text.contains("errors"), "{text}");
    assert!(!sealed.home.log().contains("an object is damaged"));

    // The copy is found: both keys in one file, and no restart.
    let both = copy + &fs::read_to_string(sealed.keys()).unwrap();
    fs::write(sealed.keys(), both).unwrap();
    let back = Instant::now();
    while read_status(&mut session, &of_old, 0).await != nfsstat3::NFS3_OK {
        assert!(back.elapsed() < Duration::from_secs(2), "a key that is back opens within 2 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    check_file(&mut session, &of_old, &old).await;
    check_file(&mut session, &of_new, &new).await;
    stop(server);
    let (code, text) = sealed.check();
    assert!(code == Some(0) && text.contains("clean"), "{text}");
}

#[rstest]
#[case::folder(Place::Folder)]
#[case::s3(Place::S3)]
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_an_error_a_metric_and_a_line_that_names_the_file(#[case] place: Place) {
    let sealed = Sealed::new(place, "compression: none");
    let data = pattern(MIB);
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    let folder = session.make_directory(&session.root.clone(), b"folder", 0o755).await;
    let file = session.make_file(&folder, b"file", 0o644).await;
    session.write_at(&file, 0, &data, stable_how::FILE_SYNC).await.unwrap();
    stop(server);
    let objects = sealed.objects();
    let [object] = objects.as_slice() else { panic!("{objects:?}") };
    let mut bytes = fs::read(object).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(object, bytes).unwrap();

    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    let damaged = || metrics(monitoring(&sealed.home)).value("dittofs_damaged_reads_total", &[("share", "/export")]);
    assert_eq!(damaged(), 0.0);
    assert_eq!(read_status(&mut session, &file, 0).await, nfsstat3::NFS3_OK, "what is whole is read");
    assert_eq!(read_status(&mut session, &file, MIB as u64 - 10).await, nfsstat3::NFS3ERR_IO);
    assert!(damaged() >= 1.0);
    assert!(sealed.home.log().contains("file=/folder/file"), "{}", sealed.home.log());
    let damage = "/export/folder/file: bytes 1015808 to 1048575 are lost";
    let (code, text) = sealed.check();
    assert!(code == Some(1) && text.contains(damage), "{text}");
    stop(server);
}

#[test]
fn a_key_file_that_is_wrong_is_refused_with_what_to_do() {
    let sealed = Sealed::new(Place::Folder, "compression: none");
    let keys = sealed.keys();
    let text = fs::read_to_string(&keys).unwrap();
    let refused = |expected: &str| {
        let log = sealed.home.try_start(&[]).map(drop).unwrap_err().log;
        assert!(log.contains("share `/export` can't be opened") && log.contains(expected), "{log}");
        let (code, checked) = said(&sealed.home.run(&["config", "check"]));
        assert!(code == Some(1) && checked.contains(expected), "{checked}");
        assert!(!log.contains(&text[20..40]) && !checked.contains(&text[20..40]));
        assert!(!sealed.home.data().join("content/dittofs-objects").exists() || sealed.objects().is_empty());
    };
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&format!("`chmod 600 {}`", keys.display()));
    assert!(key_add(&keys).1.contains("mode 0644"));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&keys, text.clone() + &text).unwrap();
    refused("line 2: line 1 has the id already, and the same key");
    fs::write(&keys, text.replacen(&text[..4], "8123", 1)).unwrap();
    refused("line 1: the key is not the one that the id before it names");
    fs::write(&keys, &text[..40]).unwrap();
    refused("line 1: after the id there must be 64 hexadecimal digits");
    fs::write(&keys, "").unwrap();
    refused("there is no key in it");
    fs::remove_file(&keys).unwrap();
    refused(&format!("the key file {} is not there: put it back from a copy", keys.display()));
    fs::write(&keys, &text).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o400)).unwrap();
    stop(sealed.home.start());
}

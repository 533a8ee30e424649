//! Keys that change while a share is written and read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;
use tokio::sync::Mutex;

use crate::{
    object_store::check_file,
    persistence::root_of,
    sealing::{Place, Sealed},
    session::{Session, pattern, status},
};

const FILES: usize = 16;
const BYTES: usize = 1 << 20;
const ROTATIONS: usize = 3;

/// A file and its newest acknowledged version.
struct Versioned {
    file: nfs_fh3,
    version: Mutex<u64>,
}

/// Returns the content of a file as of a version.
fn content(noise: &[u8], number: usize, version: u64) -> Vec<u8> {
    let mut bytes = noise.to_vec();
    for at in (0..bytes.len()).step_by(4_096) {
        bytes[at..at + 8].copy_from_slice(&(version << 8 | number as u64).to_le_bytes());
    }
    bytes
}

struct Load {
    files: Vec<Versioned>,
    noise: Vec<u8>,
    ends: AtomicBool,
    written: AtomicU64,
    read: AtomicU64,
}

impl Load {
    async fn begin(session: &mut Session) -> Arc<Load> {
        let root = session.root.clone();
        let mut files = Vec::new();
        for number in 0..FILES {
            let file = session.make_file(&root, format!("file{number}").as_bytes(), 0o644).await;
            files.push(Versioned { file, version: Mutex::new(0) });
        }
        let load = Load {
            files,
            noise: pattern(BYTES),
            ends: AtomicBool::new(false),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
        };
        for number in 0..FILES {
            load.write(session, number).await;
        }
        Arc::new(load)
    }

    async fn write(&self, session: &mut Session, number: usize) {
        let mut version = self.files[number].version.lock().await;
        let bytes = content(&self.noise, number, *version + 1);
        // The cache of writes may be full for a moment.
        while status(&session.write_at(&self.files[number].file, 0, &bytes, stable_how::FILE_SYNC).await)
            != nfsstat3::NFS3_OK
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        *version += 1;
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    async fn verify(&self, session: &mut Session, number: usize) {
        let version = self.files[number].version.lock().await;
        check_file(session, &self.files[number].file, &content(&self.noise, number, *version)).await;
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    async fn write_on(self: Arc<Load>, mut session: Session) {
        for number in (0..FILES).cycle() {
            if self.ends.load(Ordering::Acquire) {
                return;
            }
            self.write(&mut session, number).await;
        }
    }

    async fn read_on(self: Arc<Load>, mut session: Session) {
        for number in (0..FILES).map(|number| number * 7 % FILES).cycle() {
            if self.ends.load(Ordering::Acquire) {
                return;
            }
            self.verify(&mut session, number).await;
        }
    }
}

#[rstest]
#[case::folder(Place::Folder)]
#[case::s3(Place::S3)]
#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_under_load_and_all_is_there_after_a_kill(#[case] place: Place) {
    let sealed = Sealed::new(place, "compression: none");
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    let load = Load::begin(&mut session).await;
    let mut tasks = vec![tokio::spawn(Arc::clone(&load).write_on(root_of(&server).await))];
    for _ in 0..2 {
        tasks.push(tokio::spawn(Arc::clone(&load).read_on(root_of(&server).await)));
    }
    for line in 1..=ROTATIONS {
        let (written, read) = (load.written.load(Ordering::Relaxed), load.read.load(Ordering::Relaxed));
        sealed.add_key();
        let key = sealed.key(line);
        sealed.until_log(&format!("key={key}")).await;
        let went_on = || load.written.load(Ordering::Relaxed) > written && load.read.load(Ordering::Relaxed) > read;
        while !went_on() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // Until something was sealed with the last one.
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.ends.store(true, Ordering::Release);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(!sealed.home.log().contains("ERROR"), "{}", sealed.home.log());
    server.kill();

    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    for number in 0..FILES {
        load.verify(&mut session, number).await;
    }
    assert!(server.stop().status.success());
    let (code, text) = sealed.check();
    let last = format!("sealed with key {}: ", sealed.key(ROTATIONS));
    assert!(code == Some(0) && text.contains(&last) && !text.contains("not sealed"), "{text}");
    let server = sealed.home.start();
    let mut session = root_of(&server).await;
    for number in 0..FILES {
        load.verify(&mut session, number).await;
    }
    assert!(server.stop().status.success());
}

//! The content of shares when they are backed up, and who writes meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dittofs_tests::server::Server;
use nfs3_client::nfs3_types::nfs3::*;
use tokio::task::JoinHandle;

use super::MIB;
use crate::{
    object_store::{check_file, write_file},
    persistence::root_of,
    session::{Session, pattern},
};

/// The content of the share before the backup.
pub(crate) struct Tree {
    large: Vec<u8>,
    small: Vec<Vec<u8>>,
}

impl Tree {
    pub(crate) async fn write(session: &mut Session) -> Tree {
        let tree = Tree { large: pattern(21 * MIB + 77), small: (1..40).map(|n| pattern(n * 1_237)).collect() };
        write_file(session, "large", &tree.large).await;
        let root = session.root.clone();
        session.make_directory(&root, b"folder", 0o750).await;
        session.make_symlink(&root, b"link", b"folder/nowhere").await.unwrap();
        for (number, data) in tree.small.iter().enumerate() {
            write_file(session, &format!("small{number}"), data).await;
        }
        tree
    }

    /// All of it is there, byte by byte.
    pub(crate) async fn check(&self, session: &mut Session) {
        let root = session.root.clone();
        let large = session.find(&root, b"large").await.unwrap();
        assert_eq!(session.attributes_of(&large).await.size, self.large.len() as u64);
        check_file(session, &large, &self.large).await;
        for (number, data) in self.small.iter().enumerate() {
            let small = session.find(&root, format!("small{number}").as_bytes()).await.unwrap();
            check_file(session, &small, data).await;
        }
        let folder = session.find(&root, b"folder").await.unwrap();
        assert_eq!(session.attributes_of(&folder).await.mode & 0o777, 0o750);
        session.find(&root, b"link").await.unwrap();
    }

    /// Removes it, so that all of its bytes are garbage.
    pub(crate) async fn remove(&self, session: &mut Session) {
        let root = session.root.clone();
        session.remove_file(&root, b"large").await.unwrap();
        for number in 0..self.small.len() {
            session.remove_file(&root, format!("small{number}").as_bytes()).await.unwrap();
        }
    }
}

/// Writes the same number into one file and then into another, over and over, each acknowledged before the next.
pub(crate) struct Load {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Load {
    pub(crate) async fn start(server: &Server) -> Load {
        let mut session = root_of(server).await;
        let root = session.root.clone();
        let first = session.make_file(&root, b"first", 0o644).await;
        let second = session.make_file(&root, b"second", 0o644).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let mut number = 0u64;
            while !ended.load(Ordering::Acquire) {
                number += 1;
                for file in [&first, &second] {
                    let stable = if number.is_multiple_of(3) { stable_how::FILE_SYNC } else { stable_how::UNSTABLE };
                    session.write_at(file, 0, &number.to_be_bytes(), stable).await.unwrap();
                    session.write_at(file, 8 * (number % 50_000), &number.to_be_bytes(), stable).await.unwrap();
                }
                let name = format!("made{}", number % 7);
                let _ = session.remove_file(&root, name.as_bytes()).await;
                let made = session.make_file(&root, name.as_bytes(), 0o600).await;
                session.write_at(&made, 0, name.as_bytes(), stable_how::UNSTABLE).await.unwrap();
            }
            number
        });
        Load { is_over, task }
    }

    pub(crate) async fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Release);
        self.task.await.unwrap()
    }

    /// Checks that no later write is there without the earlier ones, and that nothing is there by half.
    pub(crate) async fn check(session: &mut Session, most: u64) -> u64 {
        let root = session.root.clone();
        let mut numbers = Vec::new();
        for name in [&b"first"[..], b"second"] {
            let file = session.find(&root, name).await.unwrap();
            let data = session.read_at(&file, 0, 8).await.data;
            numbers.push(u64::from_be_bytes(data.as_ref().try_into().unwrap()));
        }
        let [first, second] = numbers[..] else { panic!("two files") };
        assert!(first == second || first == second + 1, "{first} {second}");
        assert!(second >= 1 && first <= most, "{first} {second} {most}");
        first
    }
}

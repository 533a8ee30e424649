//! The content store fails.

use std::sync::atomic::Ordering;

use dittofs_domain::error::FsError;
use dittofs_ports::{AdminService, ContentError, Journal};

use crate::world::World;

const BYTES: &[u8] = b"bytes that must come back as they were, or not at all";

#[tokio::test]
async fn a_flush_that_fails_keeps_the_bytes_and_is_tried_again() {
    let cases: [(fn() -> ContentError, FsError); 3] = [
        (|| ContentError::Unavailable("away".into()), FsError::Busy),
        (|| ContentError::Full, FsError::NoSpace),
        (|| ContentError::Corrupt("nonsense".into()), FsError::Io),
    ];
    for (error, answer) in cases {
        let world = World::new().await;
        let node = world.file(BYTES).await;
        world.faults.put.always(error);
        for _ in 0..3 {
            assert_eq!(world.services.flush().await, Err(answer));
            assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
        }
        assert_eq!(world.faults.gets.load(Ordering::Relaxed), 0, "they are still in the journal");
        world.faults.put.clear();
        assert_eq!(world.services.flush().await, Ok(()));
        assert_eq!(world.journal.usage().used, 0);
        assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
        assert!(world.faults.gets.load(Ordering::Relaxed) > 0, "they are in the content store");
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_was_stored_are_never_served() {
    let world = World::new().await;
    let node = world.file(BYTES).await;
    world.services.flush().await.unwrap();
    let mut found = 0;
    for position in 0..512 {
        *world.faults.spoil.lock() = Some(Box::new(move |mut bytes| {
            if let Some(byte) = bytes.get_mut(position) {
                *byte ^= 0x10;
            }
            bytes
        }));
        match world.read(node).await {
            Ok(bytes) => assert_eq!(bytes, BYTES, "byte {position} of each answer was changed"),
            Err(error) => {
                assert_eq!(error, FsError::Io);
                found += 1;
            }
        }
    }
    assert!(found >= BYTES.len(), "{found} changes were found");
    *world.faults.spoil.lock() = None;
    assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
}

#[tokio::test]
async fn an_answer_that_is_too_short_is_an_error() {
    for kept in [0, 1, 20, 40] {
        let world = World::new().await;
        let node = world.file(BYTES).await;
        world.services.flush().await.unwrap();
        *world.faults.spoil.lock() = Some(Box::new(move |mut bytes| {
            bytes.truncate(kept);
            bytes
        }));
        assert_eq!(world.read(node).await, Err(FsError::Io), "{kept} bytes");
        *world.faults.spoil.lock() = None;
        assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
    }
}

#[tokio::test]
async fn an_object_that_was_gone_once_is_looked_for_again() {
    let world = World::new().await;
    let node = world.file(BYTES).await;
    world.services.flush().await.unwrap();
    let mut left = 1;
    world.faults.get.set(move || {
        left -= 1;
        (left >= 0).then_some(ContentError::NotFound)
    });
    assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
}

#[tokio::test]
async fn a_read_that_fails_says_why_and_ends() {
    let cases: [(fn() -> ContentError, FsError); 3] = [
        (|| ContentError::Unavailable("away".into()), FsError::Busy),
        (|| ContentError::Corrupt("nonsense".into()), FsError::Io),
        (|| ContentError::NotFound, FsError::Io),
    ];
    for (error, answer) in cases {
        let world = World::new().await;
        let node = world.file(BYTES).await;
        world.services.flush().await.unwrap();
        world.faults.get.always(error);
        assert_eq!(world.read(node).await, Err(answer));
        assert!(world.faults.gets.load(Ordering::Relaxed) < 10, "it is not tried for ever");
        world.faults.get.clear();
        assert_eq!(world.read(node).await, Ok(BYTES.to_vec()));
    }
}

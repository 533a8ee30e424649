use std::sync::atomic::{AtomicUsize, Ordering};

use dittofs_ports::mocks::MockContentStore;

use super::*;

const SHARE: ShareId = ShareId(1);
const OURS: u128 = 7;

/// A store that does not answer the first questions, and whose objects are this owner's.
fn store(unanswered: usize, owner: Option<u128>) -> Arc<dyn ContentStore> {
    let unanswered = Arc::new(AtomicUsize::new(unanswered));
    let answers = move || {
        let count = unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        count.map_or(Ok(()), |_| Err(ContentError::Unavailable("away".into())))
    };
    let claims = answers.clone();
    let mut store = MockContentStore::new();
    store.expect_owner().times(..=3).returning(move |_| answers().map(|()| owner));
    store.expect_claim().times(..=3).returning(move |_, asking| {
        claims()?;
        Ok(match owner {
            Some(found) if found == asking => Claim::Ours,
            Some(found) => Claim::Foreign(found),
            None => Claim::New,
        })
    });
    store.expect_delete().returning(|_, _| Ok(()));
    Arc::new(store)
}

async fn delete(content: &ConfirmedContent) -> Result<(), ContentError> {
    content.delete(SHARE, ObjectId(3)).await
}

#[tokio::test]
async fn waits_for_an_answer_and_asks_no_more_then() {
    let content = ConfirmedContent::new(store(2, Some(OURS)), SHARE, OURS, true);
    for _ in 0..2 {
        assert!(matches!(delete(&content).await, Err(ContentError::Unavailable(_))));
    }
    for _ in 0..2 {
        delete(&content).await.unwrap();
    }
}

#[tokio::test]
async fn never_touches_what_is_not_its_own() {
    for (owner, must_be_there) in [(Some(8), true), (Some(8), false), (None, true)] {
        let content = ConfirmedContent::new(store(1, owner), SHARE, OURS, must_be_there);
        assert!(matches!(delete(&content).await, Err(ContentError::Unavailable(_))));
        for _ in 0..2 {
            assert!(matches!(delete(&content).await, Err(ContentError::Corrupt(_))), "{owner:?}");
        }
    }
}

#[tokio::test]
async fn a_share_without_objects_may_begin_a_new_store() {
    let content = ConfirmedContent::new(store(1, None), SHARE, OURS, false);
    assert!(delete(&content).await.is_err());
    delete(&content).await.unwrap();
}

#[tokio::test]
async fn a_store_that_lost_everything_is_not_made_ours_by_asking() {
    let mut store = MockContentStore::new();
    store.expect_owner().times(2).returning(|_| Ok(None));
    store.expect_claim().times(1).returning(|_, _| Ok(Claim::New));
    for _ in 0..2 {
        assert_eq!(belongs(&store, SHARE, OURS, true).await.unwrap(), Belongs::Gone);
    }
    assert_eq!(belongs(&store, SHARE, OURS, false).await.unwrap(), Belongs::Ours);
}

#[tokio::test]
async fn what_frees_room_is_put_as_that_once_the_store_is_ours() {
    let mut store = MockContentStore::new();
    store.expect_claim().returning(|_, _| Ok(Claim::Ours));
    store.expect_put().never();
    store.expect_put_to_free().times(1).returning(|_, _, _| Ok(()));
    let content = ConfirmedContent::new(Arc::new(store), SHARE, OURS, false);
    content.put_to_free(SHARE, ObjectId(3), Vec::new()).await.unwrap();
    let foreign = ConfirmedContent::new(self::store(0, Some(8)), SHARE, OURS, false);
    assert!(matches!(foreign.put_to_free(SHARE, ObjectId(3), Vec::new()).await, Err(ContentError::Corrupt(_))));
}

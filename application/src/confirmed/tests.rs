use dittofs_ports::mocks::MockContentStore;

use super::*;

const SHARE: ShareId = ShareId(1);
const OURS: u128 = 7;

/// A store whose first claims get no answer, and the next one this.
fn store(unanswered: usize, claim: Claim) -> Arc<dyn ContentStore> {
    let mut store = MockContentStore::new();
    store.expect_claim().times(unanswered).returning(|_, _| Err(ContentError::Unavailable("away".into())));
    store.expect_claim().times(1).returning(move |_, _| Ok(claim));
    store.expect_delete().returning(|_, _| Ok(()));
    Arc::new(store)
}

async fn delete(content: &ConfirmedContent) -> Result<(), ContentError> {
    content.delete(SHARE, ObjectId(3)).await
}

#[tokio::test]
async fn waits_for_an_answer_and_asks_no_more_then() {
    let content = ConfirmedContent::new(store(2, Claim::Ours), SHARE, OURS, true);
    for _ in 0..2 {
        assert!(matches!(delete(&content).await, Err(ContentError::Unavailable(_))));
    }
    for _ in 0..2 {
        delete(&content).await.unwrap();
    }
}

#[tokio::test]
async fn never_touches_what_is_not_its_own() {
    for (claim, has_objects) in [(Claim::Foreign(8), true), (Claim::Foreign(8), false), (Claim::New, true)] {
        let content = ConfirmedContent::new(store(1, claim), SHARE, OURS, has_objects);
        assert!(matches!(delete(&content).await, Err(ContentError::Unavailable(_))));
        for _ in 0..2 {
            assert!(matches!(delete(&content).await, Err(ContentError::Corrupt(_))), "{claim:?}");
        }
    }
}

#[tokio::test]
async fn a_share_without_objects_may_begin_a_new_store() {
    let content = ConfirmedContent::new(store(1, Claim::New), SHARE, OURS, false);
    assert!(delete(&content).await.is_err());
    delete(&content).await.unwrap();
}

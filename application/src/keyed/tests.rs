use super::*;

#[tokio::test]
async fn a_key_is_held_by_one_and_forgotten_afterwards() {
    let locks = Arc::new(KeyedLocks::new());
    let first = locks.lock(7u64).await;
    let other = locks.lock(8u64).await;
    let waiting = tokio::spawn({
        let locks = Arc::clone(&locks);
        async move {
            let _held = locks.lock(7u64).await;
        }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(first);
    waiting.await.unwrap();
    drop(other);
    assert_eq!(locks.len(), 0);
}

#[tokio::test]
async fn a_waiter_that_gives_up_leaves_nothing_behind() {
    let locks = KeyedLocks::new();
    let held = locks.lock(1u64).await;
    {
        let waiter = locks.lock(1u64);
        futures_util::pin_mut!(waiter);
        assert!(futures_util::poll!(waiter.as_mut()).is_pending());
    }
    drop(held);
    assert_eq!(locks.len(), 0);
}

#[tokio::test]
async fn a_key_is_tried_without_waiting() {
    let locks = KeyedLocks::new();
    let held = locks.try_lock(1u64);
    assert!(held.is_some());
    assert!(locks.try_lock(1u64).is_none());
    drop(held);
    assert_eq!(locks.len(), 0);
    assert!(locks.try_lock(1u64).is_some());
}

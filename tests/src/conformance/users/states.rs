//! A change holds for the state that was read, and for no other.

use std::sync::Arc;

use dittofs_ports::{MetadataStore, Revision, UserStoreError};

use super::{name, user};

/// Somebody else's user is not replaced.
pub async fn a_user_is_added_once<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    users.put(&user("Alice", 1, 1), None).await.unwrap();
    let again = users.put(&user("aLICE", 2, 2), None).await;
    assert!(matches!(again, Err(UserStoreError::Conflict)), "{again:?}");
    assert_eq!(users.user(&name("alice")).await.unwrap(), Some(user("Alice", 1, 1)));
}

/// Also where there is no user to be changed any more.
pub async fn a_state_is_put_in_the_place_of_the_one_that_was_read<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    let conflicts = async |uid, revision, over: u64| {
        let put = users.put(&user("alice", uid, revision), Some(Revision(over))).await;
        assert!(matches!(put, Err(UserStoreError::Conflict)), "{put:?}");
    };
    conflicts(1, 2, 1).await;
    assert_eq!(users.user(&name("alice")).await.unwrap(), None);
    users.put(&user("alice", 1, 1), None).await.unwrap();
    users.put(&user("alice", 2, 2), Some(Revision(1))).await.unwrap();
    conflicts(3, 3, 1).await;
    conflicts(3, 3, u64::MAX).await;
    assert_eq!(users.user(&name("alice")).await.unwrap(), Some(user("alice", 2, 2)));
    // The name may get another case.
    users.put(&user("ALICE", 2, 4), Some(Revision(2))).await.unwrap();
    let found = users.user(&name("alice")).await.unwrap().unwrap();
    assert_eq!((found.user.name.as_str(), found.revision), ("ALICE", Revision(4)));
    assert_eq!(users.users(None, 10).await.unwrap().len(), 1);
}

/// As when an answer was lost.
pub async fn the_same_change_again_is_no_error<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    for _ in 0..2 {
        users.put(&user("alice", 1, u64::MAX), None).await.unwrap();
    }
    for _ in 0..2 {
        users.put(&user("alice", 2, 2), Some(Revision(u64::MAX))).await.unwrap();
    }
    assert_eq!(users.user(&name("alice")).await.unwrap(), Some(user("alice", 2, 2)));
    for _ in 0..2 {
        users.remove(&name("alice"), Revision(2)).await.unwrap();
    }
    assert_eq!(users.user(&name("alice")).await.unwrap(), None);
}

/// A user that somebody else has changed stays.
pub async fn a_user_is_removed_in_the_state_that_was_read<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    users.put(&user("alice", 1, 1), None).await.unwrap();
    users.put(&user("bob", 2, 1), None).await.unwrap();
    let refused = users.remove(&name("alice"), Revision(2)).await;
    assert!(matches!(refused, Err(UserStoreError::Conflict)), "{refused:?}");
    assert!(users.user(&name("alice")).await.unwrap().is_some());
    users.remove(&name("ALICE"), Revision(1)).await.unwrap();
    assert_eq!(users.users(None, 10).await.unwrap(), [user("bob", 2, 1)]);
    users.put(&user("alice", 3, 3), None).await.unwrap();
    assert_eq!(users.user(&name("alice")).await.unwrap(), Some(user("alice", 3, 3)));
}

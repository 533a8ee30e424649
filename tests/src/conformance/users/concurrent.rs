//! Several at once.

use std::sync::Arc;

use dittofs_domain::users::MachineId;
use dittofs_ports::{MetadataStore, Revision, StoredUser, UserStore, UserStoreError};
use tokio::task::JoinSet;

use super::{name, user};

const AT_ONCE: u32 = 8;
const CHANGES_EACH: u32 = 5;

/// The others are told.
pub async fn of_many_who_add_a_user_at_once_one_does<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    let mut adding = JoinSet::new();
    for number in 1..=AT_ONCE {
        let users = Arc::clone(&users);
        adding.spawn(async move { (number, users.put(&user("alice", number, number.into()), None).await) });
    }
    let mut won = Vec::new();
    for (number, put) in adding.join_all().await {
        match put {
            Ok(()) => won.push(number),
            Err(error) => assert!(matches!(error, UserStoreError::Conflict), "{error}"),
        }
    }
    let [won] = won.as_slice() else { panic!("{won:?} have added it") };
    assert_eq!(users.user(&name("alice")).await.unwrap().unwrap().user.uid, *won);
}

/// Each reads, changes what it read, and does so again if it was told of a conflict.
pub async fn changes_at_once_lose_nothing<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    let mut first = user("alice", 1, 1_000_000);
    first.user.groups.clear();
    users.put(&first, None).await.unwrap();
    let mut changing = JoinSet::new();
    for number in 0..AT_ONCE {
        let users = Arc::clone(&users);
        changing.spawn(async move {
            for change in 0..CHANGES_EACH {
                add_group(&*users, number * CHANGES_EACH + change).await;
            }
        });
    }
    changing.join_all().await;
    let mut groups = users.user(&name("alice")).await.unwrap().unwrap().user.groups;
    groups.sort_unstable();
    assert_eq!(groups, (0..AT_ONCE * CHANGES_EACH).collect::<Vec<u32>>());
}

async fn add_group(users: &dyn UserStore, group: u32) {
    for attempt in 0..1_000 {
        let StoredUser { mut user, revision: Revision(over) } = users.user(&name("alice")).await.unwrap().unwrap();
        user.groups.push(group);
        let revision = Revision(u64::from(group) << 32 | attempt);
        match users.put(&StoredUser { user, revision }, Some(Revision(over))).await {
            Ok(()) => return,
            Err(error) => assert!(matches!(error, UserStoreError::Conflict), "{error}"),
        }
    }
    panic!("nobody gets a change through");
}

/// All get the same one.
pub async fn of_many_machines_that_are_proposed_at_once_one_is_kept<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    let mut asking = JoinSet::new();
    for number in 0..AT_ONCE {
        let users = Arc::clone(&users);
        asking.spawn(async move { users.machine(MachineId([number; 3])).await.unwrap() });
    }
    let mut machines = asking.join_all().await;
    machines.dedup();
    assert_eq!(machines.len(), 1, "{machines:?}");
}

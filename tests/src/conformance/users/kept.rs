//! What is kept is found again, all of it.

use std::sync::Arc;

use dittofs_domain::{
    Node, NodeId, ShareId, Timestamp,
    credentials::NO_ID,
    users::{MachineId, SealedSecret, User, UserName},
};
use dittofs_ports::{MetadataStore, Revision, ShareRecord, StoredUser, Survives};

use super::{name, user};

/// And never another one after it.
pub async fn the_machine_is_made_once<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let store = open().await;
    let machine = MachineId([1, u32::MAX, 3]);
    for proposed in [machine, MachineId([4, 5, 6])] {
        assert_eq!(store.users().machine(proposed).await.unwrap(), machine);
    }
    assert_eq!(store.users().users(None, 10).await.unwrap(), [], "the machine is no user");
    if store.survives() > Survives::Nothing {
        drop(store);
        assert_eq!(open().await.users().machine(MachineId([7, 8, 9])).await.unwrap(), machine);
    }
}

/// Names that fold to the same are the same, and no others.
pub async fn a_user_is_found_whatever_the_case_of_its_name<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    users.put(&user("Ärger", 1, 1), None).await.unwrap();
    let found = users.user(&name("äRGER")).await.unwrap().unwrap();
    assert_eq!(found.user.name.as_str(), "Ärger");
    for other in ["Arger", "Ärge", "Ärgerr", "m"] {
        assert_eq!(users.user(&name(other)).await.unwrap(), None, "{other}");
    }
}

/// By the bytes of folded names, with nobody twice.
pub async fn users_are_listed_page_by_page_in_their_order<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    assert_eq!(users.users(None, 10).await.unwrap(), []);
    for (text, uid) in [("bob", 1), ("Émile", 2), ("Alice", 3), ("alice2", 4), ("zoë", 5)] {
        users.put(&user(text, uid, 1), None).await.unwrap();
    }
    let expected = ["Alice", "alice2", "bob", "zoë", "Émile"];
    for max in [1, 2, 3, 5, 100] {
        let (mut listed, mut after): (Vec<String>, Option<UserName>) = (Vec::new(), None);
        loop {
            let page = users.users(after, max).await.unwrap();
            assert!(page.len() <= max);
            let Some(last) = page.last() else { break };
            after = Some(last.user.name.clone());
            listed.extend(page.iter().map(|stored| stored.user.name.as_str().to_owned()));
        }
        assert_eq!(listed, expected, "{max} a page");
    }
    assert_eq!(users.users(None, 0).await.unwrap(), []);
    let between = users.users(Some(name("ALICE1")), 1).await.unwrap();
    assert_eq!(between[0].user.name.as_str(), "alice2");
}

/// The longest name, the greatest numbers, the most groups, the longest secret.
pub async fn everything_that_a_user_can_be_is_kept<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let users = open().await.users();
    let greatest = User {
        name: name(&"𐐀".repeat(UserName::CHARACTERS_MAX)),
        uid: NO_ID - 1,
        gid: NO_ID - 1,
        groups: (0..User::GROUPS_MAX as u32).map(|number| NO_ID - 1 - number).collect(),
        disabled: true,
        secret: SealedSecret::new(&[255; SealedSecret::BYTES_MAX]).unwrap(),
    };
    let least = User {
        name: name("a"),
        uid: 0,
        gid: 0,
        groups: Vec::new(),
        disabled: false,
        secret: SealedSecret::new(&[]).unwrap(),
    };
    for (user, revision) in [(greatest, u64::MAX), (least, 0)] {
        let stored = StoredUser { user, revision: Revision(revision) };
        users.put(&stored, None).await.unwrap();
        assert_eq!(users.user(&stored.user.name).await.unwrap(), Some(stored));
    }
}

/// A removal as well.
pub async fn users_survive_what_their_store_does<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let store = open().await;
    if store.survives() == Survives::Nothing {
        return;
    }
    let users = store.users();
    for (text, uid) in [("alice", 1), ("bob", 2), ("carol", 3)] {
        users.put(&user(text, uid, 1), None).await.unwrap();
    }
    users.put(&user("alice", 9, 2), Some(Revision(1))).await.unwrap();
    users.remove(&name("bob"), Revision(1)).await.unwrap();
    drop((users, store));
    let kept = open().await.users().users(None, 10).await.unwrap();
    assert_eq!(kept, [user("alice", 9, 2), user("carol", 3, 1)]);
}

/// They belong to no share.
pub async fn users_stay_when_a_share_goes<F>(open: impl AsyncFn() -> Arc<F>)
where
    F: MetadataStore + ?Sized,
{
    let store = open().await;
    let at = Timestamp::new(1, 0).unwrap();
    // The first bytes of its keys are those of keys of users.
    for id in [ShareId(u64::from_be_bytes(*b"ualice  ")), ShareId(u64::from_be_bytes(*b"m       ")), ShareId(1)] {
        let record = ShareRecord::new(id, format!("/{id}"));
        let root = Node::root(0, 0, 0o755, at);
        assert_eq!(root.id, NodeId::ROOT);
        store.create_share(&record, &root).await.unwrap();
        store.users().put(&user("alice", 1, id.0), None).await.unwrap();
        store.remove_share(id).await.unwrap();
        assert_eq!(store.users().users(None, 10).await.unwrap(), [user("alice", 1, id.0)]);
        store.users().remove(&name("alice"), Revision(id.0)).await.unwrap();
        assert_eq!(store.shares().await.unwrap(), []);
    }
}

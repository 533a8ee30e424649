use dittofs_domain::users::{NtHash, SealedSecret, Sid};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{
    MetadataStore,
    mocks::{MockSecretSealer, MockUserStore},
};
use dittofs_system::SystemRandomness;

use super::*;

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn new_user(text: &str, uid: u32) -> NewUser {
    NewUser { name: name(text), uid, gid: 100, groups: vec![4], nt_hash: NtHash::new([1; 16]) }
}

/// A sealer with a key, which does not seal.
fn open_sealer() -> MockSecretSealer {
    let mut sealer = MockSecretSealer::new();
    sealer.expect_seal().returning(|_, _, hash| Ok(SealedSecret::new(hash.bytes()).unwrap()));
    sealer.expect_open().returning(|_, sealed| Ok(NtHash::new(sealed.bytes().try_into().unwrap())));
    sealer
}

fn no_key() -> SecretError {
    SecretError::NoKey { fix: "make one".to_owned() }
}

fn over(store: Arc<dyn UserStore>, sealer: MockSecretSealer) -> Accounts {
    Accounts::new(store, Arc::new(sealer), Arc::new(SystemRandomness::new().unwrap()))
}

fn accounts() -> Accounts {
    over(MemoryMetadataStore::new().users(), open_sealer())
}

#[tokio::test]
async fn a_user_that_was_added_is_found_with_its_numbers_and_its_secret() {
    let accounts = accounts();
    accounts.add(new_user("Alice", 1_000)).await.unwrap();
    let found = accounts.find(&name("ALICE")).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.disabled), ("Alice", false));
    assert_eq!((found.credentials.uid, found.credentials.gid, found.credentials.in_group(4)), (1_000, 100, true));
    assert_eq!(found.nt_hash, NtHash::new([1; 16]));
    let machine = accounts.machine().await.unwrap();
    assert_eq!(found.sid, machine.sid_of(Principal::User(1_000)));
    assert_eq!(machine, accounts.machine().await.unwrap());
    assert_ne!(found.sid, Sid::everyone());
    assert_eq!(accounts.find(&name("bob")).await.unwrap(), None);
}

#[tokio::test]
async fn users_are_added_once_changed_and_removed() {
    let accounts = accounts();
    accounts.add(new_user("alice", 1)).await.unwrap();
    let again = accounts.add(new_user("ALICE", 2)).await;
    assert!(matches!(again, Err(AccountError::Taken)), "{again:?}");
    let change = UserChange {
        nt_hash: Some(NtHash::new([2; 16])),
        gid: Some(7),
        groups: Some(vec![8, 9]),
        disabled: Some(true),
    };
    accounts.change(&name("Alice"), change).await.unwrap();
    let found = accounts.find(&name("alice")).await.unwrap().unwrap();
    assert_eq!((found.credentials.uid, found.credentials.gid), (1, 7));
    assert_eq!(found.credentials.groups.as_slice(), [8, 9]);
    assert_eq!((found.nt_hash, found.disabled), (NtHash::new([2; 16]), true));
    accounts.change(&name("alice"), UserChange::default()).await.unwrap();
    assert!(accounts.list().await.unwrap()[0].disabled);
    accounts.remove(&name("ALICE")).await.unwrap();
    for gone in [accounts.remove(&name("alice")).await, accounts.change(&name("alice"), UserChange::default()).await] {
        assert!(matches!(gone, Err(AccountError::Unknown)), "{gone:?}");
    }
}

#[tokio::test]
async fn ids_that_nobody_has_are_refused() {
    let accounts = accounts();
    let none = u32::MAX;
    let ids: [(u32, u32, Vec<u32>); 4] =
        [(none, 1, vec![]), (1, none, vec![]), (1, 1, vec![none]), (1, 1, vec![5; User::GROUPS_MAX + 1])];
    for (uid, gid, groups) in ids {
        let added = accounts.add(NewUser { uid, gid, groups, ..new_user("a", 1) }).await;
        assert!(matches!(added, Err(AccountError::Ids)), "{added:?}");
    }
    accounts.add(new_user("a", 1)).await.unwrap();
    let changed = accounts.change(&name("a"), UserChange { gid: Some(none), ..UserChange::default() }).await;
    assert!(matches!(changed, Err(AccountError::Ids)), "{changed:?}");
}

#[tokio::test]
async fn the_first_user_brings_a_key_into_being_and_no_later_one_does() {
    let mut sealer = MockSecretSealer::new();
    sealer.expect_seal().times(1).returning(|_, _, _| Err(no_key()));
    sealer.expect_make_key().times(1).returning(|| Ok(()));
    sealer.expect_seal().times(1).returning(|_, _, hash| Ok(SealedSecret::new(hash.bytes()).unwrap()));
    sealer.expect_seal().returning(|_, _, _| Err(no_key()));
    let accounts = over(MemoryMetadataStore::new().users(), sealer);
    accounts.add(new_user("alice", 1)).await.unwrap();
    let refused = accounts.add(new_user("bob", 2)).await;
    assert!(matches!(refused, Err(AccountError::Secret(SecretError::NoKey { .. }))), "{refused:?}");
    assert_eq!(accounts.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_its_key_no_user_is_found_and_no_password_is_wrong() {
    let store = MemoryMetadataStore::new().users();
    over(Arc::clone(&store), open_sealer()).add(new_user("alice", 1)).await.unwrap();
    let mut sealer = MockSecretSealer::new();
    sealer.expect_open().returning(|_, _| Err(no_key()));
    let accounts = over(store, sealer);
    let refused = accounts.find(&name("alice")).await;
    assert!(matches!(refused, Err(AccountError::Secret(_))), "{refused:?}");
    assert_eq!(accounts.find(&name("bob")).await.unwrap(), None);
    // What needs no secret goes on.
    accounts.change(&name("alice"), UserChange { disabled: Some(true), ..UserChange::default() }).await.unwrap();
    accounts.remove(&name("alice")).await.unwrap();
}

#[tokio::test]
async fn a_change_is_decided_anew_after_somebody_elses_and_not_for_ever() {
    let stored = |revision| {
        let secret = SealedSecret::new(&[1; 16]).unwrap();
        let user = User { name: name("a"), uid: 1, gid: 1, groups: Vec::new(), disabled: false, secret };
        StoredUser { user, revision: Revision(revision) }
    };
    for (conflicts, expected) in [(2, true), (usize::MAX, false)] {
        let mut store = MockUserStore::new();
        store.expect_user().returning(move |_| Ok(Some(stored(7))));
        let mut puts = 0;
        store.expect_put().times(1..=ATTEMPTS).returning(move |user, over| {
            assert_eq!((over, user.user.disabled), (Some(Revision(7)), true));
            puts += 1;
            if puts <= conflicts { Err(UserStoreError::Conflict) } else { Ok(()) }
        });
        let change = UserChange { disabled: Some(true), ..UserChange::default() };
        let changed = over(Arc::new(store), open_sealer()).change(&name("a"), change).await;
        assert_eq!(changed.is_ok(), expected, "{changed:?}");
    }
}

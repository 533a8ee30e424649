use std::sync::Arc;

use dittofs_domain::users::{MachineId, Principal};
use dittofs_ports::{SecretError, mocks::MockAccountService};

use super::*;
use crate::{Client, ClientError, tests::started_with};

fn add(name: &str) -> UserRequest {
    let nt_hash = HashDigits(NtHash::new([0xab; 16]));
    UserRequest::Add { name: name.into(), uid: 1, gid: 2, groups: vec![3], nt_hash }
}

fn refused(answer: Result<(), ClientError>) -> String {
    match answer {
        Err(ClientError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn started(accounts: MockAccountService) -> (tempfile::TempDir, Client) {
    started_with(Arc::new(accounts))
}

#[tokio::test]
async fn users_are_listed_with_their_identifiers() {
    let mut accounts = MockAccountService::new();
    let name = UserName::new("Zoë").unwrap();
    let sid = MachineId([1, 2, 3]).sid_of(Principal::User(7));
    let info = UserInfo { name, uid: 7, gid: 8, groups: vec![9], disabled: true, sid };
    accounts.expect_list().return_once(move || Ok(vec![info]));
    let (_folder, client) = started(accounts);
    let [user] = client.users().await.unwrap().users.try_into().unwrap();
    let sid = "S-1-5-21-1-2-3-1014".to_owned();
    assert_eq!(user, UserView { name: "Zoë".into(), uid: 7, gid: 8, groups: vec![9], disabled: true, sid });
}

#[tokio::test]
async fn a_user_is_added_changed_and_removed_as_was_asked() {
    let mut accounts = MockAccountService::new();
    let (alice, zoe) = (UserName::new("alice").unwrap(), UserName::new("Zoë").unwrap());
    let expected = NewUser { name: alice.clone(), uid: 1, gid: 2, groups: vec![3], nt_hash: NtHash::new([0xab; 16]) };
    accounts.expect_add().times(1).withf(move |new| *new == expected).returning(|_| Ok(()));
    let change = UserChange { nt_hash: Some(NtHash::new([1; 16])), groups: Some(vec![]), ..UserChange::default() };
    let is_asked = move |name: &UserName, asked: &UserChange| *name == alice && *asked == change;
    accounts.expect_change().times(1).withf(is_asked).returning(|_, _| Ok(()));
    accounts.expect_remove().times(1).withf(move |name| *name == zoe).returning(|_| Ok(()));
    let (_folder, client) = started(accounts);
    client.change_user(&add("alice")).await.unwrap();
    let nt_hash = Some(HashDigits(NtHash::new([1; 16])));
    let change = UserRequest::Change { name: "ALICE".into(), nt_hash, gid: None, groups: Some(vec![]), disabled: None };
    client.change_user(&change).await.unwrap();
    client.remove_user("Zoë").await.unwrap();
}

#[tokio::test]
async fn the_reason_of_a_refusal_is_told() {
    let mut accounts = MockAccountService::new();
    accounts.expect_add().times(1).returning(|_| Err(AccountError::Taken));
    let no_key = || SecretError::NoKey { fix: "put it back".into() };
    accounts.expect_add().times(1).returning(move |_| Err(no_key().into()));
    accounts.expect_remove().returning(|_| Err(AccountError::Unknown));
    let (_folder, client) = started(accounts);
    let taken = refused(client.change_user(&add("alice")).await);
    assert!(taken.contains("already"), "{taken}");
    let no_key = refused(client.change_user(&add("alice")).await);
    assert!(no_key.contains("put it back"), "{no_key}");
    let unknown = refused(client.remove_user("bob").await);
    assert!(unknown.contains("no such user"), "{unknown}");
    let no_name = refused(client.change_user(&add("a/b")).await);
    assert!(no_name.contains("has `/` in it"), "{no_name}");
}

#[test]
fn a_request_shows_nothing_of_the_password() {
    let shown = format!("{:?}", add("alice"));
    assert!(!shown.contains("171") && !shown.contains("ab"), "{shown}");
    let sent = serde_json::to_string(&add("alice")).unwrap();
    assert!(sent.contains(&"ab".repeat(16)), "{sent}");
    assert_eq!(serde_json::from_str::<UserRequest>(&sent).unwrap(), add("alice"));
    for digits in [&"ab".repeat(15), &"ab".repeat(17), &"+b".repeat(16), "é"] {
        assert!(serde_json::from_str::<HashDigits>(&format!("\"{digits}\"")).is_err(), "{digits}");
    }
}

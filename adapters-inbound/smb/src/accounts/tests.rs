use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{
    Credentials,
    users::{MachineId, NtHash, Principal, UserName},
};
use dittofs_ports::{Account, AccountError, AccountService, NewUser, UserChange, UserInfo};
use dittofs_smb_security::{
    FileTime, NtHash as Hash,
    ntlm::{TargetNames, client::Client},
    spnego::{Acceptor, Mechanism, Pending, Step, initiator::Initiator},
};
use dittofs_smb_wire::NtStatus;
use tokio::time::{Instant, sleep};

use super::{Accounts, REFUSAL};

/// Alice, whose secret takes a while to unseal.
struct Alice {
    takes: Duration,
    is_disabled: bool,
}

#[async_trait]
impl AccountService for Alice {
    async fn find(&self, name: &UserName) -> Result<Option<Account>, AccountError> {
        if name.as_str() != "alice" {
            return Ok(None);
        }
        sleep(self.takes).await;
        Ok(Some(Account {
            name: name.clone(),
            credentials: Credentials { uid: 1, gid: 1, groups: [].into_iter().collect() },
            sid: MachineId::of_bits(1).sid_of(Principal::User(1)),
            nt_hash: NtHash::new(*Hash::of_password("right").as_bytes()),
            disabled: self.is_disabled,
        }))
    }

    async fn machine(&self) -> Result<MachineId, AccountError> {
        Err(AccountError::Unknown)
    }

    async fn list(&self) -> Result<Vec<UserInfo>, AccountError> {
        Err(AccountError::Unknown)
    }

    async fn add(&self, _user: NewUser) -> Result<(), AccountError> {
        Err(AccountError::Unknown)
    }

    async fn change(&self, _name: &UserName, _change: UserChange) -> Result<(), AccountError> {
        Err(AccountError::Unknown)
    }

    async fn remove(&self, _name: &UserName) -> Result<(), AccountError> {
        Err(AccountError::Unknown)
    }
}

fn logon(user: &str, password: &str) -> Pending {
    let mut client = Initiator::new(Client::new(user, "", password), &[Mechanism::Ntlm]);
    let names = Arc::new(TargetNames::standalone("SERVER").unwrap());
    let mut server = Acceptor::new(names, [1; 8], FileTime(133_000_000_000_000_000));
    let Ok(Step::Continue(challenge)) = server.step(&client.first(None)) else { panic!("no challenge") };
    let answer = client.next(&challenge, [2; 8], [3; 16]).unwrap();
    let Ok(Step::Identify(pending)) = server.step(&answer) else { panic!("no identity") };
    *pending
}

/// The outcome, and how long it takes.
async fn tried(accounts: &Accounts, user: &str, password: &str) -> (Option<NtStatus>, Duration) {
    let (begun, peer) = (Instant::now(), SocketAddr::from(([127, 0, 0, 1], 1)));
    let proved = accounts.prove(peer, logon(user, password)).await;
    (proved.err(), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_refusal_does_not_tell_whether_there_is_the_user() {
    let takes = Duration::from_millis(7);
    let accounts = Accounts::new(Arc::new(Alice { takes, is_disabled: false }));
    let known = tried(&accounts, "alice", "wrong").await;
    let unknown = tried(&accounts, "nobody", "wrong").await;
    assert_eq!(known, unknown);
    assert_eq!(known.0, Some(NtStatus::LOGON_FAILURE));
    assert_eq!(tried(&accounts, "alice", "right").await, (None, takes), "who proves itself waits for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_makes_a_refusal_take_whole_steps() {
    let accounts = Accounts::new(Arc::new(Alice { takes: REFUSAL * 5 / 2, is_disabled: false }));
    let (_, took) = tried(&accounts, "alice", "wrong").await;
    assert!(took.as_micros().is_multiple_of(REFUSAL.as_micros()) && took == REFUSAL * 3, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn only_who_knows_the_password_is_told_that_a_user_is_disabled() {
    let accounts = Accounts::new(Arc::new(Alice { takes: Duration::ZERO, is_disabled: true }));
    assert_eq!(tried(&accounts, "alice", "wrong").await.0, Some(NtStatus::LOGON_FAILURE));
    assert_eq!(tried(&accounts, "alice", "right").await.0, Some(NtStatus::ACCOUNT_DISABLED));
}

#[tokio::test(start_paused = true)]
async fn who_fails_too_often_is_not_heard_for_a_while() {
    let accounts = Accounts::new(Arc::new(Alice { takes: Duration::ZERO, is_disabled: false }));
    for _ in 0..200 {
        tried(&accounts, "alice", "wrong").await;
    }
    assert_eq!(tried(&accounts, "alice", "right").await.0, Some(NtStatus::LOGON_FAILURE));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(tried(&accounts, "alice", "right").await.0, None);
}

//! Locks that clients take again after a restart.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use dittofs_application::Recovery;
use dittofs_domain::{
    LockClient,
    error::FsError,
    opens::{Lock, LockKind},
};
use dittofs_ports::{LockClients, LockClientsError, LockReply, LockRequest, OpenService, RecoveryService};
use dittofs_system::SystemRandomness;

use crate::world::{World, bytes, nfs, owner};

const GRACE: Duration = Duration::from_secs(45);

/// How a life of the server begins.
type Begun = Result<(i32, Vec<LockClient>), LockClientsError>;

/// A list that says what it is told to.
struct List {
    begins: Mutex<Option<Begun>>,
    is_full: bool,
}

#[async_trait]
impl LockClients for List {
    async fn begin(&self) -> Begun {
        self.begins.lock().unwrap().take().unwrap()
    }

    async fn keep(&self, _client: &LockClient) -> Result<(), LockClientsError> {
        if self.is_full { Err(LockClientsError::Unavailable("full".into())) } else { Ok(()) }
    }

    async fn forget(&self, _clients: &[LockClient]) -> Result<(), LockClientsError> {
        self.keep(&client()).await
    }
}

fn client() -> LockClient {
    LockClient { address: [192, 0, 2, 1].into(), name: (*b"pc").into(), server: [192, 0, 2, 9].into() }
}

async fn begin(world: &World, begins: Begun, is_full: bool) -> Recovery {
    let list = List { begins: Mutex::new(Some(begins)), is_full };
    Recovery::begin(Arc::new(list), world.services.volumes(), GRACE, &SystemRandomness::new().unwrap()).await
}

async fn lock(world: &World, client: u64, reclaims: bool) -> LockReply {
    let file = world.file(&world.share.wait_token().0.to_string(), b"").await;
    let lock = Lock { range: bytes(0, 1), kind: LockKind::Exclusive, holder: owner(client) };
    let request = LockRequest { lock, wait: None, waits: true, reclaims };
    world.share.lock(&nfs(client), file, &request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn in_the_grace_period_only_who_reclaims_gets_a_lock_and_nobody_reclaims_later() {
    let world = World::new().await;
    let recovery = begin(&world, Ok((3, vec![client()])), false).await;
    assert_eq!((recovery.state(), recovery.earlier()), (3, vec![client()]));
    assert_eq!(lock(&world, 1, false).await, LockReply::Grace);
    assert_eq!(lock(&world, 1, true).await, LockReply::Granted);
    tokio::time::sleep(GRACE - Duration::from_secs(1)).await;
    assert_eq!(lock(&world, 2, false).await, LockReply::Grace);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(lock(&world, 2, false).await, LockReply::Granted);
    assert_eq!(lock(&world, 2, true).await, LockReply::Grace);
    recovery.forget(&[client()]).await;
    assert_eq!(recovery.earlier(), []);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_clients_that_there_were_not() {
    let world = World::new().await;
    begin(&world, Ok((1, Vec::new())), false).await;
    assert_eq!(lock(&world, 1, true).await, LockReply::Grace);
    assert_eq!(lock(&world, 1, false).await, LockReply::Granted);
}

#[tokio::test(start_paused = true)]
async fn where_the_list_can_t_be_read_everybody_waits() {
    let world = World::new().await;
    let recovery = begin(&world, Err(LockClientsError::Corrupt("not a list".into())), false).await;
    assert!(recovery.state() > 0 && recovery.state() % 2 == 1, "{}", recovery.state());
    assert_eq!(lock(&world, 1, false).await, LockReply::Grace);
    assert_eq!(lock(&world, 1, true).await, LockReply::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_can_t_be_remembered_is_refused() {
    let world = World::new().await;
    let recovery = begin(&world, Ok((1, Vec::new())), true).await;
    assert_eq!(recovery.remember(&client()).await, Err(FsError::Io));
    // One that can't be forgotten is told for nothing: no more than that.
    recovery.forget(&[client()]).await;
    let recovery = begin(&world, Ok((1, Vec::new())), false).await;
    assert_eq!(recovery.remember(&client()).await, Ok(()));
}

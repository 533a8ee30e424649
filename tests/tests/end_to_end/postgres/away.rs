//! A database that is away for longer than a request waits, as clients see it.

use std::time::{Duration, Instant};

use dittofs_postgres_test_server::PostgresServer;
use dittofs_tests::{
    ports::own_place,
    rpc::{Credential, NFS, RpcConnection, record},
};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    postgres::home_over,
    session::{place, status},
};

/// How long a request waits for a connection to the database, and how long at most until it is answered.
const WAIT: u32 = 1;
const ANSWERED_WITHIN: Duration = Duration::from_secs(12);

/// A question is put off. A change gets no answer, and its connection ends: a client that were told to try again would
/// send it as another call, and nobody could tell that from the first. Sent again as the same call, it is done once.
#[tokio::test(flavor = "multi_thread")]
async fn questions_are_put_off_and_changes_get_no_answer_until_the_database_is_back() {
    let mut database = PostgresServer::start();
    let home = home_over(&database, WAIT);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    let file = session.make_file(&directory, b"file", 0o644).await;
    let user = Credential::user(0, 0);
    let mut client = RpcConnection::open_from(own_place(), server.address(), user.clone(), 1);
    let local = client.local();
    let create = CREATE3args { where_: place(&directory, b"new"), how: createhow3::GUARDED(sattr3::default()) };
    let create = record(4_711, NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &user, &create);

    database.stop();
    // Much longer than requests wait.
    let until = Instant::now() + Duration::from_secs(5);
    let mut rounds = 0;
    while Instant::now() < until {
        let began = Instant::now();
        assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_JUKEBOX);
        assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
        assert_eq!(session.find(&directory, b"file").await.err(), Some(nfsstat3::NFS3ERR_JUKEBOX));
        let began = Instant::now();
        client.queue_bytes(&create);
        client.send().unwrap();
        assert!(client.receive().is_none(), "a change was answered");
        assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
        client.reset();
        client = RpcConnection::open_from(local, server.address(), user.clone(), 1);
        rounds += 1;
    }
    assert!(rounds > 0);

    database.start_again();
    let began = Instant::now();
    client.queue_bytes(&create);
    client.send().unwrap();
    let reply = client.receive().expect("the database is back");
    assert_eq!(status(&reply.results::<CREATE3res>()), nfsstat3::NFS3_OK);
    assert_eq!(session.state_of(&file).await, nfsstat3::NFS3_OK);
    assert!(began.elapsed() < Duration::from_secs(1), "it does not go on by itself: {:?}", began.elapsed());
    assert!(server.stop().status.success());
}

//! Backups as the guide says, of a share without a disk: the database by its own tools, and the bucket.

use std::process::Command;

use dittofs_postgres_test_server::PostgresServer;
use dittofs_tests::s3::{self, S3Server};
use nfs3_client::nfs3_types::nfs3::nfsstat3;

use crate::{
    persistence::root_of,
    postgres::{check_files, text, tier::configuration, write_files},
    session::home,
};

fn over(database: &PostgresServer, bucket: &S3Server) -> String {
    let content = format!("{{ type: s3, s3: {} }}", s3::options(bucket.address(), "backup"));
    configuration(database, ", outlives_machine: true", &content)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_database_and_the_bucket_is_restored_elsewhere_and_never_over_newer_content() {
    let (database, bucket) = (PostgresServer::start(), S3Server::start());
    let original = home(Some(&over(&database, &bucket)));
    let server = original.start();
    let files = write_files(&mut root_of(&server).await, b"first").await;
    assert!(server.stop().status.success());
    let dump = database.dump();
    let copied = S3Server::start();
    let all = bucket.bucket().join(".");
    assert!(Command::new("cp").arg("-a").arg(all).arg(copied.bucket()).status().unwrap().success());

    // The original goes on, and the copy is used beside it.
    let server = original.start();
    let mut session = root_of(&server).await;
    let later = write_files(&mut session, b"later").await;
    let elsewhere = PostgresServer::start();
    elsewhere.restore(&dump);
    let restored = home(Some(&over(&elsewhere, &copied)));
    let copy = restored.start();
    let mut of_copy = root_of(&copy).await;
    check_files(&mut of_copy, &files).await;
    let root = of_copy.root.clone();
    assert_eq!(of_copy.find(&root, b"later").await, Err(nfsstat3::NFS3ERR_NOENT));
    write_files(&mut of_copy, b"of the copy").await;
    check_files(&mut session, &files).await;
    check_files(&mut session, &later).await;
    for (server, home) in [(server, &original), (copy, &restored)] {
        assert!(server.stop().status.success());
        let checked = home.run(&["check"]);
        assert!(checked.status.success(), "{}", text(&checked));
    }

    // The old names over the newer content.
    let older = PostgresServer::start();
    older.restore(&dump);
    let refused = home(Some(&over(&older, &bucket))).try_start(&[]).err().expect("the content is newer");
    assert!(
        refused.log.contains("Everything that was changed since the copy was made would be lost"),
        "{}",
        refused.log
    );
    // Nothing has become of the original.
    let server = original.start();
    let mut session = root_of(&server).await;
    check_files(&mut session, &files).await;
    check_files(&mut session, &later).await;
    assert!(server.stop().status.success());
}

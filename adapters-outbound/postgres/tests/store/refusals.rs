//! Databases that won't do are refused, with what to change; and nothing shows a password.

use std::{fs, path::PathBuf};

use dittofs_domain::{NodeId, plan::Query};
use dittofs_ports::{MetadataStore, Survives};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret, SslMode};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, Pgbouncer, PostgresServer, Proxy, USER};

use crate::fixture::{Fixture, at_port, options};

async fn refusal(options: &PostgresOptions) -> String {
    let options = PostgresOptions { connect_timeout_seconds: 1, ..options.clone() };
    let error = PostgresMetadataStore::open(&options).await.err().expect("it is refused").to_string();
    assert!(!error.contains(PASSWORD) && !format!("{options:?}").contains(PASSWORD), "a password is shown: {error}");
    error
}

#[tokio::test]
async fn options_that_lead_nowhere_say_what_to_change() {
    let server = PostgresServer::start();
    let good = options(&server);
    let url = format!("postgres://{USER}:correct%20horse@127.0.0.1:{}/{DATABASE}", server.port());
    let nowhere = |found: &str| PostgresOptions { url: Some(Secret::new(found)), ..PostgresOptions::default() };
    for (options, expected) in [
        (PostgresOptions::default(), "set `host` or `url`"),
        (PostgresOptions { user: None, ..good.clone() }, "set `user`"),
        (PostgresOptions { database: None, ..good.clone() }, "set `database`"),
        (PostgresOptions { url: Some(Secret::new(&url)), ..good.clone() }, "leave those options out"),
        (nowhere("correct horse"), "is not `postgres://"),
        (PostgresOptions { password_file: Some(PathBuf::from("/x")), ..good.clone() }, "set one of them"),
        (
            PostgresOptions { password: None, password_file: Some(PathBuf::from("/missing")), ..good.clone() },
            "the password file /missing can't be read",
        ),
        (PostgresOptions { password: Some(Secret::new("another")), ..good.clone() }, "check `user`, `password`"),
        (PostgresOptions { database: Some("nowhere".to_owned()), ..good.clone() }, "make the database first"),
        (PostgresOptions { port: Some(1), ..good.clone() }, "is PostgreSQL running there"),
        (PostgresOptions { sslmode: Some(SslMode::Require), ..good.clone() }, "check `sslmode`"),
        (
            PostgresOptions {
                sslmode: Some(SslMode::Disable),
                root_certificate: Some(PathBuf::from("/x")),
                ..good.clone()
            },
            "only used with `sslmode: verify-ca`",
        ),
    ] {
        let found = refusal(&options).await;
        assert!(found.contains(expected), "{found}, instead of: {expected}");
    }
    PostgresMetadataStore::open(&nowhere(&url)).await.unwrap();
    PostgresMetadataStore::open(&good).await.unwrap();
}

#[tokio::test]
async fn a_database_that_loses_what_it_acknowledged_is_refused() {
    for (setting, expected) in [("fsync=off", "set fsync = on"), ("full_page_writes=off", "set full_page_writes = on")]
    {
        let server = PostgresServer::with(&[setting]);
        let found = refusal(&options(&server)).await;
        assert!(found.contains(expected), "{found}");
    }
    // What the server's configuration says of commits does not count: sessions say it themselves.
    let server = PostgresServer::with(&["synchronous_commit=off"]);
    Fixture::new(&options(&server)).await;
}

#[tokio::test]
async fn a_pooler_that_drops_settings_is_refused() {
    let server = PostgresServer::start();
    let pooler = Proxy::pooler(server.port()).await;
    let options = PostgresOptions { sslmode: Some(SslMode::Disable), ..at_port(pooler.port()) };
    let found = refusal(&options).await;
    assert!(found.contains("as pgbouncer does in every mode"), "{found}");
    let proxy = Proxy::start(server.port()).await;
    Fixture::new(&PostgresOptions { port: Some(proxy.port()), ..options }).await;
}

#[tokio::test]
async fn pgbouncer_is_refused_in_every_mode() {
    let server = PostgresServer::start();
    for mode in ["session", "transaction", "statement"] {
        for (ignored, expected) in [
            ("", "if pgbouncer stands between, connect to the database itself"),
            ("extra_float_digits", "if pgbouncer stands between, connect to the database itself"),
            ("extra_float_digits, options", "pgbouncer does in every mode: connect to the database itself"),
        ] {
            let pooler = Pgbouncer::start(&server, mode, ignored);
            let found = refusal(&at_port(pooler.port())).await;
            assert!(found.contains(expected), "{mode}, ignoring \"{ignored}\": {found}\n{}", pooler.log());
        }
    }
    Fixture::new(&options(&server)).await;
}

#[tokio::test]
async fn a_standby_is_refused() {
    let mut server = PostgresServer::start();
    server.stop();
    server.put("standby.signal", b"");
    server.set(&["hot_standby=on"]);
    // Without anybody to follow it comes up as far as it has a log of changes.
    server.start_again();
    let found = refusal(&options(&server)).await;
    assert!(found.contains("connect to the primary"), "{found}");
}

/// Nothing is changed here while standbys are waited for: there are none, and so it would be waited for ever.
#[tokio::test]
async fn what_survives_is_known_by_the_standbys_that_are_waited_for_unless_it_is_stated() {
    let mut server = PostgresServer::start();
    for (standbys, known) in [("", Survives::PowerLoss), ("*", Survives::MachineLoss)] {
        for (stated, expected) in
            [(None, known), (Some(true), Survives::MachineLoss), (Some(false), Survives::PowerLoss)]
        {
            let options = PostgresOptions { outlives_machine: stated, ..options(&server) };
            let store = PostgresMetadataStore::open(&options).await.unwrap();
            assert_eq!(store.survives(), expected, "`{standbys}`, and {stated:?} is stated");
        }
        server.stop();
        server.set(&["synchronous_standby_names=*"]);
        server.start_again();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_changes_is_read_again() {
    let mut server = PostgresServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, format!("{PASSWORD}\nnot this line")).unwrap();
    let options = PostgresOptions { password: None, password_file: Some(file.clone()), ..options(&server) };
    let fixture = Fixture::new(&options).await;
    fs::write(&file, "another one").unwrap();
    server.stop();
    server.start_again();
    let query = Query::node(NodeId::ROOT);
    let answer = fixture.share.view(&query).await;
    assert!(answer.unwrap_err().to_string().contains("password authentication failed"));
    fs::write(&file, PASSWORD).unwrap();
    assert_eq!(fixture.view(query).await.nodes.len(), 1);
}

//! The tier `remote`: what it takes, and what is said of it.

use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::{
    s3::{self, S3Server},
    server::Home,
};

use crate::{postgres::text, session::home};

pub(super) fn configuration(database: &PostgresServer, stated: &str, content: &str) -> String {
    let port = database.port();
    format!(
        "metadata: {{ stores: {{ m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {port}, user: {USER}, \
         database: {DATABASE}, password: \"{PASSWORD}\"{stated} }} }} }} }}\n\
         content: {{ stores: {{ c: {content} }} }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, durability: remote, squash: none }}]\n"
    )
}

fn refusal(home: &Home) -> String {
    home.try_start(&[]).err().expect("the stores can't give it").log
}

#[test]
fn a_tier_that_the_stores_cannot_give_is_refused_and_one_that_they_give_is_shown() {
    let (database, bucket) = (PostgresServer::start(), S3Server::start());
    let in_bucket = format!("{{ type: s3, s3: {} }}", s3::options(bucket.address(), "tier"));
    let in_folder = "{ type: fs, fs: { path: content } }";
    let home = home(Some(&configuration(&database, "", &in_bucket)));
    let found = refusal(&home);
    assert!(found.contains("`durability: remote` needs a metadata store that outlives its machine"), "{found}");
    assert!(found.contains("synchronous_standby_names") && found.contains("`outlives_machine: true`"), "{found}");
    home.configure(&configuration(&database, ", outlives_machine: false", &in_bucket));
    let found = refusal(&home);
    assert!(found.contains("can't give `remote`") || found.contains("needs a metadata store"), "{found}");
    home.configure(&configuration(&database, ", outlives_machine: true", in_folder));
    let found = refusal(&home);
    assert!(found.contains("can't give `remote`"), "{found}");

    home.configure(&configuration(&database, ", outlives_machine: true", &in_bucket));
    let server = home.start();
    let shown = text(&home.run(&["share", "show", "/export"]));
    for word in [
        "durability        remote",
        "answered when they are in the content store, or if they are few, in the metadata store",
        "answered when they are in a metadata store that outlives this machine",
        "survives        the loss of this machine",
        "journal           in memory",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let listed = text(&home.run(&["share", "list"]));
    assert!(listed.lines().any(|line| line.starts_with("/export  remote")), "{listed}");
    assert!(server.stop().status.success());
}

//! Tables are made once, and not by a program that does not know them.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Acl, NodeId, NodeKind,
    acl::AclFlags,
    node::NodeFlags,
    plan::{Change, NodeUpdate, Plan, Query},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::MetadataStore;
use dittofs_postgres::{OpenError, PostgresMetadataStore};
use dittofs_postgres_test_server::{DATABASE, PostgresServer, USER};
use sqlx::{Connection, Executor, PgConnection, Row};

use crate::fixture::{Fixture, SHARE, options, time};

/// A connection of a person who looks after the database.
pub(crate) async fn by_hand(server: &PostgresServer) -> PgConnection {
    PgConnection::connect(&server.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_programs_that_start_at_once_one_makes_the_tables() {
    let server = PostgresServer::start();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let options = options(&server);
        tasks.spawn(async move { PostgresMetadataStore::open(&options).await.map(drop) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
    let mut connection = by_hand(&server).await;
    let versions = connection.fetch_all("SELECT version FROM dittofs.schema_version ORDER BY version").await.unwrap();
    let versions: Vec<i32> = versions.iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn tables_of_a_newer_release_are_refused_and_left_alone() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut connection = by_hand(&server).await;
    connection.execute("INSERT INTO dittofs.schema_version VALUES (1000)").await.unwrap();
    let refused = PostgresMetadataStore::open(&options(&server)).await.err().expect("they are newer");
    assert!(matches!(refused, OpenError::Migration { .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("version 1000") && text.contains("Start that release"), "{text}");
    assert_eq!(fixture.store.shares().await.unwrap().len(), 1, "a program that runs goes on");
}

#[tokio::test]
async fn a_database_of_somebody_else_says_what_is_missing() {
    let server = PostgresServer::start();
    let mut connection = by_hand(&server).await;
    connection.execute(format!("REVOKE CREATE ON DATABASE {DATABASE} FROM {USER}").as_str()).await.unwrap();
    let refused = PostgresMetadataStore::open(&options(&server)).await.err().expect("no schema can be made");
    assert!(refused.to_string().contains("let the user own the database"), "{refused}");
}

/// The store relies on this of the library: an answer is only one when the commit has succeeded.
#[tokio::test]
async fn a_commit_that_fails_is_no_answer() {
    let server = PostgresServer::start();
    let mut connection = by_hand(&server).await;
    connection.execute("CREATE TABLE one (id int4 UNIQUE DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    for _ in 0..3 {
        let all = sqlx::query("INSERT INTO one VALUES (1), (1) RETURNING id").fetch_all(&mut connection).await;
        assert!(all.is_err(), "{all:?}");
    }
    let count = connection.fetch_one("SELECT count(*) FROM one").await.unwrap();
    assert_eq!(count.get::<i64, _>(0), 0);
}

/// Calls of a server of a release before: it builds whole rows of nodes, and knows nothing of their lists.
#[tokio::test]
async fn functions_of_releases_before_leave_a_list_but_for_one_that_a_mode_replaces() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let acl = Arc::new(Acl::unrestricted(AclFlags::PROTECTED));
    let mut connection = by_hand(&server).await;
    connection.execute("SET search_path TO dittofs").await.unwrap();
    for (function, operands) in [("apply_1", 31), ("apply_2", 33)] {
        for (changed, expected) in [(0o1_000_i64, Some(&acl)), (0o040, None)] {
            let mut plan = Plan::at(time(3));
            let update = NodeUpdate { acl: Some(Some(Arc::clone(&acl))), ..NodeUpdate::changed() };
            plan.change(Change::UpdateNode(file, update));
            fixture.apply(plan, None).await.unwrap();
            let view = fixture.view(Query::node(file)).await;
            let mode = i64::from(view.node(file).unwrap().mode) ^ changed;
            // An update of the mode alone, and nothing else.
            let mut code = vec![0_i64; operands];
            code[..4].copy_from_slice(&[31, 1, 1, mode]);
            apply_by_hand(&mut connection, function, file, code).await;
            let view = fixture.view(Query::node(file)).await;
            let node = view.node(file).unwrap();
            assert_eq!((i64::from(node.mode), node.acl.as_ref()), (mode, expected), "{function}");
        }
    }
}

/// Has a function apply a plan with one change, of one file.
async fn apply_by_hand(connection: &mut PgConnection, function: &str, file: NodeId, code: Vec<i64>) {
    let end = code.len() + 1;
    let call = format!(
        "SELECT o_a FROM {function}($1, ARRAY[$2::int8], '{{}}', '{{}}', false, ARRAY[1, 1, {end}]::int8[], $3, '{{}}', \
         ARRAY[''::bytea], ARRAY[0]::int8[], 0, 0)"
    );
    let call = sqlx::query(&call).bind(SHARE.0.cast_signed()).bind(file.0.cast_signed()).bind(code);
    let answers = connection.fetch_all(call).await.unwrap();
    assert_eq!(answers.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), [0], "{function}: applied");
}

/// A server of a release before updates and removes nodes of whose attributes it knows nothing.
#[tokio::test]
async fn functions_of_releases_before_leave_extended_attributes_and_remove_them_with_their_nodes() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut connection = by_hand(&server).await;
    connection.execute("SET search_path TO dittofs").await.unwrap();
    let name = XattrName::new(Bytes::from_static(b"n")).unwrap();
    let set = XattrChange::Set { name, value: Bytes::from_static(b"v"), how: SetHow::Either };
    let xattrs = Xattrs::initial(&[set]).unwrap().map(Arc::new);
    for (function, operands) in [("apply_1", 31), ("apply_2", 33), ("apply_3", 34)] {
        let file = fixture.add(NodeId::ROOT, function, NodeKind::File).await;
        let update = NodeUpdate { xattr_bytes: Some(7), set_flags: NodeFlags::XATTRS, ..NodeUpdate::changed() };
        let mut plan = Plan::at(time(3));
        plan.change(Change::PutXattrs { node: file, xattrs: xattrs.clone() }).change(Change::UpdateNode(file, update));
        fixture.apply(plan, None).await.unwrap();
        // An update of the mode, and then a removal.
        let mut update = vec![0_i64; operands];
        update[..4].copy_from_slice(&[31, 1, 1, 0o600]);
        for (code, is_removal) in [(update, false), (vec![36, 1], true)] {
            apply_by_hand(&mut connection, function, file, code).await;
            let view = fixture.view(Query::xattrs(file)).await;
            assert_eq!(view.xattrs, xattrs.clone().filter(|_| !is_removal), "{function}");
            let node = view.nodes.first().map(|node| (node.mode, node.xattr_bytes));
            assert_eq!(node, (!is_removal).then_some((0o600, 7)), "{function}");
        }
    }
}

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use sqlx::Executor;

use super::*;
use crate::{
    connection::Connector,
    migrations,
    options::{PostgresOptions, Secret},
};

#[tokio::test]
async fn the_database_understands_every_statement() {
    let server = PostgresServer::start();
    let options = PostgresOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(server.port()),
        user: Some(USER.to_owned()),
        database: Some(DATABASE.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..PostgresOptions::default()
    };
    let mut session = Connector::new(&options).unwrap().connect(options.connect_timeout()).await.unwrap();
    migrations::run(&mut session.connection).await.unwrap();
    let all = all();
    assert!(all.len() > 100, "{}", all.len());
    for text in all {
        if let Err(error) = session.connection.prepare(&text).await {
            panic!("{text}\n{error}");
        }
    }
}

#[test]
fn each_shape_has_its_statement() {
    assert_eq!(Shape::all().collect::<HashSet<Shape>>().len(), 3 * 3 * 3 * 16);
    for shape in Shape::all() {
        let text = shape.statement();
        let parts = [
            (shape.nodes != Keys::None, "SELECT 1::int2"),
            (shape.entries != Keys::None, "SELECT 2::int2"),
            (shape.ancestors, "SELECT 3::int2"),
            (shape.map, "SELECT 4::int2"),
            (shape.op, "SELECT 5::int2"),
            (shape.folded != Keys::None, "SELECT 6::int2"),
            (shape.xattrs, "SELECT 8::int2"),
        ];
        for (is_asked, part) in parts {
            assert_eq!(text.contains(part), is_asked, "{shape:?}");
        }
        let keys = [shape.nodes, shape.entries, shape.folded];
        for (how, relation) in [(Keys::One, "(VALUES ("), (Keys::Many, "unnest(")] {
            let count = keys.iter().filter(|keys| **keys == how).count();
            assert_eq!(text.matches(relation).count(), count, "{shape:?}");
        }
    }
}

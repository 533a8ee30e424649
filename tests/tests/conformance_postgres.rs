//! The suite of metadata stores, on a PostgreSQL database: with one plan a call, and with several.

use std::{sync::Arc, time::Duration};

use dittofs_domain::plan::OperationsKept;
use dittofs_ports::MetadataStore;
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::{conformance::metadata::thin_pairs, conformance_cases, metadata_conformance, sole_conformance};

fn options(server: &PostgresServer) -> PostgresOptions {
    PostgresOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(server.port()),
        user: Some(USER.to_owned()),
        database: Some(DATABASE.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..PostgresOptions::default()
    }
}

/// Of the pairs of requests, each of which takes many calls. Prime, so that each request is in some of them.
const PAIRS_EVERY: usize = 7;

async fn open(options: PostgresOptions) -> Arc<dyn MetadataStore> {
    thin_pairs(PAIRS_EVERY);
    Arc::new(PostgresMetadataStore::open(&options).await.unwrap_or_else(|error| panic!("{error}")))
}

metadata_conformance!(postgres, {
    let server = PostgresServer::start();
    async move || open(options(&server)).await
});

metadata_conformance!(postgres_one_plan_a_call, {
    let server = PostgresServer::start();
    async move || open(PostgresOptions { plans_per_call: 1, ..options(&server) }).await
});

sole_conformance!(postgres_alone, {
    let server = PostgresServer::start();
    async move || open(options(&server)).await
});

mod postgres_forgets {
    use super::*;

    conformance_cases! {
        metadata, {
            let server = PostgresServer::start();
            async move |kept: OperationsKept| {
                assert_eq!(kept.age, Duration::ZERO, "operations have no bound in number");
                open(PostgresOptions { operations: kept, ..options(&server) }).await
            }
        };
        operations_are_bounded_in_age,
    }
}

#![allow(clippy::unwrap_used)]

use super::*;

fn read(text: &str) -> Result<PostgresOptions, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn every_option_is_read_and_nothing_else() {
    let options = read(
        r#"{"host": "h", "port": 6000, "user": "u", "database": "d", "password_file": "/f", "sslmode": "verify-full",
            "root_certificate": "/c", "max_connections": 40, "connect_timeout_seconds": 2, "timeout_seconds": 3}"#,
    );
    let expected = PostgresOptions {
        host: Some("h".to_owned()),
        port: Some(6_000),
        user: Some("u".to_owned()),
        database: Some("d".to_owned()),
        password_file: Some("/f".into()),
        sslmode: Some(SslMode::VerifyFull),
        root_certificate: Some("/c".into()),
        max_connections: 40,
        connect_timeout_seconds: 2,
        timeout_seconds: 3,
        ..PostgresOptions::default()
    };
    assert_eq!(options.unwrap(), expected);
    assert_eq!(read("{}").unwrap(), PostgresOptions::default());
    for unknown in [r#"{"hots": "h"}"#, r#"{"plans_per_call": 3}"#, r#"{"operations": {}}"#, r#"{"sslmode": "maybe"}"#]
    {
        assert!(read(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn what_is_secret_is_not_shown() {
    let options = read(r#"{"url": "postgres://u:hush@h/d", "password": "hush"}"#).unwrap();
    assert!(!format!("{options:?}").contains("hush"), "{options:?}");
    assert_eq!(options.password.unwrap().reveal(), "hush");
}

#[test]
fn numbers_that_would_stop_everything_are_not_taken_at_their_word() {
    let options = read(r#"{"max_connections": 0, "connect_timeout_seconds": 0, "timeout_seconds": 0}"#).unwrap();
    assert_eq!(options.connections_max(), 2);
    assert_eq!((options.connect_timeout(), options.timeout()), (Duration::from_secs(1), Duration::from_secs(1)));
}

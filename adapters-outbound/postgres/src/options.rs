//! The options of the store.

use std::{fmt, path::PathBuf, time::Duration};

use dittofs_domain::plan::OperationsKept;
use serde::Deserialize;
use sqlx::postgres::PgSslMode;

/// Options of the store. The database is named by `url`, or by `host` and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresOptions {
    /// Everything in one: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`.
    pub url: Option<Secret>,
    /// The host, or the folder of a Unix socket.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// Who connects.
    pub user: Option<String>,
    /// The database, which must be there.
    pub database: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A file that has the password in its first line. It is read for each connection, so that a password can change
    /// while the server runs.
    pub password_file: Option<PathBuf>,
    /// Whether and how connections are encrypted.
    pub sslmode: Option<SslMode>,
    /// A file with the certificates, in PEM, that the database's own may be signed by, beside those that the machine
    /// trusts.
    pub root_certificate: Option<PathBuf>,
    /// Whether what the database has acknowledged outlives its machine. Where nobody says so, it does if it waits for
    /// standbys (`synchronous_standby_names`).
    pub outlives_machine: Option<bool>,
    /// The most connections at a time, from 2 on.
    pub max_connections: u32,
    /// How long a request waits for a connection: for a free one, and for a database that can't be reached.
    pub connect_timeout_seconds: u64,
    /// How long an answer of the database may take.
    pub timeout_seconds: u64,
    /// The most plans that go in one call.
    #[serde(skip)]
    pub plans_per_call: usize,
    /// How long operations are remembered, for clients that send a call again. Their number has no bound.
    #[serde(skip)]
    pub operations: OperationsKept,
}

impl Default for PostgresOptions {
    fn default() -> PostgresOptions {
        PostgresOptions {
            url: None,
            host: None,
            port: None,
            user: None,
            database: None,
            password: None,
            password_file: None,
            sslmode: None,
            root_certificate: None,
            outlives_machine: None,
            // A call takes two milliseconds, most of which it waits for a disk: more connections only wait for each
            // other.
            max_connections: 15,
            connect_timeout_seconds: 5,
            timeout_seconds: 10,
            // More updates of one directory's row in one transaction make each of them slower.
            plans_per_call: 64,
            operations: OperationsKept::default(),
        }
    }
}

impl PostgresOptions {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds.clamp(1, 3_600))
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.clamp(1, 3_600))
    }

    /// With one connection a call that went wrong could not be looked after.
    pub(crate) fn connections_max(&self) -> usize {
        self.max_connections.clamp(2, 10_000) as usize
    }

    pub(crate) fn plans_max(&self) -> usize {
        self.plans_per_call.clamp(1, 64)
    }

    /// How long operations count, in milliseconds.
    pub(crate) fn operations_ms(&self) -> i64 {
        i64::try_from(self.operations.age.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
    }
}

/// Whether and how connections are encrypted: what PostgreSQL's own clients call `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// Where the database can; its certificate is not checked.
    Prefer,
    /// Always; the certificate is not checked.
    Require,
    /// Always; the certificate must be signed by one that is trusted. The library demands that it names the host, too.
    VerifyCa,
    /// Always; the certificate must be signed by one that is trusted, and name the host.
    VerifyFull,
}

impl From<SslMode> for PgSslMode {
    fn from(mode: SslMode) -> PgSslMode {
        match mode {
            SslMode::Disable => PgSslMode::Disable,
            SslMode::Prefer => PgSslMode::Prefer,
            SslMode::Require => PgSslMode::Require,
            SslMode::VerifyCa => PgSslMode::VerifyCa,
            SslMode::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests;

//! The tables and functions of the database, which are made and changed by the first program that needs them.
//!
//! Each version is a file, or two. All that are missing are carried out in one transaction, under a lock: of two
//! programs that start at once one does it, and the other finds it done.

use sqlx::{Executor, PgConnection, Row};
use thiserror::Error;

/// Versions, from 1 on.
const VERSIONS: [&str; 7] = [
    include_str!("../migrations/0001_tables.sql"),
    include_str!("../migrations/0002_apply_1.sql"),
    include_str!("../migrations/0003_claims.sql"),
    include_str!("../migrations/0004_users.sql"),
    concat!(include_str!("../migrations/0005_folded.sql"), include_str!("../migrations/0005_apply_2.sql")),
    concat!(include_str!("../migrations/0006_acl.sql"), include_str!("../migrations/0006_apply_3.sql")),
    concat!(include_str!("../migrations/0007_xattrs.sql"), include_str!("../migrations/0007_apply_4.sql")),
];

/// The lock of all programs that change tables: a number that nothing else in the database uses, it is hoped.
const LOCK: i64 = 0x6469_7474_6f66_7331;

/// Why the tables are not as they must be.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// A newer program has changed them.
    #[error(
        "the tables are of version {found}, and this program knows versions up to {known}: a newer release has changed \
         them. Start that release, or restore a backup of the database from before"
    )]
    Newer {
        /// Their version.
        found: i32,
        /// The newest version that this program knows.
        known: i32,
    },
    /// The database refuses.
    #[error("the tables can't be made or changed: {0}{fix}", fix = fix(.0))]
    Refused(#[from] sqlx::Error),
}

fn fix(error: &sqlx::Error) -> &'static str {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        Some("42501") => "; let the user own the database: ALTER DATABASE … OWNER TO …",
        Some("55P03") => "; something holds a lock on them: end its transaction, and start again",
        _ => "",
    }
}

fn known() -> i32 {
    i32::try_from(VERSIONS.len()).unwrap_or(i32::MAX)
}

/// Brings the tables to the newest version. The session is of no further use: its time limits are off.
pub(crate) async fn run(connection: &mut PgConnection) -> Result<(), MigrationError> {
    if version(connection).await? == known() {
        return Ok(());
    }
    // Whoever has the lock may change large tables for hours.
    connection.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0").await?;
    // The session's, and before the transaction: one that begins after it sees what was committed before, of the
    // catalogue too.
    connection.execute(sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK)).await?;
    let done = run_under_lock(connection).await;
    connection.execute(sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK)).await?;
    done
}

async fn run_under_lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    connection.execute("BEGIN").await?;
    match run_in_transaction(connection).await {
        Ok(()) => Ok(connection.execute("COMMIT").await.map(drop)?),
        Err(error) => {
            connection.execute("ROLLBACK").await?;
            Err(error)
        }
    }
}

async fn run_in_transaction(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let made = "CREATE SCHEMA IF NOT EXISTS dittofs;
        CREATE TABLE IF NOT EXISTS schema_version (version int4 PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";
    let found = version(connection).await?;
    if found == 0 {
        connection.execute(made).await?;
    }
    for (version, text) in (1..).zip(VERSIONS).filter(|(version, _)| *version > found) {
        connection.execute(text).await?;
        connection.execute(sqlx::query("INSERT INTO schema_version VALUES ($1)").bind(version)).await?;
    }
    Ok(())
}

/// The version of the tables: 0 where there are none.
async fn version(connection: &mut PgConnection) -> Result<i32, MigrationError> {
    let exists = "SELECT to_regclass('dittofs.schema_version') IS NOT NULL";
    let exists: bool = connection.fetch_one(exists).await?.try_get(0)?;
    if !exists {
        return Ok(0);
    }
    let version = "SELECT coalesce(max(version), 0) FROM dittofs.schema_version";
    let found: i32 = connection.fetch_one(version).await?.try_get(0)?;
    if found > known() {
        return Err(MigrationError::Newer { found, known: known() });
    }
    Ok(found)
}

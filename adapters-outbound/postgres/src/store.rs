//! The store: its connections, and its shares.

use std::{pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{Node, ShareId, Tree};
use dittofs_ports::{MetadataError, MetadataStore, ShareMetadata, ShareRecord, SnapshotRow, Survives};
use sqlx::{Connection, Executor, Row};
use thiserror::Error;
use tokio::task::AbortHandle;

use crate::{
    apply::Applier,
    connection::{ConnectError, Connector},
    connections::{Connections, Statement},
    fault::Fault,
    migrations::{self, MigrationError},
    node,
    numbers::signed,
    options::PostgresOptions,
    share::PostgresShare,
    share_row, statements,
    view::Remembered,
};

/// How often operations are forgotten that count no longer. There are so few of them that nobody looks for one among
/// those that do.
const FORGET_EVERY: Duration = Duration::from_secs(30);

/// Why the store can't be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no connection, or none that will do.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The tables are not as they must be.
    #[error("the database at {place}: {source}")]
    Migration {
        /// Host, port and database.
        place: String,
        /// Why not.
        source: MigrationError,
    },
    /// A call of an earlier start of the server may still change something.
    #[error("the database at {place} still carries out a call of an earlier start of the server: {found}")]
    Unsettled {
        /// Host, port and database.
        place: String,
        /// The reason.
        found: String,
    },
    /// The database does not answer.
    #[error("the database at {place} gave no answer: {source}")]
    Silent {
        /// Host, port and database.
        place: String,
        /// Why not.
        source: sqlx::Error,
    },
}

/// Metadata in a PostgreSQL database.
pub struct PostgresMetadataStore {
    connections: Arc<Connections>,
    applier: Arc<Applier>,
    remembered: Remembered,
    forgetting: AbortHandle,
}

impl PostgresMetadataStore {
    /// Connects to the database, and makes the tables in it or brings them to this program's version. Runs on the
    /// runtime that it is called from as long as the store lives, and so must that.
    ///
    /// # Errors
    /// See [`OpenError`]: each says what was found, and what to do.
    pub async fn open(options: &PostgresOptions) -> Result<PostgresMetadataStore, OpenError> {
        // Boxed, so that the compiler need not prove of each caller's future that it may change threads.
        let opening: Pin<Box<dyn Future<Output = Result<PostgresMetadataStore, OpenError>> + Send + '_>> =
            Box::pin(Self::open_now(options));
        opening.await
    }

    async fn open_now(options: &PostgresOptions) -> Result<PostgresMetadataStore, OpenError> {
        let connector = Connector::new(options)?;
        let place = connector.place();
        let connections = Arc::new(Connections::new(options, connector));
        let mut session = connections.connect().await?;
        let migrated = migrations::run(&mut session.connection).await;
        migrated.map_err(|source| OpenError::Migration { place: place.clone(), source })?;
        let now = session.connection.fetch_one(statements::NOW).await.and_then(|row| row.try_get(0));
        let opened = now.map_err(|source| OpenError::Silent { place: place.clone(), source })?;
        // What it knows of the tables is from before they were made.
        session.connection.close().await.ok();
        let settled = connections.wait_for_earlier(opened).await;
        settled.map_err(|fault| OpenError::Unsettled { place, found: fault.to_string() })?;
        let remembered = Remembered { opened, age: options.operations_ms() };
        let applier = Arc::new(Applier::new(Arc::clone(&connections), remembered, options.plans_max()));
        let forgetting = tokio::spawn(forget(Arc::clone(&connections), remembered)).abort_handle();
        Ok(PostgresMetadataStore { connections, applier, remembered, forgetting })
    }
}

/// Forgets operations again and again. Those from before the opening count anew from then on.
async fn forget(connections: Arc<Connections>, remembered: Remembered) {
    let age = Duration::from_millis(remembered.age.unsigned_abs());
    tokio::time::sleep(age).await;
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        let forgetting = Statement::new(statements::FORGET_OPERATIONS).with(remembered.age);
        if let Err(error) = connections.write(forgetting).await {
            tracing::debug!(%error, "operations that count no longer were not forgotten");
        }
    }
}

impl Drop for PostgresMetadataStore {
    fn drop(&mut self) {
        self.forgetting.abort();
    }
}

#[async_trait]
impl MetadataStore for PostgresMetadataStore {
    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    async fn shares(&self) -> Result<Vec<ShareRecord>, MetadataError> {
        let rows = self.connections.read(&Statement::new(statements::SHARES.as_str())).await?;
        let mut shares = rows.iter().map(share_row::read).collect::<Result<Vec<ShareRecord>, Fault>>()?;
        shares.sort_by_key(|share| share.id);
        Ok(shares)
    }

    async fn create_share(&self, record: &ShareRecord, root: &Node) -> Result<(), MetadataError> {
        let root = Node { since: Tree::FIRST, ..root.clone() };
        let new = share_row::with_columns(Statement::new(statements::NEW_SHARE.as_str()), record);
        self.connections.write(node::with_columns(new, &root)).await?;
        Ok(())
    }

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let found = Statement::new(statements::SHARE.as_str()).with(signed(id.0));
        if self.connections.read(&found).await?.is_empty() {
            return Ok(None);
        }
        let (connections, applier) = (Arc::clone(&self.connections), Arc::clone(&self.applier));
        Ok(Some(Arc::new(PostgresShare { id, connections, applier, remembered: self.remembered })))
    }

    /// Rows go in small transactions, and the share's own goes last.
    async fn remove_share(&self, id: ShareId) -> Result<(), MetadataError> {
        for table in statements::TABLES_OF_SHARE.into_iter().chain(["share"]) {
            loop {
                let some = Statement::new(statements::removal(table)).with(signed(id.0));
                if self.connections.write(some).await?.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn restore_rows(&self, _: ShareId, _: String, _: Vec<SnapshotRow>) -> Result<(), MetadataError> {
        Err(not_restored())
    }

    async fn restore_share(&self, _: &ShareRecord, _: u64) -> Result<(), MetadataError> {
        Err(not_restored())
    }
}

/// Returns the refusal of a restoration.
fn not_restored() -> MetadataError {
    let found =
        "the database's own tools back its shares up and restore them: pg_dump and pg_restore, or a base backup";
    MetadataError::Unavailable(found.into())
}

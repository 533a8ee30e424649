//! The store: its connections, and its shares.

use std::{pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{Node, ShareId, Tree};
use dittofs_ports::{MetadataError, MetadataStore, ShareMetadata, ShareRecord, SnapshotRow, Survives, UserStore};
use sqlx::Connection;
use thiserror::Error;
use tokio::task::AbortHandle;

use crate::{
    claims::{Claim, Claims},
    connection::{ConnectError, Connector},
    connections::{Connections, Statement},
    fault::Fault,
    folding,
    migrations::{self, MigrationError},
    node,
    numbers::signed,
    options::PostgresOptions,
    share::PostgresShare,
    share_row, statements,
    users::PostgresUsers,
};

/// How often operations are forgotten that count no longer; more often where they count for less than that. There are so
/// few of them that nobody looks for one among those that do.
const FORGET_EVERY: Duration = Duration::from_secs(30);
const FORGET_EVERY_MIN: Duration = Duration::from_secs(1);

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
}

/// Metadata in a PostgreSQL database.
pub struct PostgresMetadataStore {
    connections: Arc<Connections>,
    claims: Arc<Claims>,
    survives: Survives,
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
        let outlives_machine = options.outlives_machine.unwrap_or(session.has_standbys);
        let survives = if outlives_machine { Survives::MachineLoss } else { Survives::PowerLoss };
        // What it knows of the tables is from before they were made.
        session.connection.close().await.ok();
        let claims = Claims::new(Arc::clone(&connections), options);
        let age = Duration::from_millis(options.operations_ms().unsigned_abs());
        let forgetting = forget_again_and_again(Arc::clone(&connections), Arc::clone(&claims), age);
        let forgetting = tokio::spawn(forgetting).abort_handle();
        Ok(PostgresMetadataStore { connections, claims, survives, forgetting })
    }

    async fn claim(&self, id: ShareId) -> Result<Option<Arc<Claim>>, MetadataError> {
        // A share that is not there has no lock to be waited for.
        let found = Statement::new(statements::SHARE.as_str()).with(signed(id.0));
        if self.connections.read(&found).await?.is_empty() {
            return Ok(None);
        }
        Ok(self.claims.take(id).await?)
    }
}

async fn forget_again_and_again(connections: Arc<Connections>, claims: Arc<Claims>, age: Duration) {
    loop {
        tokio::time::sleep(age.clamp(FORGET_EVERY_MIN, FORGET_EVERY)).await;
        forget(&connections, &claims, age).await;
    }
}

/// Forgets the operations that count no longer of all shares that are this server's. Those from before a share was so
/// count anew from then on.
async fn forget(connections: &Arc<Connections>, claims: &Claims, age: Duration) {
    let is_due = |claim: &Arc<Claim>| claim.check().is_ok() && claim.taken.elapsed() > age;
    for claim in claims.all().into_iter().filter(is_due) {
        let forgetting = Statement::new(statements::FORGET_OPERATIONS).with(signed(claim.share.0));
        let forgetting = claim.proof(forgetting.with(claim.remembered.age));
        if let Err(error) = claim.note(connections.write(forgetting).await) {
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
    /// As it was when the store was opened, unless it is stated.
    fn survives(&self) -> Survives {
        self.survives
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
        let made = self.connections.write(node::with_columns(new, &root)).await?;
        if made.is_empty() && !self.shares().await?.iter().any(|share| share.id == record.id) {
            let found = "another share has this name: another server may have made it just now";
            return Err(MetadataError::Unavailable(found.into()));
        }
        Ok(())
    }

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let Some(claim) = self.claim(id).await? else { return Ok(None) };
        folding::complete(&self.connections, &claim).await?;
        Ok(Some(Arc::new(PostgresShare::new(Arc::clone(&self.connections), claim))))
    }

    /// Rows go in small transactions, and the share's own goes last.
    async fn remove_share(&self, id: ShareId) -> Result<(), MetadataError> {
        let Some(claim) = self.claim(id).await? else { return Ok(()) };
        for table in statements::TABLES_OF_SHARE {
            loop {
                let some = claim.proof(Statement::new(statements::removal(table)).with(signed(id.0)));
                if claim.note(self.connections.write(some).await)?.is_empty() {
                    break;
                }
            }
        }
        Ok(self.claims.remove(&claim).await?)
    }

    async fn restore_rows(&self, _: ShareId, _: String, _: Vec<SnapshotRow>) -> Result<(), MetadataError> {
        Err(not_restored())
    }

    async fn restore_share(&self, _: &ShareRecord, _: u64) -> Result<(), MetadataError> {
        Err(not_restored())
    }

    fn users(&self) -> Arc<dyn UserStore> {
        Arc::new(PostgresUsers::new(Arc::clone(&self.connections)))
    }
}

/// Returns the refusal of a restoration.
fn not_restored() -> MetadataError {
    let found =
        "the database's own tools back its shares up and restore them: pg_dump and pg_restore, or a base backup";
    MetadataError::Unavailable(found.into())
}

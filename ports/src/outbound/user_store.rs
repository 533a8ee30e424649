//! The users of the server.

use async_trait::async_trait;
use dittofs_domain::users::{MachineId, User, UserName};

use super::{MetadataError, UserStoreError};

/// A state of a user: a random number, which whoever makes the state chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision(pub u64);

/// A user as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUser {
    /// The user.
    pub user: User,
    /// Which state of it this is.
    pub revision: Revision,
}

/// The users of all shares, in one of the metadata stores. Secrets in it are sealed with a key that it does not have.
///
/// What it acknowledges survives what its metadata store says. Several servers may share it: nothing is kept in memory.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The machine by which users are identified: `proposed` if there is none yet, and from then on always the same.
    async fn machine(&self, proposed: MachineId) -> Result<MachineId, MetadataError>;

    /// Users in the order of their folded names, after `after`.
    async fn users(&self, after: Option<UserName>, max: usize) -> Result<Vec<StoredUser>, MetadataError>;

    /// The user with a name, whatever its case.
    async fn user(&self, name: &UserName) -> Result<Option<StoredUser>, MetadataError>;

    /// Keeps a state of a user, in the place of the state `over`; none: there must be no user with this name.
    /// - `Conflict` if another state is there, and then nothing has changed: so of two who change a user at once, the
    ///   second one is told;
    /// - the state that is there already is kept again without an error, as an answer may get lost on its way;
    /// - after `Unavailable`, nobody knows whether it is kept; it can be put again.
    async fn put(&self, user: &StoredUser, over: Option<Revision>) -> Result<(), UserStoreError>;

    /// Removes a user in a state; one that is not there is no error. Otherwise as [`UserStore::put`].
    async fn remove(&self, name: &UserName, revision: Revision) -> Result<(), UserStoreError>;
}

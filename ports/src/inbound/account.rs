//! The users of the server, for protocols where users log on, and for administrators.

use async_trait::async_trait;
use dittofs_domain::{
    Credentials,
    users::{MachineId, NtHash, Sid, UserName},
};
use thiserror::Error;

use crate::outbound::{MetadataError, SecretError};

/// Whom a name that logs on stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, as it was first written.
    pub name: UserName,
    /// The numbers by which permission is decided, before a share maps them.
    pub credentials: Credentials,
    /// The security identifier.
    pub sid: Sid,
    /// What proves the password.
    pub nt_hash: NtHash,
    /// Whether it may not log on, even with the right password.
    pub disabled: bool,
}

/// A user to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// The user id. Several users may have the same one.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// What proves the password.
    pub nt_hash: NtHash,
}

/// A user as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// The name.
    pub name: UserName,
    /// The user id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Whether it may not log on.
    pub disabled: bool,
    /// The security identifier.
    pub sid: Sid,
}

/// What is to be otherwise of a user; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What proves the password.
    pub nt_hash: Option<NtHash>,
    /// The primary group.
    pub gid: Option<u32>,
    /// All further groups.
    pub groups: Option<Vec<u32>>,
    /// Whether it may not log on.
    pub disabled: Option<bool>,
}

/// Why a user was not found or changed. None of them says that a password is wrong.
#[derive(Debug, Error)]
pub enum AccountError {
    /// There is no such user.
    #[error("there is no such user")]
    Unknown,
    /// There is a user of this name, in whatever case.
    #[error("there is a user of this name already")]
    Taken,
    /// The ids are none that a user can have.
    #[error("a user has ids below 4294967295, and at most {} further groups", dittofs_domain::users::User::GROUPS_MAX)]
    Ids,
    /// There are as many users as there may be.
    #[error("there are {0} users already, which is the most")]
    TooMany(usize),
    /// Somebody else changes the user all the time.
    #[error("somebody else has changed this user at the same time: try again")]
    Conflict,
    /// The store has no room.
    #[error("the metadata store is full")]
    Full,
    /// The user's secret can't be sealed or opened.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The users can't be read or kept.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

/// The users of the server. Nothing is kept in memory: what is changed counts for the next logon, also where another
/// server on the same store has changed it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AccountService: Send + Sync {
    /// Finds whom a name stands for that somebody wants to log on by; the caller demands the proof.
    /// - none if there is no such user; a disabled one is found;
    /// - `Secret` if the server's key is not there: then nobody can log on, and no password is wrong.
    async fn find(&self, name: &UserName) -> Result<Option<Account>, AccountError>;

    /// The machine by which all users and groups are identified: from ids to security identifiers and back.
    async fn machine(&self) -> Result<MachineId, AccountError>;

    /// All users in the order of their names.
    async fn list(&self) -> Result<Vec<UserInfo>, AccountError>;

    /// Adds a user. The first one brings the server's key into being, if it has none.
    /// - `Taken`, `Ids`, `TooMany`.
    async fn add(&self, user: NewUser) -> Result<(), AccountError>;

    /// Changes a user. Who is logged on stays so, with what it had when it logged on.
    /// - `Unknown`, `Ids`; `Conflict` only if others change the user again and again.
    async fn change(&self, name: &UserName, change: UserChange) -> Result<(), AccountError>;

    /// Removes a user.
    /// - `Unknown`.
    async fn remove(&self, name: &UserName) -> Result<(), AccountError>;
}

//! Requests that concern users, and their answers.

use dittofs_domain::users::{MachineId, UserName};
use dittofs_ports::{MetadataError, Revision, StoredUser, UserStoreError};
use tokio::sync::oneshot::Sender;

use super::request::{Failure, metadata_error};
use crate::batch::{Batch, Refused};

/// A request, with the way back for its answer.
pub(crate) enum UserRequest {
    /// Asks for the machine, or makes it.
    Machine { proposed: MachineId, answer: Sender<Result<MachineId, MetadataError>> },
    /// Keeps a state of a user.
    Put { user: Box<StoredUser>, over: Option<Revision>, answer: Sender<Result<(), UserStoreError>> },
    /// Removes a user.
    Remove { name: UserName, revision: Revision, answer: Sender<Result<(), UserStoreError>> },
}

/// An answer that waits for the commit.
pub(super) enum UserReply {
    Machine(Sender<Result<MachineId, MetadataError>>, Result<MachineId, Refused>),
    Changed(Sender<Result<(), UserStoreError>>, Result<(), Refused>),
}

impl UserRequest {
    /// Whether it makes what stays: a user that is new.
    pub(super) fn grows(&self) -> bool {
        matches!(self, UserRequest::Put { over: None, .. })
    }

    pub(super) fn run(self, batch: &mut Batch<'_>) -> UserReply {
        match self {
            UserRequest::Machine { proposed, answer } => UserReply::Machine(answer, batch.machine(proposed)),
            UserRequest::Put { user, over, answer } => UserReply::Changed(answer, batch.put_user(&user, over)),
            UserRequest::Remove { name, revision, answer } => {
                UserReply::Changed(answer, batch.remove_user(&name, revision))
            }
        }
    }

    /// Answers that nothing was done, nor will be.
    pub(super) fn fail(self, failure: &Failure) {
        match self {
            UserRequest::Machine { answer, .. } => drop(answer.send(Err(failure.metadata_error()))),
            UserRequest::Put { answer, .. } | UserRequest::Remove { answer, .. } => {
                drop(answer.send(Err(not_changed(failure))));
            }
        }
    }
}

impl UserReply {
    pub(super) fn refused(&self) -> Option<&Refused> {
        match self {
            UserReply::Machine(_, result) => result.as_ref().err(),
            UserReply::Changed(_, result) => result.as_ref().err(),
        }
    }

    pub(super) fn send(self) {
        match self {
            UserReply::Machine(answer, result) => drop(answer.send(result.map_err(metadata_error))),
            UserReply::Changed(answer, result) => drop(answer.send(result.map_err(|refused| match refused {
                Refused::Conflict => UserStoreError::Conflict,
                other => match metadata_error(other) {
                    MetadataError::Unavailable(source) => UserStoreError::Unavailable(source),
                    MetadataError::Corrupt(source) => UserStoreError::Corrupt(source),
                },
            }))),
        }
    }

    /// Answers that the transaction did not succeed: it may be found in the database nevertheless.
    pub(super) fn fail(self, failure: &Failure) {
        match self {
            UserReply::Machine(answer, _) => drop(answer.send(Err(failure.metadata_error()))),
            UserReply::Changed(answer, _) => drop(answer.send(Err(not_changed(failure)))),
        }
    }
}

fn not_changed(failure: &Failure) -> UserStoreError {
    if failure.is_full { UserStoreError::Full } else { UserStoreError::Unavailable(failure.message.clone().into()) }
}

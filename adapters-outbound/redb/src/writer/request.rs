//! The requests to the writer, and its answers.

use std::ops::Range;

use dittofs_domain::{
    Node, OpId, ShareId,
    content::{Extent, MapRow},
    plan::{Applied, Change, PLAN_STEPS_MAX, Plan},
};
use dittofs_ports::{ApplyError, Counter, MetadataError, ShareRecord, SnapshotRow};
use tokio::sync::oneshot::Sender;

use super::users::{UserReply, UserRequest};
use crate::{
    batch::{Batch, Refused},
    fault::Fault,
};

/// A request, with the way back for its answer. Who has gone away meanwhile gets none; what was asked is done.
pub(crate) enum Request {
    Apply {
        share: ShareId,
        plan: Box<Plan>,
        op: Option<OpId>,
        answer: Sender<Result<Applied, ApplyError>>,
    },
    CreateShare {
        record: Box<ShareRecord>,
        root: Box<Node>,
        answer: Sender<Result<(), MetadataError>>,
    },
    /// Some of a share's rows go; answered with whether nothing is left.
    RemoveShare {
        share: ShareId,
        answer: Sender<Result<bool, MetadataError>>,
    },
    /// Rows of a share that is not there yet.
    RestoreRows {
        share: ShareId,
        rows: Vec<SnapshotRow>,
        answer: Sender<Result<(), MetadataError>>,
    },
    /// A share whose rows are there.
    RestoreShare {
        record: Box<ShareRecord>,
        ahead: u64,
        answer: Sender<Result<(), MetadataError>>,
    },
    PutRecord {
        record: Box<ShareRecord>,
        answer: Sender<Result<(), MetadataError>>,
    },
    Allocate {
        share: ShareId,
        counter: Counter,
        count: u64,
        answer: Sender<Result<Range<u64>, MetadataError>>,
    },
    User(UserRequest),
    /// A reader has met an I/O error on what this opening of the database gave it.
    Reopen {
        opening: u64,
    },
}

impl Request {
    pub(super) fn steps(&self) -> usize {
        match self {
            Request::Apply { plan, .. } => plan.steps(),
            Request::RemoveShare { .. } => PLAN_STEPS_MAX,
            Request::RestoreRows { rows, .. } => rows.len(),
            _ => 1,
        }
    }

    /// About how many bytes it would write, besides what every step does.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Request::Apply { plan, .. } => plan.changes.iter().map(bytes_of).sum(),
            Request::RestoreRows { rows, .. } => rows.iter().map(|row| row.key.len() + row.value.len()).sum(),
            _ => 0,
        }
    }

    /// Whether it makes what stays: a share, a node, or extended attributes.
    pub(super) fn grows(&self) -> bool {
        let grows =
            |change: &Change| matches!(change, Change::InsertNode(_) | Change::PutXattrs { xattrs: Some(_), .. });
        match self {
            Request::Apply { plan, .. } => plan.changes.iter().any(grows),
            Request::CreateShare { .. } | Request::RestoreRows { .. } | Request::RestoreShare { .. } => true,
            Request::User(request) => request.grows(),
            Request::RemoveShare { .. }
            | Request::PutRecord { .. }
            | Request::Allocate { .. }
            | Request::Reopen { .. } => false,
        }
    }

    pub(super) fn run(self, batch: &mut Batch<'_>) -> Reply {
        match self {
            Request::Apply { share, plan, op, answer } => Reply::Applied(answer, batch.apply(share, *plan, op)),
            Request::CreateShare { record, root, answer } => Reply::Done(answer, batch.create_share(&record, &root)),
            Request::RemoveShare { share, answer } => Reply::Removed(answer, batch.remove_share(share)),
            Request::RestoreRows { share, rows, answer } => Reply::Done(answer, batch.restore_rows(share, &rows)),
            Request::RestoreShare { record, ahead, answer } => Reply::Done(answer, batch.restore_share(&record, ahead)),
            Request::PutRecord { record, answer } => Reply::Done(answer, batch.put_record(&record)),
            Request::Allocate { share, counter, count, answer } => {
                Reply::Numbers(answer, batch.allocate(share, counter, count))
            }
            Request::User(request) => Reply::User(request.run(batch)),
            Request::Reopen { .. } => Reply::Nothing,
        }
    }

    /// Answers that nothing was done, nor will be.
    pub(super) fn fail(self, failure: &Failure) {
        match self {
            Request::Apply { answer, .. } => drop(answer.send(Err(failure.not_sent()))),
            Request::CreateShare { answer, .. }
            | Request::RestoreRows { answer, .. }
            | Request::RestoreShare { answer, .. }
            | Request::PutRecord { answer, .. } => {
                drop(answer.send(Err(failure.metadata_error())));
            }
            Request::RemoveShare { answer, .. } => drop(answer.send(Err(failure.metadata_error()))),
            Request::Allocate { answer, .. } => drop(answer.send(Err(failure.metadata_error()))),
            Request::User(request) => request.fail(failure),
            Request::Reopen { .. } => {}
        }
    }
}

fn bytes_of(change: &Change) -> usize {
    match change {
        Change::PutXattrs { xattrs: Some(xattrs), .. } => xattrs.bytes() as usize,
        Change::InsertNode(node) => node.target.as_ref().map_or(0, |target| target.len()),
        Change::PutRow { row: MapRow::Page { extents, .. }, .. } => extents
            .iter()
            .map(|extent| if let Extent::Inline(bytes) = extent { bytes.len() } else { size_of::<Extent>() })
            .sum(),
        _ => 0,
    }
}

/// An answer that waits for the commit.
pub(super) enum Reply {
    Applied(Sender<Result<Applied, ApplyError>>, Result<Applied, Refused>),
    Done(Sender<Result<(), MetadataError>>, Result<(), Refused>),
    Removed(Sender<Result<bool, MetadataError>>, Result<bool, Refused>),
    Numbers(Sender<Result<Range<u64>, MetadataError>>, Result<Range<u64>, Refused>),
    User(UserReply),
    Nothing,
}

impl Reply {
    /// Why the whole transaction fails, if it does.
    pub(super) fn failure(&self) -> Option<Failure> {
        let refused = match self {
            Reply::Applied(_, result) => result.as_ref().err(),
            Reply::Done(_, result) => result.as_ref().err(),
            Reply::Removed(_, result) => result.as_ref().err(),
            Reply::Numbers(_, result) => result.as_ref().err(),
            Reply::User(reply) => reply.refused(),
            Reply::Nothing => None,
        };
        match refused {
            Some(Refused::Fault(fault @ Fault::Storage(_))) => Some(Failure::of(fault)),
            _ => None,
        }
    }

    pub(super) fn send(self) {
        match self {
            Reply::Applied(answer, result) => drop(answer.send(result.map_err(|refused| match refused {
                Refused::Conflict => ApplyError::Conflict,
                Refused::Malformed => ApplyError::Malformed,
                Refused::Fault(fault) => fault.into(),
            }))),
            Reply::Done(answer, result) => drop(answer.send(result.map_err(metadata_error))),
            Reply::Removed(answer, result) => drop(answer.send(result.map_err(metadata_error))),
            Reply::Numbers(answer, result) => drop(answer.send(result.map_err(metadata_error))),
            Reply::User(reply) => reply.send(),
            Reply::Nothing => {}
        }
    }

    /// Answers that the transaction did not succeed: it may be found in the database nevertheless.
    pub(super) fn fail(self, failure: &Failure) {
        match self {
            Reply::Applied(answer, _) => drop(answer.send(Err(failure.unknown()))),
            Reply::Done(answer, _) => drop(answer.send(Err(failure.metadata_error()))),
            Reply::Removed(answer, _) => drop(answer.send(Err(failure.metadata_error()))),
            Reply::Numbers(answer, _) => drop(answer.send(Err(failure.metadata_error()))),
            Reply::User(reply) => reply.fail(failure),
            Reply::Nothing => {}
        }
    }
}

pub(super) fn metadata_error(refused: Refused) -> MetadataError {
    match refused {
        Refused::Fault(fault) => fault.into(),
        Refused::Conflict | Refused::Malformed => MetadataError::Unavailable("refused".into()),
    }
}

/// Why a transaction as a whole did not succeed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// There is no room, and nothing has changed.
    pub(super) is_full: bool,
    /// The database need not be opened again.
    pub(super) is_intact: bool,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), is_full: false, is_intact: false }
    }

    /// There was no room, and the database is as it was before.
    pub(super) fn full() -> Failure {
        let message = "the disk of the metadata database is full".into();
        Failure { message, is_full: true, is_intact: true }
    }

    fn of(fault: &Fault) -> Failure {
        Failure { message: fault.to_string(), is_full: fault.is_full(), is_intact: false }
    }

    fn not_sent(&self) -> ApplyError {
        if self.is_full { ApplyError::Full } else { ApplyError::Unavailable(self.message.clone().into()) }
    }

    fn unknown(&self) -> ApplyError {
        if self.is_full { ApplyError::Full } else { ApplyError::Unknown(self.message.clone().into()) }
    }

    pub(super) fn metadata_error(&self) -> MetadataError {
        MetadataError::Unavailable(self.message.clone().into())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::of(&fault)
    }
}

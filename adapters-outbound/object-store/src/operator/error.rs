//! Translates the errors of OpenDAL into the terms of the port.

use std::time::Duration;

use dittofs_ports::ContentError;
use opendal::{Error, ErrorKind};

use super::{diagnosis, probe::Trouble, remote::Remote};

#[derive(Debug, thiserror::Error)]
#[error("{path} can't be {doing}: {source}")]
struct Fault {
    path: String,
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Codes and words by which services say that there is no room.
const FULL: [&str; 5] =
    ["QuotaExceeded", "StorageFull", "InsufficientStorage", "NoSpaceLeft", "AccountStorageLimitExceeded"];

/// What Google says where a condition does not hold. Where the answer that said so was lost, an upload is asked how far
/// it is, and OpenDAL does not take the same answer to that for one about the condition.
const NOT_MET: &str = "conditionNotMet";

pub(super) fn failed(doing: &'static str, path: &str, error: Error, remote: Option<&Remote>) -> ContentError {
    if FULL.iter().any(|word| error.message().contains(word)) {
        return ContentError::Full;
    }
    let source: Box<dyn std::error::Error + Send + Sync> = match remote {
        Some(remote) => match diagnosis::of(doing, &error, remote) {
            Trouble::Unreachable(error) => error,
            Trouble::Refused(error) => Box::new(error),
        },
        None => Box::new(error),
    };
    ContentError::Unavailable(Box::new(Fault { path: path.to_owned(), doing, source }))
}

/// Whether something was not written because it is there.
pub(super) fn is_known_already(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists) || error.message().contains(NOT_MET)
}

/// Whether it may pass by itself. The retry layer marks whatever it gives up as persistent, so the kind counts as well.
pub(super) fn is_passing(error: &Error) -> bool {
    let may_pass = matches!(error.kind(), ErrorKind::Unexpected | ErrorKind::RateLimited | ErrorKind::Conflict);
    error.is_temporary() || error.is_persistent() && may_pass
}

/// Whether an answer had fewer bytes than were asked for.
pub(super) fn is_short(error: &Error) -> bool {
    error.message().contains("too little data")
}

pub(super) fn too_late(after: Duration) -> Error {
    let seconds = after.as_secs();
    Error::new(ErrorKind::Unexpected, format!("{}: not in {seconds} s", super::transport::NO_ANSWER)).set_persistent()
}

#[cfg(test)]
mod tests;

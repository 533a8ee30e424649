//! What OpenDAL says, in the terms of the port.

use dittofs_ports::ContentError;
use opendal::{Error, ErrorKind};

#[derive(Debug, thiserror::Error)]
#[error("{path} can't be {doing}: {source}")]
struct Fault {
    path: String,
    doing: &'static str,
    source: Error,
}

pub(super) fn unavailable(doing: &'static str, path: &str, source: Error) -> ContentError {
    ContentError::Unavailable(Box::new(Fault { path: path.to_owned(), doing, source }))
}

/// Whether something was not written because it is there.
pub(super) fn is_known_already(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists)
}

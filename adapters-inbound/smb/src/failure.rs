//! Why a request is refused, as its client is told.

use dittofs_domain::error::FsError;
use dittofs_ports::OpenFailure;
use dittofs_smb_wire::{Malformed, NtStatus, error::ErrorResponse};

/// The status of an error response, with what belongs to it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: NtStatus,
    pub(crate) body: ErrorResponse,
}

impl Failure {
    /// The failure of a request that must not be answered: the connection ends.
    pub(crate) fn unanswered() -> Failure {
        UNANSWERED.into()
    }

    /// The failure of a call that has no true answer: the connection ends, and the client finds out anew.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.status == UNANSWERED
    }
}

/// Never sent.
const UNANSWERED: NtStatus = NtStatus(u32::MAX);

impl From<NtStatus> for Failure {
    fn from(status: NtStatus) -> Failure {
        Failure { status, body: ErrorResponse::Empty }
    }
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Failure {
        NtStatus::INVALID_PARAMETER.into()
    }
}

impl From<FsError> for Failure {
    fn from(error: FsError) -> Failure {
        status(error).into()
    }
}

impl From<OpenFailure> for Failure {
    fn from(failure: OpenFailure) -> Failure {
        match failure {
            OpenFailure::Deleting => NtStatus::DELETE_PENDING.into(),
            OpenFailure::Failed(error) => error.into(),
        }
    }
}

/// Returns the status that tells of an error (MS-ERREF, 2.3.1).
pub(crate) fn status(error: FsError) -> NtStatus {
    match error {
        FsError::Access | FsError::NotPermitted => NtStatus::ACCESS_DENIED,
        FsError::NotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        FsError::Exists => NtStatus::OBJECT_NAME_COLLISION,
        FsError::NotDirectory => NtStatus::NOT_A_DIRECTORY,
        FsError::IsDirectory => NtStatus::FILE_IS_A_DIRECTORY,
        FsError::NotEmpty => NtStatus::DIRECTORY_NOT_EMPTY,
        FsError::Invalid | FsError::BadType | FsError::BadCookie | FsError::BadHandle => NtStatus::INVALID_PARAMETER,
        FsError::NameTooLong => NtStatus::OBJECT_NAME_INVALID,
        FsError::TooManyLinks => NtStatus::TOO_MANY_LINKS,
        FsError::TooLarge | FsError::NoSpace | FsError::Quota => NtStatus::DISK_FULL,
        FsError::ReadOnly => NtStatus::MEDIA_WRITE_PROTECTED,
        FsError::Stale => NtStatus::FILE_CLOSED,
        FsError::NotSync | FsError::Busy => NtStatus::RETRY,
        FsError::TooSmall => NtStatus::BUFFER_TOO_SMALL,
        FsError::NoAttribute => NtStatus::NONEXISTENT_EA_ENTRY,
        FsError::AttributeTooLarge => NtStatus::EA_TOO_LARGE,
        FsError::NothingThere => NtStatus::END_OF_FILE,
        FsError::Locked => NtStatus::FILE_LOCK_CONFLICT,
        FsError::ShareDenied => NtStatus::SHARING_VIOLATION,
        FsError::Unanswered => UNANSWERED,
        FsError::NotSupported => NtStatus::NOT_SUPPORTED,
        FsError::Io => NtStatus::IO_DEVICE_ERROR,
    }
}

//! The errors of a file system, in POSIX terms.

/// Why an operation was refused or failed. Closed on purpose: each protocol maps it in one total `match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FsError {
    /// EACCES: the permission bits do not grant it.
    #[error("permission denied")]
    Access,
    /// EPERM: only the owner or a privileged caller may do this.
    #[error("operation not permitted")]
    NotPermitted,
    /// ENOENT.
    #[error("no such file or directory")]
    NotFound,
    /// EEXIST.
    #[error("file exists")]
    Exists,
    /// ENOTDIR.
    #[error("not a directory")]
    NotDirectory,
    /// EISDIR.
    #[error("is a directory")]
    IsDirectory,
    /// ENOTEMPTY.
    #[error("directory not empty")]
    NotEmpty,
    /// EINVAL.
    #[error("invalid argument")]
    Invalid,
    /// ENAMETOOLONG: a name of more than 255 bytes, or a symlink's target of more than 4,096.
    #[error("name too long")]
    NameTooLong,
    /// EMLINK.
    #[error("too many links")]
    TooManyLinks,
    /// EFBIG.
    #[error("file too large")]
    TooLarge,
    /// ENOSPC: no draining of anything can help.
    #[error("no space left")]
    NoSpace,
    /// EDQUOT.
    #[error("quota exceeded")]
    Quota,
    /// EROFS.
    #[error("read-only share")]
    ReadOnly,
    /// ESTALE: the handle was good, but its share or node is gone, or its tag is not ours.
    #[error("stale handle")]
    Stale,
    /// Not a handle at all: wrong length or version (NFS3ERR_BADHANDLE).
    #[error("bad handle")]
    BadHandle,
    /// A guard did not match (NFS3ERR_NOT_SYNC).
    #[error("guard does not match")]
    NotSync,
    /// A cookie that no listing gave (NFS3ERR_BAD_COOKIE).
    #[error("bad cookie")]
    BadCookie,
    /// The answer does not fit in what the client allows (NFS3ERR_TOOSMALL).
    #[error("answer does not fit")]
    TooSmall,
    /// A type of node that the operation does not make or take (NFS3ERR_BADTYPE).
    #[error("wrong type of node")]
    BadType,
    /// ENXIO: no data or hole beyond the offset (SEEK).
    #[error("nothing there")]
    NothingThere,
    /// A byte-range lock of another owner is in the way.
    #[error("locked")]
    Locked,
    /// A share mode of another open is in the way.
    #[error("sharing violation")]
    ShareDenied,
    /// Would block for long: try again later (NFS3ERR_JUKEBOX, NFS4ERR_DELAY).
    #[error("busy, try again")]
    Busy,
    /// Whether it was done is not known, and could not be found out: there is no true answer. A protocol gives none (it
    /// ends the connection), and the client sends the same call again.
    #[error("it is not known whether it was done")]
    Unanswered,
    /// ENODATA: no such extended attribute (RFC 8276, 8.4.1).
    #[error("no such attribute")]
    NoAttribute,
    /// E2BIG: an extended attribute is too big, or all of a node together are (RFC 8276, 8.4.1).
    #[error("extended attributes too large")]
    AttributeTooLarge,
    /// EOPNOTSUPP.
    #[error("not supported")]
    NotSupported,
    /// EIO: a real fault of a store or damage found. Logged where it was met.
    #[error("input/output error")]
    Io,
}

/// The result of a rule or a service.
pub type FsResult<T> = Result<T, FsError>;

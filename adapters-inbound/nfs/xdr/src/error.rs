use thiserror::Error;

/// Why a record isn't the XDR that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum XdrError {
    /// The record ends inside an item.
    #[error("the record ends inside an item")]
    Truncated,
    /// A counted item is longer than its type allows.
    #[error("a counted item is longer than its type allows")]
    TooLong,
    /// An enumeration, a boolean or a union's discriminant has a value that its type doesn't name.
    #[error("a discriminant has a value that its type does not name")]
    BadEnum,
    /// Bytes follow the last item.
    #[error("bytes follow the last item")]
    Trailing,
}

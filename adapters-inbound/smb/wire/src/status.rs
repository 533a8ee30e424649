//! The Status field of responses, MS-ERREF 2.3.

mod codes;

pub use codes::NtStatus;

/// The two highest bits of a status, MS-ERREF 2.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The request succeeded.
    Success,
    /// The request succeeded, and there is something to know.
    Informational,
    /// The request succeeded in part.
    Warning,
    /// The request failed.
    Error,
}

impl NtStatus {
    /// The status' severity.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.0 >> 30 {
            0 => Severity::Success,
            1 => Severity::Informational,
            2 => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether the request failed. A warning, like an overflow of the client's buffer, is no failure.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self.severity(), Severity::Error)
    }
}

#[cfg(test)]
mod tests;

//! The failures of calls of the database.

use dittofs_ports::{MetadataError, outbound::Source};
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use thiserror::Error;

use crate::connection::SessionId;

/// A call of the database did not succeed.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// There was no connection: nothing was sent.
    #[error("{0}")]
    NotSent(Source),
    /// The answer did not come: nobody knows whether it was carried out.
    #[error("{source}")]
    Lost {
        /// Where it was sent.
        session: SessionId,
        source: Source,
    },
    /// The database refused: nothing has changed, and asking again may help.
    #[error("{0}")]
    Refused(Source),
    /// Two calls waited for each other: nothing has changed, and asking again helps.
    #[error("{0}")]
    Deadlock(Source),
    /// It has no room: nothing has changed.
    #[error("{0}")]
    Full(Source),
    /// The plan contradicts itself or what is there.
    #[error("{0}")]
    Malformed(Source),
    /// The same operation is being carried out in another session.
    #[error("{0}")]
    Raced(Source),
    /// Another server has the share: nothing has changed.
    #[error("{0}")]
    Fenced(Source),
    /// A row makes no sense.
    #[error("{0}")]
    Damaged(Source),
}

impl Fault {
    pub(crate) fn damaged(what: impl Into<String>) -> Fault {
        Fault::Damaged(what.into().into())
    }

    /// The meaning of an error of a session to which something was sent.
    pub(crate) fn of(error: sqlx::Error, session: SessionId) -> Fault {
        let answered = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let Some(answered) = answered else {
            return match error {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::Damaged(Box::new(error)),
                sqlx::Error::Encode(_) => Fault::Malformed(Box::new(error)),
                _ => Fault::Lost { session, source: Box::new(error) },
            };
        };
        // A session that is ended while it waits for a standby has committed already. An error of a statement ends its
        // transaction.
        if matches!(answered.severity(), PgSeverity::Fatal | PgSeverity::Panic) || answered.code() == "40003" {
            return Fault::Lost { session, source: Box::new(error) };
        }
        let make: fn(Source) -> Fault = match answered.code() {
            "DF001" => Fault::Malformed,
            "DF002" => Fault::Raced,
            "DF003" => Fault::Fenced,
            "40001" | "40P01" => Fault::Deadlock,
            "53100" => Fault::Full,
            "XX001" | "XX002" => Fault::Damaged,
            code if code.starts_with("22") || code.starts_with("23") => Fault::Malformed,
            _ => Fault::Refused,
        };
        make(Box::new(error))
    }

    /// Whether the session is of no more use.
    pub(crate) fn ends_session(&self) -> bool {
        match self {
            Fault::Lost { .. } => true,
            // The server has become a standby: others have, too.
            Fault::Refused(source) => {
                let error = source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
                error.and_then(|error| error.code()).is_some_and(|code| code == "25006")
            }
            _ => false,
        }
    }
}

impl From<Fault> for MetadataError {
    fn from(fault: Fault) -> MetadataError {
        match fault {
            Fault::Damaged(source) => MetadataError::Corrupt(source),
            Fault::NotSent(source)
            | Fault::Lost { source, .. }
            | Fault::Refused(source)
            | Fault::Deadlock(source)
            | Fault::Full(source)
            | Fault::Malformed(source)
            | Fault::Fenced(source)
            | Fault::Raced(source) => MetadataError::Unavailable(source),
        }
    }
}

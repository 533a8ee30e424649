//! Explains what an answer means, and what to do.

use opendal::{Error, ErrorKind};

use super::{error::is_passing, probe::Trouble, remote::Remote, transport::NO_ANSWER};
use crate::{OpenError, without_passwords};

/// The error of a clock up to which stores accept what is signed by it; most accept 15 minutes.
pub(super) const SKEW_SECONDS_MAX: u64 = 300;

/// A store's answer to an operation, with an explanation.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {operation}: {found}; {fix}")]
struct Diagnosis {
    place: String,
    operation: String,
    found: String,
    fix: String,
}

/// Finds what the matter is, and whether it may pass by itself.
pub(super) fn of(operation: &str, error: &Error, remote: &Remote) -> Trouble {
    let message = error.message();
    let diagnosis = |found: String, fix: String| Diagnosis {
        place: remote.place.clone(),
        operation: operation.to_owned(),
        found,
        fix,
    };
    if message.starts_with(NO_ANSWER) {
        let fix = "see that the endpoint is right, that its host can be reached from here, and that it runs";
        return Trouble::Unreachable(Box::new(diagnosis(message.to_owned(), fix.to_owned())));
    }
    if let Some((found, fix)) = known(message, operation, remote) {
        return OpenError::Unavailable(Box::new(diagnosis(found, fix))).into();
    }
    if message.contains("signing http request") || message.contains("loading credential") {
        let causes = causes_of(error);
        let fix = "see where `credentials` says that the keys come from, and that there are some";
        let missing =
            Box::new(diagnosis(format!("there are no credentials to sign requests with ({causes})"), fix.to_owned()));
        return match error.is_temporary() {
            true => Trouble::Unreachable(missing),
            false => OpenError::Unavailable(missing).into(),
        };
    }
    let found = shortened(message);
    if is_passing(error) || matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Conflict) {
        let fix = "it is tried again; if that lasts, see how the service is";
        return Trouble::Unreachable(Box::new(diagnosis(found, fix.to_owned())));
    }
    let fix = match error.kind() {
        ErrorKind::PermissionDenied => permit(operation),
        ErrorKind::NotFound | ErrorKind::ConfigInvalid => {
            "see that bucket or container, endpoint and addressing are right".to_owned()
        }
        _ => "see that the endpoint is a store of this type".to_owned(),
    };
    OpenError::Unavailable(Box::new(diagnosis(found, fix))).into()
}

/// Explains an error that services have a code for: what was found, and the fix.
fn known(message: &str, operation: &str, remote: &Remote) -> Option<(String, String)> {
    let code = code_of(message)?;
    let (found, fix) = match code {
        "NoSuchBucket" | "ContainerNotFound" => {
            ("there is no such bucket".to_owned(), "make it, or correct its name".to_owned())
        }
        "InvalidAccessKeyId" | "NotSignedUp" => (
            "the access key is not known there".to_owned(),
            "correct the id of the access key, or make one there".to_owned(),
        ),
        "SignatureDoesNotMatch" | "AuthenticationFailed" => (
            "the signature is wrong: the secret key is not that of the access key, or something on the way changes \
             requests"
                .to_owned(),
            "correct the secret key".to_owned(),
        ),
        "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
            ("the session token has expired".to_owned(), "get a new one".to_owned())
        }
        "AccessDenied" | "AllAccessDisabled" | "AuthorizationPermissionMismatch" | "AuthorizationFailure" => {
            (format!("access denied to {operation}"), permit(operation))
        }
        "RequestTimeTooSkewed" | "RequestExpired" => (
            format!("this machine's clock is {} the store's", skew(remote.transport.skew_seconds())),
            "set the clock, best by NTP".to_owned(),
        ),
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException"
        | "IncorrectEndpoint" => {
            let region = expected_region(message).or_else(|| remote.transport.region());
            match region {
                Some(region) => (format!("the bucket is in the region {region}"), format!("write `region: {region}`")),
                None => (
                    "the bucket is in another region, or at another endpoint".to_owned(),
                    "correct `region` and `endpoint`".to_owned(),
                ),
            }
        }
        _ => return None,
    };
    Some((found, fix))
}

/// The code in OpenDAL's rendering of an answer: `code: "…"`, or Azure's header.
fn code_of(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("code: \"")?;
    rest.split('"').next().filter(|code| !code.is_empty())
}

/// The region in `… the region 'us-east-1' is wrong; expecting 'eu-west-1'`.
fn expected_region(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("expecting '")?;
    let region = rest.split('\'').next()?;
    let is_name = |region: &&str| {
        (1..64).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Some(region).filter(is_name).map(str::to_owned)
}

fn permit(operation: &str) -> String {
    let needs = "it needs GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket";
    format!("permit {operation} to these credentials ({needs} below the prefix)")
}

pub(super) fn skew(seconds: i64) -> String {
    match seconds {
        0.. => format!("{seconds} s ahead of"),
        _ => format!("{} s behind", seconds.unsigned_abs()),
    }
}

fn causes_of(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        causes.push(shortened(&inner.to_string()));
        cause = inner.source();
    }
    causes.join(": ")
}

/// The beginning of what somebody else wrote, on one line.
fn shortened(text: &str) -> String {
    /// Services answer with pages of HTML or XML; what is wrong is said at their beginning.
    const CHARACTERS_MAX: usize = 300;
    let line = without_passwords(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests;

//! Finds out what a place does, with an object of no meaning: it is written, read back, read in part, listed and
//! deleted.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use futures_util::TryStreamExt;
use opendal::{Buffer, ErrorKind, Operator, options::ListOptions};

use super::{diagnosis, error::is_known_already, found::Found, remote::Remote};
use crate::OpenError;

/// Bytes of the probe. Long enough for a range within it that touches neither end, and cheap anywhere.
const LENGTH: usize = 10_000;
/// The range that is read of it.
const RANGE: std::ops::Range<usize> = 1_234..5_678;
/// Probes are named so.
const NAME: &str = "dittofs-probe-";
/// It is given up after so long. Twice what a request may stand still: one that is sent again has its chance.
const PROBE_MAX: Duration = Duration::from_secs(40);

/// Why a place can't be used, now or at all.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It doesn't answer: it may, later.
    Unreachable(Box<dyn std::error::Error + Send + Sync>),
    /// Somebody has to fix something.
    Refused(OpenError),
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Trouble {
        Trouble::Refused(error)
    }
}

/// Tries everything that objects need.
pub(super) async fn probe(operator: &Operator, remote: &Remote) -> Result<Found, Trouble> {
    let name = format!("{NAME}{:016x}", RandomState::new().build_hasher().finish());
    let probe = Probe { operator, remote, name };
    let tried = tokio::time::timeout(PROBE_MAX, probe.run()).await;
    let found = tried.unwrap_or_else(|_| Err(probe.trouble("probe", super::error::too_late(PROBE_MAX))));
    let skew = remote.transport.skew_seconds();
    if skew.unsigned_abs() > diagnosis::SKEW_SECONDS_MAX {
        let skew = diagnosis::skew(skew);
        tracing::warn!(store = %remote.place, "this machine's clock is {skew} the store's: set it, best by NTP");
    }
    if let Ok(found) = &found {
        tracing::info!(store = %remote.place, puts_only_new = found.puts_only_new,
            replaces_only_seen = found.replaces_only_seen, "the content store answers as it should");
    }
    found
}

struct Probe<'a> {
    operator: &'a Operator,
    remote: &'a Remote,
    name: String,
}

impl Probe<'_> {
    async fn run(&self) -> Result<Found, Trouble> {
        let puts_only_new = self.write().await?;
        let replaces_only_seen = self.replace().await?;
        let read = self.read().await;
        let listed = match read {
            Ok(()) => self.list().await,
            failed => failed,
        };
        let deleted = self.operator.delete(&self.name).await;
        listed?;
        deleted.map_err(|error| self.trouble("DeleteObject", error))?;
        match self.operator.stat(&self.name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Found { puts_only_new, replaces_only_seen, ..Found::usual(self.operator) })
            }
            Ok(_) => Err(self.lies("DeleteObject", "what was deleted is still there")),
            Err(error) => Err(self.trouble("HeadObject", error)),
        }
    }

    /// Answers whether the store refuses, on request, to write over anything.
    async fn write(&self) -> Result<bool, Trouble> {
        let only_new = || Found::usual(self.operator).only_new();
        match self.operator.write_options(&self.name, bytes(), only_new()).await {
            Ok(_) => match self.operator.write_options(&self.name, bytes(), only_new()).await {
                Ok(_) => Ok(false),
                Err(error) if is_known_already(&error) => Ok(true),
                Err(error) => Err(self.trouble("PutObject", error)),
            },
            // An answer to the first try was lost.
            Err(error) if is_known_already(&error) => Ok(true),
            Err(error) if error.message().contains("NotImplemented") => {
                let always = Found { puts_only_new: false, ..Found::usual(self.operator) };
                let written = self.operator.write_options(&self.name, bytes(), always.only_new()).await;
                written.map(|_| false).map_err(|error| self.trouble("PutObject", error))
            }
            Err(error) => Err(self.trouble("PutObject", error)),
        }
    }

    /// Answers whether the store writes over something only if that is what was seen.
    async fn replace(&self) -> Result<bool, Trouble> {
        let service = self.operator.info().capability();
        if !service.write_with_if_match && !service.write_with_if_version_match {
            return Ok(false);
        }
        let usual = Found::usual(self.operator);
        let there = self.operator.stat(&self.name).await.map_err(|error| self.trouble("HeadObject", error))?;
        let Some(version) = usual.versions.of_object(&there) else { return Ok(false) };
        let none = usual.versions.none().to_owned();
        match self.operator.write_options(&self.name, bytes(), usual.over(Some(none))).await {
            Err(error) if is_known_already(&error) => {}
            // It does not look at the condition, or does not know it.
            _ => return Ok(false),
        }
        Ok(self.operator.write_options(&self.name, bytes(), usual.over(Some(version))).await.is_ok())
    }

    async fn read(&self) -> Result<(), Trouble> {
        let read = |error| self.trouble("GetObject", error);
        let whole = self.operator.read(&self.name).await.map_err(read)?.to_bytes();
        if whole != bytes().to_bytes() {
            return Err(self.lies("GetObject", "what is read is not what was written"));
        }
        let range = RANGE.start as u64..RANGE.end as u64;
        let part = self.operator.read_with(&self.name).range(range).await;
        let part = part.map_err(|error| match error.kind() {
            ErrorKind::RangeNotSatisfied => self.lies("GetObject", "a range that is there is refused"),
            _ => read(error),
        })?;
        match Some(part.to_bytes()) == whole.get(RANGE).map(bytes::Bytes::copy_from_slice) {
            true => Ok(()),
            false => Err(self.lies("GetObject", "a range is not answered with its own bytes")),
        }
    }

    async fn list(&self) -> Result<(), Trouble> {
        let listed = |error| self.trouble("ListBucket", error);
        // Where names can be started behind, that is how objects are listed.
        let ordered = self.operator.info().capability().list_with_start_after;
        let start_after = ordered.then(|| NAME.to_owned());
        let options = ListOptions { recursive: true, start_after, ..ListOptions::default() };
        let mut lister = self.operator.lister_options(NAME, options).await.map_err(listed)?;
        while let Some(entry) = lister.try_next().await.map_err(listed)? {
            if entry.path() == self.name {
                return match entry.metadata().content_length() {
                    found if found == LENGTH as u64 || !entry.metadata().is_file() => Ok(()),
                    found => Err(self.lies("ListBucket", &format!("{LENGTH} bytes are listed as {found}"))),
                };
            }
        }
        Err(self.lies("ListBucket", "what was written is not listed"))
    }

    fn trouble(&self, operation: &str, error: opendal::Error) -> Trouble {
        diagnosis::of(operation, &error, self.remote)
    }

    fn lies(&self, operation: &str, found: &str) -> Trouble {
        let place = &self.remote.place;
        let text = format!("{place}: {operation}: {found}; this service, or what is between, can't be a content store");
        OpenError::Unavailable(text.into()).into()
    }
}

/// Bytes of which no range is like another.
fn bytes() -> Buffer {
    let bytes: Vec<u8> = (0..LENGTH as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Buffer::from(bytes)
}

//! Schemes that OpenDAL brings. A scheme is one file that makes an operator and says what objects survive.

#[cfg(feature = "azblob")]
mod azblob;
mod breaker;
mod claim;
mod diagnosis;
mod error;
mod found;
#[cfg(feature = "gcs")]
mod gcs;
mod list;
#[cfg(feature = "memory")]
mod memory;
mod probe;
mod put;
mod remote;
#[cfg(feature = "s3")]
mod s3;
mod transport;

#[cfg(feature = "azblob")]
pub(crate) use azblob::azblob;
#[cfg(feature = "gcs")]
pub(crate) use gcs::gcs;
#[cfg(feature = "memory")]
pub(crate) use memory::memory;
#[cfg(feature = "s3")]
pub(crate) use s3::s3;

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{ContentError, Survives};
use opendal::{ErrorKind, Operator, options::ReadOptions};
use tokio::sync::{Mutex, OnceCell};

use crate::{
    OpenError,
    layout::{MARK, first_byte, folder_name, object_name, share_name},
    mark::{self, Mark},
};
use breaker::Breaker;
use error::{failed, is_known_already};
use found::Found;
use probe::Trouble;
use remote::Remote;

/// No service takes an object of more bytes, and some refuse to be asked for them.
const OBJECT_BYTES_MAX: u64 = 1 << 47;
/// In memory a request has ended when it is answered; this only makes a lease of usual length.
const REQUEST_MAX_MEMORY: Duration = Duration::from_secs(10);

pub(crate) struct OperatorStore {
    operator: Operator,
    survives: Survives,
    /// The additional parts of a store behind a network.
    remote: Option<Remote>,
    breaker: Breaker,
    found: OnceCell<Found>,
    /// Claims of this process come one after the other.
    claiming: Mutex<()>,
}

impl OperatorStore {
    /// Takes a place as a store, or makes it one. A place that can't be reached is looked at again when it is used.
    async fn open(operator: Operator, survives: Survives, remote: Option<Remote>) -> Result<OperatorStore, OpenError> {
        let (breaker, found, claiming) = (Breaker::new(), OnceCell::new(), Mutex::new(()));
        let store = OperatorStore { operator, survives, remote, breaker, found, claiming };
        match store.found.get_or_try_init(|| store.look()).await {
            Ok(_) => Ok(store),
            Err(Trouble::Unreachable(error)) if store.remote.is_some() => {
                tracing::warn!(%error, "the content store can't be reached; it is tried again when it is needed");
                Ok(store)
            }
            Err(Trouble::Unreachable(error)) => Err(OpenError::Unavailable(error)),
            Err(Trouble::Refused(error)) => Err(error),
        }
    }

    /// Returns what the place is and does; that is found out once.
    async fn found(&self) -> Result<&Found, ContentError> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        self.breaker.enter()?;
        let found = self.found.get_or_try_init(|| self.look()).await;
        self.breaker.note(found.is_ok());
        found.map_err(|trouble| {
            ContentError::Unavailable(match trouble {
                Trouble::Unreachable(error) => error,
                Trouble::Refused(error) => Box::new(error),
            })
        })
    }

    async fn look(&self) -> Result<Found, Trouble> {
        let found = match &self.remote {
            Some(remote) => probe::probe(&self.operator, remote).await?,
            None => Found::usual(&self.operator),
        };
        let path = || format!("{}{MARK}", self.operator.info().root());
        match self.operator.write_options(MARK, mark::mark().into_bytes(), found.only_new()).await {
            Err(error) if !is_known_already(&error) => return Err(self.trouble("PutObject", error)),
            Ok(_) | Err(_) => {}
        }
        let line = self.read_line(MARK).await.map_err(|error| self.trouble("GetObject", error))?;
        match mark::read_mark(&line) {
            Mark::Known => Ok(found),
            Mark::Newer(found) => Err(OpenError::Newer { path: path(), found, known: mark::FORMAT }.into()),
            Mark::Unreadable => Err(OpenError::Damaged { path: path() }.into()),
        }
    }

    fn trouble(&self, operation: &'static str, error: opendal::Error) -> Trouble {
        match &self.remote {
            Some(remote) => diagnosis::of(operation, &error, remote),
            None => Trouble::Unreachable(Box::new(error)),
        }
    }

    pub(crate) fn survives(&self) -> Survives {
        self.survives
    }

    pub(crate) async fn get(
        &self,
        share: ShareId,
        object: ObjectId,
        range: Range<u64>,
    ) -> Result<Vec<Bytes>, ContentError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        if range.end > OBJECT_BYTES_MAX {
            return Err(ContentError::NotFound);
        }
        self.found().await?;
        let path = path_of(share, object);
        let length = range.end - range.start;
        let options = ReadOptions { range: range.clone().into(), ..ReadOptions::default() };
        let read = self.bounded(self.operator.read_options(&path, options)).await;
        match read {
            Ok(buffer) if buffer.len() as u64 == length => Ok(buffer.collect()),
            Ok(_) => Err(self.judge_length(&path, &range).await),
            Err(error) if error::is_short(&error) => Err(self.judge_length(&path, &range).await),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(ContentError::NotFound),
            Err(error) if error.kind() == ErrorKind::RangeNotSatisfied => Err(ContentError::NotFound),
            Err(error) => Err(self.failed("read", &path, error)),
        }
    }

    /// Whether an object is too short, or the answer was.
    async fn judge_length(&self, path: &str, range: &Range<u64>) -> ContentError {
        match self.bounded(self.operator.stat(path)).await {
            Ok(known) if known.content_length() >= range.end => {
                let wanted = range.end - range.start;
                ContentError::Unavailable(format!("{path}: other than {wanted} bytes came, which are there").into())
            }
            Ok(_) => ContentError::NotFound,
            Err(error) if error.kind() == ErrorKind::NotFound => ContentError::NotFound,
            Err(error) => self.failed("looked up", path, error),
        }
    }

    pub(crate) async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.found().await?;
        let path = path_of(share, object);
        self.bounded(self.operator.delete(&path)).await.map_err(|error| self.failed("removed", &path, error))
    }

    /// Runs a request with its retries, within the time that somebody waits for an answer.
    async fn bounded<T>(&self, request: impl Future<Output = opendal::Result<T>>) -> opendal::Result<T> {
        let Some(remote) = &self.remote else { return request.await };
        self.breaker.enter_as_opendal()?;
        let answer = match tokio::time::timeout(remote.answer_max, request).await {
            Ok(answer) => answer,
            Err(_) => Err(error::too_late(remote.answer_max)),
        };
        let is_away = |error: &opendal::Error| error::is_passing(error) && !error::is_short(error);
        self.breaker.note(!answer.as_ref().is_err_and(is_away));
        answer
    }

    /// How long a removal can have an effect after it was asked for: it is given up then.
    pub(crate) fn request_max(&self) -> Duration {
        self.remote.as_ref().map_or(REQUEST_MAX_MEMORY, |remote| remote.answer_max)
    }

    /// A small file; one that is none says nothing.
    async fn read_line(&self, path: &str) -> opendal::Result<Bytes> {
        if self.operator.stat(path).await?.content_length() > mark::MARK_BYTES_MAX {
            return Ok(Bytes::new());
        }
        Ok(self.operator.read(path).await?.to_bytes())
    }

    fn failed(&self, doing: &'static str, path: &str, error: opendal::Error) -> ContentError {
        failed(doing, path, error, self.remote.as_ref())
    }
}

fn path_of(share: ShareId, object: ObjectId) -> String {
    format!("{}/{}/{}", share_name(share), folder_name(first_byte(object)), object_name(object))
}

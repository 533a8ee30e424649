//! Schemes that OpenDAL brings. A scheme is one file that makes an operator and says what objects survive.

mod error;
#[cfg(feature = "memory")]
mod memory;

#[cfg(feature = "memory")]
pub(crate) use memory::memory;

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{Claim, ContentError, Survives};
use futures_util::TryStreamExt;
use opendal::{
    Buffer, Entry, ErrorKind, Operator,
    options::{ListOptions, ReadOptions, WriteOptions},
};

use crate::{
    OpenError,
    layout::{MARK, OWNER, first_byte, folder_name, object_name, object_of, share_name},
    mark::{self, Mark},
};
use error::{is_known_already, unavailable};

pub(crate) struct OperatorStore {
    operator: Operator,
    survives: Survives,
}

impl OperatorStore {
    /// Takes a place as a store, or makes it one.
    #[cfg(feature = "memory")]
    async fn open(operator: Operator, survives: Survives) -> Result<OperatorStore, OpenError> {
        let path = || format!("{}{MARK}", operator.info().root());
        let failed = |error| OpenError::Unavailable(Box::new(error));
        match operator.write_options(MARK, mark::mark().into_bytes(), new()).await {
            Err(error) if !is_known_already(&error) => return Err(failed(error)),
            Ok(_) | Err(_) => {}
        }
        match mark::read_mark(&read_line(&operator, MARK).await.map_err(failed)?) {
            Mark::Known => Ok(OperatorStore { survives, operator }),
            Mark::Newer(found) => Err(OpenError::Newer { path: path(), found, known: mark::FORMAT }),
            Mark::Unreadable => Err(OpenError::Damaged { path: path() }),
        }
    }

    pub(crate) fn survives(&self) -> Survives {
        self.survives
    }

    pub(crate) async fn claim(&self, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        let path = format!("{}/{OWNER}", share_name(share));
        match self.operator.write_options(&path, mark::owner(owner).into_bytes(), new()).await {
            Ok(_) => return Ok(Claim::New),
            Err(error) if is_known_already(&error) => {}
            Err(error) => return Err(unavailable("written", &path, error)),
        }
        let line = read_line(&self.operator, &path).await.map_err(|error| unavailable("read", &path, error))?;
        match mark::read_owner(&line) {
            Some(found) if found == owner => Ok(Claim::Ours),
            Some(found) => Ok(Claim::Foreign(found)),
            None => Err(ContentError::Corrupt(
                format!("{path} does not say who the owner is: put it back from a backup").into(),
            )),
        }
    }

    pub(crate) async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let path = path_of(share, object);
        let wanted = Buffer::from(parts);
        match self.operator.write_options(&path, wanted.clone(), new()).await {
            Ok(_) => return Ok(()),
            Err(error) if is_known_already(&error) => {}
            Err(error) => return Err(unavailable("written", &path, error)),
        }
        let known = self.operator.stat(&path).await.map_err(|error| unavailable("looked up", &path, error))?;
        if known.content_length() != wanted.len() as u64 {
            return Err(ContentError::Exists);
        }
        let found = self.operator.read(&path).await.map_err(|error| unavailable("read", &path, error))?;
        if same_bytes(wanted, found) { Ok(()) } else { Err(ContentError::Exists) }
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
        let path = path_of(share, object);
        let length = range.end - range.start;
        let options = ReadOptions { range: range.into(), ..ReadOptions::default() };
        match self.operator.read_options(&path, options).await {
            Ok(buffer) if buffer.len() as u64 == length => Ok(buffer.collect()),
            Ok(_) => Err(ContentError::NotFound),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::RangeNotSatisfied) => {
                Err(ContentError::NotFound)
            }
            Err(error) => Err(unavailable("read", &path, error)),
        }
    }

    pub(crate) async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        let path = path_of(share, object);
        self.operator.delete(&path).await.map_err(|error| unavailable("removed", &path, error))
    }

    pub(crate) async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        let prefix = format!("{}/", share_name(share));
        let failed = |error| unavailable("listed", &prefix, error);
        // Only a service that can start behind a name is known to list by name.
        let ordered = self.operator.info().capability().list_with_start_after;
        let start_after = after.filter(|_| ordered).map(|after| path_of(share, after));
        let options = ListOptions { recursive: true, start_after, ..ListOptions::default() };
        let mut lister = self.operator.lister_options(&prefix, options).await.map_err(failed)?;
        let mut found = Vec::new();
        while let Some(entry) = lister.try_next().await.map_err(failed)? {
            let object = object_of(entry.name()).filter(|object| after.is_none_or(|after| *object > after));
            found.extend(object.map(|object| (object, entry)));
            if ordered && found.len() >= max {
                break;
            }
        }
        found.sort_unstable_by_key(|(object, _)| *object);
        let mut listed = Vec::new();
        for (object, entry) in found {
            if listed.len() == max {
                break;
            }
            listed.extend(self.length(entry).await?.map(|length| (object, length)));
        }
        Ok(listed)
    }

    /// The length of what was listed; `None` if it has gone meanwhile.
    async fn length(&self, entry: Entry) -> Result<Option<u64>, ContentError> {
        if entry.metadata().is_file() {
            return Ok(Some(entry.metadata().content_length()));
        }
        match self.operator.stat(entry.path()).await {
            Ok(found) => Ok(Some(found.content_length())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable("looked up", entry.path(), error)),
        }
    }
}

/// A small file; one that is none says nothing.
async fn read_line(operator: &Operator, path: &str) -> opendal::Result<Bytes> {
    if operator.stat(path).await?.content_length() > mark::LINE_BYTES_MAX {
        return Ok(Bytes::new());
    }
    Ok(operator.read(path).await?.to_bytes())
}

/// Writes what is not there yet, and never over anything.
fn new() -> WriteOptions {
    WriteOptions { if_not_exists: true, ..WriteOptions::default() }
}

fn path_of(share: ShareId, object: ObjectId) -> String {
    format!("{}/{}/{}", share_name(share), folder_name(first_byte(object)), object_name(object))
}

fn same_bytes(one: Buffer, other: Buffer) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (mut one, mut other) = (one, other);
    while !one.is_empty() {
        let (left, right) = (one.current(), other.current());
        let length = left.len().min(right.len());
        if left.get(..length) != right.get(..length) {
            return false;
        }
        one = one.slice(length..);
        other = other.slice(length..);
    }
    true
}

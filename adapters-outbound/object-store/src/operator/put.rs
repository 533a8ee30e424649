//! Putting an object: at once or in parts, and once even where an answer was lost.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::ContentError;
use opendal::{Buffer, ErrorKind};

use super::{OperatorStore, error::is_known_already, found::Found, path_of};

/// An object of fewer bytes is compared as a whole with what is there. So little is read as fast as its two ends are.
const COMPARED_WHOLE_MAX: u64 = 1 << 20;
/// Of a longer one as much is compared, at its start and at its end. Its id is 128 random bits, and blocks say whose they
/// are and are checked when they are read: this only has to tell our own upload from a damaged or foreign one.
const COMPARED_BYTES: u64 = 256 << 10;

impl OperatorStore {
    pub(crate) async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let found = *self.found().await?;
        let path = path_of(share, object);
        let wanted = Buffer::from(parts);
        if !found.puts_only_new {
            match self.operator.stat(&path).await {
                Ok(_) => return self.demand_same(&path, wanted).await,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed("looked up", &path, error)),
            }
        }
        match self.upload(share, &path, wanted.clone(), found).await {
            Ok(()) => Ok(()),
            // It is there already, or its parts are gone because they were put together: the answer was lost.
            Err(error) if is_known_already(&error) || error.kind() == ErrorKind::NotFound => {
                self.demand_same(&path, wanted).await
            }
            Err(error) => Err(self.failed("written", &path, error)),
        }
    }

    async fn upload(&self, share: ShareId, path: &str, bytes: Buffer, found: Found) -> opendal::Result<()> {
        let Some(remote) = &self.remote else {
            return self.operator.write_options(path, bytes, found.only_new()).await.map(drop);
        };
        let in_parts = bytes.len() as u64 > remote.multipart_above && bytes.len() > remote.part_bytes;
        let parts = if in_parts { bytes.len().div_ceil(remote.part_bytes) } else { 1 };
        let (concurrent, _permits) = remote.uploads(share, parts).await;
        if !in_parts {
            return self.operator.write_options(path, bytes, found.only_new()).await.map(drop);
        }
        let options = found.only_new_in_parts(remote.part_bytes, concurrent);
        let mut writer = self.operator.writer_options(path, options).await?;
        let written = async {
            writer.write(bytes).await?;
            writer.close().await.map(drop)
        };
        let written = written.await;
        if let Err(error) = &written {
            // The parts cost money. Where this fails too, the bucket's rule for unfinished uploads removes them.
            if !is_known_already(error)
                && let Err(error) = writer.abort().await
            {
                tracing::debug!(path, %error, "an unfinished upload could not be removed");
            }
        }
        written
    }

    /// Demands that the object that is there is the one that was to be put.
    async fn demand_same(&self, path: &str, wanted: Buffer) -> Result<(), ContentError> {
        let known = match self.operator.stat(path).await {
            Ok(known) => known.content_length(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(ContentError::Unavailable(format!("{path}: its upload was lost").into()));
            }
            Err(error) => return Err(self.failed("looked up", path, error)),
        };
        if known != wanted.len() as u64 {
            return Err(ContentError::Exists);
        }
        for range in compared(known).into_iter().filter(|range| !range.is_empty()) {
            let found = self.operator.read_with(path).range(range.clone()).await;
            let found = found.map_err(|error| self.failed("read", path, error))?;
            if !same_bytes(wanted.slice(range.start as usize..range.end as usize), found) {
                return Err(ContentError::Exists);
            }
        }
        Ok(())
    }
}

/// The ranges that are compared; the second is empty where the first is all.
fn compared(length: u64) -> [Range<u64>; 2] {
    match length <= COMPARED_WHOLE_MAX {
        true => [0..length, length..length],
        false => [0..COMPARED_BYTES, length - COMPARED_BYTES..length],
    }
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

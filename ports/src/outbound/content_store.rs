//! Objects.

use std::{ops::Range, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};

use super::{ContentError, Survives};

/// The mark of the owner of a share's objects, as a store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The mark itself.
    pub mark: Mark,
    /// The store's version of this very mark, where the store can compare.
    pub version: Option<String>,
}

/// The outcome of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The mark is there.
    Written {
        /// As it is now: where there is no room for a mark that says only the same again, still the one before.
        marked: Marked,
        /// Whether it surely replaced what was to be replaced, and nothing else: where the store can't say that, two
        /// claims at the same time may both be answered so.
        is_atomic: bool,
    },
    /// Nothing was written: this was in its place, or another process keeps the place locked.
    Refused(Option<Marked>),
}

/// The capacity of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes of all that it can hold, of this share, of others, and of whatever else is on the same disk.
    pub total: u64,
    /// Bytes that objects may still take.
    pub free: u64,
}

/// A store of immutable objects, shared by several shares.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// Returns the failures that an object survives once `put` has returned.
    fn survives(&self) -> Survives;

    /// The mark of the owner of a share's objects, if there is one. Changes nothing.
    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError>;

    /// Puts a mark in the place of the one that was seen, or where none was.
    /// - durable when it returns, and never seen in part;
    /// - where the store can compare, of several claims over the same mark one is written;
    /// - a store that can be locked stays locked for the last writer, until it writes a mark without a lease or lets
    ///   the store go;
    /// - a failed or abandoned claim may be written or not, also later.
    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError>;

    /// The shares that have a mark or objects.
    async fn shares(&self) -> Result<Vec<ShareId>, ContentError>;

    /// How long a removal, or an unfinished put, can have an effect after it was asked for.
    fn request_max(&self) -> Duration;

    /// Stores an object.
    /// - all or nothing: nobody ever reads a part of it;
    /// - when it returns, the object survives what [`ContentStore::survives`] says;
    /// - putting the same bytes again succeeds, other bytes under a known id are refused with `Exists` or change
    ///   nothing;
    /// - a failed or abandoned put may leave the object or not.
    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError>;

    /// Stores an object which makes others garbage, as [`ContentStore::put`]: it may use room that the store keeps from
    /// other objects on a disk that is full.
    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError>;

    /// Reports the capacity of the store; none where nobody knows a bound. Neither number has the room that the store
    /// keeps from objects for requests that free space.
    async fn capacity(&self) -> Result<Option<Capacity>, ContentError>;

    /// Frees what it can of ranges of an object that nothing refers to any longer, and that nobody reads.
    /// - needs no room, or hardly any: it is for a store that is full;
    /// - all other bytes of the object stay as they are, and so does its length; those of the ranges may read as
    ///   anything;
    /// - answers how many bytes are given back, 0 where the store can't do that. Doing it again is no error;
    /// - `Full` where the store needs room for that, and has none: nothing is given back.
    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError>;

    /// Reads a range, which must not be empty.
    /// - the parts' lengths sum up to the range's; `NotFound` if the object does not reach that far.
    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError>;

    /// Removes an object; one that is not there is removed already.
    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError>;

    /// Objects of a share with their lengths, in the order of their ids, from the one after `after`.
    /// - an object that is there all the while is listed exactly once; fewer than `max` means the end.
    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError>;
}

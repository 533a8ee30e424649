//! Backups of a share: which objects they pin, and what the share's row says of them.
//!
//! A pin is a reference to an object in the name of a backup instead of a file's chunk: an entry of the same set, under
//! a node that no file has. So whatever asks whether anything refers to an object, and every plan that expects that
//! nothing does, sees pins without knowing of backups.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    id::{NodeId, ObjectId},
    plan::{Change, Expectation, ObjectState, Plan, Reference},
    time::Timestamp,
};

/// The node in whose name backups refer to objects; no file is ever it.
pub const PINS: NodeId = NodeId(0);

/// Backups that a share may have at a time: its row names each. More than four months of one a day.
pub const BACKUPS_MAX: usize = 128;

/// A backup: 63 random bits, never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(u64);

impl BackupId {
    /// The id from random bits.
    #[must_use]
    pub const fn of_bits(bits: u64) -> BackupId {
        let id = bits & i64::MAX as u64;
        BackupId(if id == 0 { 1 } else { id })
    }

    /// One that was stored; none if no backup has this number.
    pub const fn stored(number: u64) -> Option<BackupId> {
        if number > 0 && number <= i64::MAX as u64 { Some(BackupId(number)) } else { None }
    }

    /// Its number, from 1 to 2^63-1.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupId({self})")
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text that names no backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a backup is 16 hexadecimal digits")]
pub struct NoBackupId;

impl FromStr for BackupId {
    type Err = NoBackupId;

    fn from_str(text: &str) -> Result<BackupId, NoBackupId> {
        let digits = Some(text).filter(|text| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.and_then(BackupId::stored).ok_or(NoBackupId)
    }
}

/// The record that a share keeps of a backup that pins its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupRecord {
    /// When it was begun.
    pub at: Timestamp,
    /// Whether its pins stay until it is released. The pins of other backups go when the backup ends, or at the next
    /// start.
    pub is_kept: bool,
    /// Objects that it pins.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The backups that a share has a record of.
pub type Backups = BTreeMap<BackupId, BackupRecord>;

/// Adds to a plan that a backup pins a live object.
pub fn pin(plan: &mut Plan, object: ObjectId, backup: BackupId) {
    plan.require(Expectation::ObjectState { object, state: ObjectState::Live });
    plan.change(Change::InsertReference(Reference::live(object, PINS, backup.number())));
}

/// Adds to a plan that a backup no longer pins an object.
pub fn unpin(plan: &mut Plan, object: ObjectId, backup: BackupId) {
    plan.change(Change::DeleteReference(Reference::live(object, PINS, backup.number())));
}

#[cfg(test)]
mod tests;

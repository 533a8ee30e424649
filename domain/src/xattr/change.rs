//! How the extended attributes of a node change.

use std::collections::{HashMap, hash_map::Entry};

use bytes::Bytes;

use super::{XATTR_BYTES_MAX, XATTRS_MAX, Xattr, XattrName, Xattrs};
use crate::{
    error::{FsError, FsResult},
    id::ChangeId,
};

/// The most changes of one call: enough to replace all attributes of a node by others.
const CHANGES_MAX: usize = 2 * XATTRS_MAX;

/// Whether an attribute may be there before it is set (`setxattr_option4` of RFC 8276, 8.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SetHow {
    /// It may.
    #[default]
    Either,
    /// It must not: `Exists`.
    Create,
    /// It must: `NoAttribute`.
    Replace,
}

/// A change of the extended attributes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XattrChange {
    /// Sets one. One that is there keeps the name by which it was made, and its place.
    Set {
        /// Its name.
        name: XattrName,
        /// Its value, which may be empty.
        value: Bytes,
        /// Whether it may be there.
        how: SetHow,
    },
    /// Removes one: `NoAttribute` if it is not there.
    Remove(XattrName),
    /// Removes one, if it is there (MS-FSA, 2.1.5.15.8: a value of length 0).
    RemoveAny(XattrName),
}

impl Xattrs {
    /// The attributes of a new node; none if the changes leave none.
    ///
    /// # Errors
    /// As [`Xattrs::changed`].
    pub fn initial(changes: &[XattrChange]) -> FsResult<Option<Xattrs>> {
        Xattrs::changed(None, changes, ChangeId(1))
    }

    /// The attributes of a node after some changes, with a version that they never had; none if none are left.
    ///
    /// # Errors
    /// `Exists` and `NoAttribute` as the changes say; `AttributeTooLarge` if they are more afterwards than they may be.
    pub fn changed(before: Option<&Xattrs>, changes: &[XattrChange], version: ChangeId) -> FsResult<Option<Xattrs>> {
        if changes.len() > CHANGES_MAX {
            return Err(FsError::AttributeTooLarge);
        }
        let mut changing = Changing::of(before);
        for change in changes {
            changing.change(change)?;
        }
        // Together they may leave less than they pass through: only the end counts.
        let mut after = Xattrs { version, all: changing.by_name.into_values().collect() };
        if after.all.len() > XATTRS_MAX || after.bytes() > XATTR_BYTES_MAX {
            return Err(FsError::AttributeTooLarge);
        }
        after.all.sort_unstable_by_key(|xattr| xattr.cookie);
        Ok(Some(after).filter(|after| !after.all.is_empty()))
    }
}

/// Attributes by their names in lower case: a client may send thousands of changes at once.
struct Changing {
    by_name: HashMap<Vec<u8>, Xattr>,
    last_cookie: u64,
}

impl Changing {
    fn of(before: Option<&Xattrs>) -> Changing {
        let all = before.map_or(&[][..], Xattrs::all);
        let by_name = all.iter().map(|xattr| (xattr.name.folded(), xattr.clone())).collect();
        Changing { by_name, last_cookie: all.last().map_or(0, |last| last.cookie) }
    }

    fn change(&mut self, change: &XattrChange) -> FsResult<()> {
        match change {
            XattrChange::Set { name, value, how } => self.set(name, value, *how),
            XattrChange::Remove(name) => self.by_name.remove(&name.folded()).map(drop).ok_or(FsError::NoAttribute),
            XattrChange::RemoveAny(name) => {
                self.by_name.remove(&name.folded());
                Ok(())
            }
        }
    }

    fn set(&mut self, name: &XattrName, value: &Bytes, how: SetHow) -> FsResult<()> {
        if value.len() > XATTR_BYTES_MAX as usize {
            return Err(FsError::AttributeTooLarge);
        }
        match (self.by_name.entry(name.folded()), how) {
            (Entry::Occupied(_), SetHow::Create) => Err(FsError::Exists),
            (Entry::Vacant(_), SetHow::Replace) => Err(FsError::NoAttribute),
            (Entry::Occupied(mut found), _) => {
                found.get_mut().value = value.clone();
                Ok(())
            }
            (Entry::Vacant(free), _) => {
                self.last_cookie += 1;
                free.insert(Xattr { cookie: self.last_cookie, name: name.clone(), value: value.clone() });
                Ok(())
            }
        }
    }
}

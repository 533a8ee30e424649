//! Keys: numbers are big-endian, so that the order of bytes is the order of numbers.

use std::ops::RangeInclusive;

use dittofs_domain::{
    Cookie, Name, NodeId, ObjectId, ShareId, Tree,
    plan::{EntryKey, Reference, Space},
};
use smallvec::SmallVec;

/// The bytes of any key.
pub(crate) type Key = SmallVec<[u8; 48]>;

/// No key is longer: that of a folded name of 255 bytes.
pub(crate) const KEY_LEN_MAX: usize = 281;

/// The bytes of a listing's key that name the directory and which of its names.
pub(crate) const DIRECTORY_LEN: usize = 17;

/// A count that is kept for a share, or once for the whole store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Count {
    Ids = 1,
    Stamps = 2,
    Epochs = 3,
    Topology = 4,
    Bytes = 5,
    Nodes = 6,
    Trees = 7,
    /// Transactions of the store; its share is 0.
    Transactions = 255,
}

/// Builds a key from numbers and bytes.
struct Builder(Key);

impl Builder {
    fn new(share: ShareId) -> Builder {
        Builder(SmallVec::new()).number(share.0)
    }

    fn number(mut self, number: u64) -> Builder {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Builder {
        self.0.extend_from_slice(bytes);
        self
    }
}

pub(crate) fn share(share: ShareId) -> Key {
    Builder::new(share).0
}

/// From before the first to after the last key of a share, but for that of its own row.
pub(crate) fn of_share(of: ShareId) -> RangeInclusive<Key> {
    // Every other key is longer than a share's own.
    let end =
        of.0.checked_add(1).map_or_else(|| SmallVec::from_elem(u8::MAX, KEY_LEN_MAX), |next| share(ShareId(next)));
    share(of)..=end
}

pub(crate) fn count(share: ShareId, what: Count) -> Key {
    count_at(share, what as u8)
}

pub(crate) fn count_at(share: ShareId, what: u8) -> Key {
    Builder::new(share).bytes(&[what]).0
}

pub(crate) fn node(share: ShareId, node: NodeId) -> Key {
    Builder::new(share).number(node.0).0
}

pub(crate) fn entry(share: ShareId, key: &EntryKey) -> Key {
    let directory = Builder::new(share).number(key.directory.0).bytes(&[key.space as u8]);
    directory.bytes(key.name.as_bytes()).0
}

/// The key of an entry in the index of folded names; `folded` has its folded name. A NUL, which no name has, keeps
/// the entries of one name apart from those of a longer one.
pub(crate) fn folded(share: ShareId, folded: &EntryKey, cookie: Cookie) -> Key {
    Builder(entry(share, folded)).bytes(&[0]).number(cookie.0).0
}

/// The name in the key of an entry; none for a key that is too short.
pub(crate) fn entry_of(key: &[u8]) -> Option<EntryKey> {
    let space = match *key.get(16)? {
        0 => Space::Children,
        1 => Space::Streams,
        _ => return None,
    };
    let name = Name::new(key.get(DIRECTORY_LEN..)?).ok()?;
    Some(EntryKey { directory: NodeId(number_at(key, 8)?), space, name })
}

/// Before the first and after the last entry or listing of a directory.
pub(crate) fn directory(share: ShareId, directory: NodeId, space: Space) -> (Key, Key) {
    let bound = |space: u8| Builder::new(share).number(directory.0).bytes(&[space]).0;
    (bound(space as u8), bound(space as u8 + 1))
}

pub(crate) fn listing(share: ShareId, directory: NodeId, space: Space, cookie: Cookie) -> Key {
    Builder::new(share).number(directory.0).bytes(&[space as u8]).number(cookie.0).0
}

pub(crate) fn row(share: ShareId, node: NodeId, page: u64) -> Key {
    Builder::new(share).number(node.0).number(page).0
}

pub(crate) fn object(share: ShareId, object: ObjectId) -> Key {
    Builder::new(share).bytes(&object.0.to_be_bytes()).0
}

/// The bytes of a reference's key before format 4: it ended with the chunk.
pub(crate) const REFERENCE_LEN_OF_FORMAT_3: usize = 8 + 16 + 8 + 8;

pub(crate) fn reference(share: ShareId, reference: &Reference) -> Key {
    let Reference { object, node, chunk, until } = reference;
    let chunk = Builder::new(share).bytes(&object.0.to_be_bytes()).number(node.0).number(*chunk);
    chunk.bytes(&until.0.to_be_bytes()).0
}

/// The reference that a key names; none for a key of another length.
pub(crate) fn reference_of(key: &[u8]) -> Option<Reference> {
    let (chunk, until) = key.split_at_checked(REFERENCE_LEN_OF_FORMAT_3)?;
    let until = Tree(u32::from_be_bytes(until.try_into().ok()?));
    let (object, node, chunk) = (object_at(chunk, 8)?, number_at(chunk, 24)?, number_at(chunk, 32)?);
    Some(Reference { object, node: NodeId(node), chunk, until })
}

/// A reference's key of format 4, from one of an earlier format: all references were of the living tree.
pub(crate) fn reference_upgraded(key: &[u8]) -> Key {
    let mut upgraded = Key::from_slice(key);
    upgraded.extend_from_slice(&Tree::LIVE.0.to_be_bytes());
    upgraded
}

/// The operations of a transaction, whatever their shares: in the order of transactions, so that new ones come at the
/// end of the table and old ones go from its start.
pub(crate) fn operations(transaction: u64) -> Key {
    Builder(SmallVec::new()).number(transaction).0
}

/// The key of the machine's id, among the users.
pub(crate) const MACHINE: &[u8] = b"m";
/// The byte with which keys of users begin.
const USER: u8 = b'u';

/// A user, by its folded name.
pub(crate) fn user(folded: &str) -> Key {
    Builder(SmallVec::from_slice(&[USER])).bytes(folded.as_bytes()).0
}

/// Before the first and after the last user.
pub(crate) fn users() -> (Key, Key) {
    (SmallVec::from_slice(&[USER]), SmallVec::from_slice(&[USER + 1]))
}

/// A key of a share, without what names the share; none for one that is too short.
pub(crate) fn without_share(key: &[u8]) -> Option<&[u8]> {
    key.get(size_of::<u64>()..)
}

/// A share's key, from what it is beside that.
pub(crate) fn with_share(of: ShareId, rest: &[u8]) -> Key {
    Builder::new(of).bytes(rest).0
}

/// The number at an offset of a key; none if the key is too short.
pub(crate) fn number_at(key: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*key.get(at..)?.first_chunk()?))
}

/// The object id at an offset of a key; none if the key is too short.
pub(crate) fn object_at(key: &[u8], at: usize) -> Option<ObjectId> {
    Some(ObjectId(u128::from_be_bytes(*key.get(at..)?.first_chunk()?)))
}

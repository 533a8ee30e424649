//! Identifiers. All but [`ObjectId`] and [`OpId`] fit in 63 bits, so that any database can hold them.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number! {
    /// A share: 64 random bits made with the share and kept in its metadata store. A renamed share keeps it.
    ShareId
}
number! {
    /// A file, directory, symlink, special file or stream: NFS's fileid and SMB's file id alike.
    /// From 3 to 2^63-1; never reused.
    NodeId
}
number! {
    /// The place of an entry in the listing of its directory. Comes from the same allocator as [`NodeId`], so it is
    /// unique for ever; 0, 1 and 2 are never given out.
    Cookie
}
number! {
    /// A node's count of changes (`changeid4` of RFC 8881, 3.3.1): raised by every change, never lowered.
    ChangeId
}
number! {
    /// Raised by truncate, punch and clone, not by writes: a flush that was decided before one of them must drop the
    /// bytes that were removed.
    ContentVersion
}
number! {
    /// The place of a record in a share's journal. Starts at 1; 0 means "none yet".
    Sequence
}
number! {
    /// One life of an instance or of a lease: what carries an older epoch is refused.
    Epoch
}

/// One state of a share's whole tree. The living tree counts up: a snapshot takes its number, and the next one is the
/// living tree's from then on. So a row that was last written under a number above a snapshot's has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tree(pub u32);

impl Tree {
    /// In a handle: the living tree, whatever its number is. In a reference: it has no end yet.
    pub const LIVE: Tree = Tree(0);
    /// The living tree's number in a share without any snapshot so far.
    pub const FIRST: Tree = Tree(1);
    /// The greatest number, so that databases with signed numbers can hold it.
    pub const MAX: Tree = Tree(i32::MAX as u32);
}

/// A content store of a share, by its number in the share's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PlaceId(pub u32);

impl PlaceId {
    /// The content store that the share was made with.
    pub const HOME: PlaceId = PlaceId(0);
}

impl NodeId {
    /// The root directory of every share. Its parent is itself.
    pub const ROOT: NodeId = NodeId(3);
    /// The first id that the allocator gives out.
    pub const FIRST_FREE: NodeId = NodeId(4);
    /// The greatest id.
    pub const MAX: NodeId = NodeId(i64::MAX as u64);

    /// Whether an id that came from outside is in the range that nodes have.
    pub const fn is_valid(self) -> bool {
        self.0 >= Self::ROOT.0 && self.0 <= Self::MAX.0
    }
}

impl Cookie {
    /// Before the first entry.
    pub const START: Cookie = Cookie(0);
}

impl Sequence {
    /// The sequence number after this one.
    #[must_use]
    pub const fn next(self) -> Sequence {
        Sequence(self.0 + 1)
    }
}

/// An immutable thing in a content store: 128 random bits, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u128);

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({:032x})", self.0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A key that seals frames. 0 is none.
///
/// Its id is a fingerprint: 63 bits that are derived from the key, below a first bit that is 1, so that two keys never
/// have the same one. Frames that were sealed before there were fingerprints name their key by a *number* of 32 bits,
/// which an operator chose. Several keys may have had the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyId(pub u64);

impl KeyId {
    /// Nothing is sealed.
    pub const NONE: KeyId = KeyId(0);
    const FINGERPRINT: u64 = 1 << 63;

    /// The id of a key from 64 bits that are derived from it.
    #[must_use]
    pub const fn of_fingerprint(bits: u64) -> KeyId {
        KeyId(bits | Self::FINGERPRINT)
    }

    /// The id of a key that is known by a number, as all were once.
    #[must_use]
    pub const fn of_number(number: u32) -> KeyId {
        KeyId(number as u64)
    }

    /// Whether this is no key.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether only one key can have this id.
    pub const fn is_fingerprint(self) -> bool {
        self.0 & Self::FINGERPRINT != 0
    }

    /// The number of a key that has no fingerprint in its id.
    pub const fn number(self) -> Option<u32> {
        if self.0 > 0 && self.0 <= u32::MAX as u64 { Some(self.0 as u32) } else { None }
    }

    /// Whether any key can have this id.
    pub const fn is_possible(self) -> bool {
        self.is_fingerprint() || self.0 <= u32::MAX as u64
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A fingerprint has 16 hexadecimal digits, a number is decimal: no text is both.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_fingerprint() { write!(f, "{:016x}", self.0) } else { write!(f, "{}", self.0) }
    }
}

/// One operation of one client, so that applying its plan a second time can be recognised.
///
/// The upper 16 bits say by which way it came from the client: over TCP, the client's port. Two clients of one address
/// may make the same call, so a store knows an operation by all of its bits. Operations that were carried out before
/// the store was opened are also known by the lower bits alone: after a crash, a client may come again another way, for
/// instance through a translation of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpId(pub u128);

impl OpId {
    const WAY_BITS: u32 = 16;

    /// Returns the id of a call that came by some way. Only the lower 112 bits of `call` count.
    pub fn of_call(call: u128, way: u16) -> OpId {
        let call = OpId(call).call();
        OpId(u128::from(way).rotate_right(OpId::WAY_BITS) | call)
    }

    /// The call, whichever way it came.
    pub fn call(self) -> u128 {
        self.0 & (u128::MAX >> OpId::WAY_BITS)
    }
}

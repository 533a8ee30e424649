//! Names and attributes.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    Attributes, Cookie, Name, NodeId, OpId, Timestamp,
    access::AccessMask,
    error::FsResult,
    namespace::{CreateRequest, LinkRequest, RemoveRequest, RenameRequest, SetAttributes, SetXattrs, StreamRename},
    xattr::Xattrs,
};

use super::Caller;

/// Attributes before a change, as far as a protocol shows them (`wcc_attr` of RFC 1813, 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakAttributes {
    /// Size in bytes.
    pub size: u64,
    /// Time of change of content.
    pub mtime: Timestamp,
    /// Time of change.
    pub ctime: Timestamp,
    /// Count of changes.
    pub change: dittofs_domain::ChangeId,
}

/// The attributes of a node before and after an operation on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Before, from inside the same transaction; none where that is not known.
    pub before: Option<WeakAttributes>,
    /// Afterwards.
    pub after: Attributes,
}

/// The node that a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The node found.
    pub node: Attributes,
    /// The name that its entry really has; none for `.` and `..`.
    pub name: Option<Name>,
    /// The directory.
    pub directory: Attributes,
}

/// The name that a client looks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupName {
    /// `.`
    This,
    /// `..`; the root's parent is itself.
    Parent,
    /// A name.
    Child(Name),
}

impl LookupName {
    /// The name, if it is one.
    pub fn child(&self) -> Option<&Name> {
        match self {
            LookupName::Child(name) => Some(name),
            LookupName::This | LookupName::Parent => None,
        }
    }
}

/// A node was made, or found where that was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The node.
    pub node: Attributes,
    /// The name that its entry really has.
    pub name: Name,
    /// The directory.
    pub directory: Changed,
    /// Whether it is new.
    pub new: bool,
}

/// A node got another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The node.
    pub node: Attributes,
    /// The directory.
    pub directory: Changed,
}

/// An entry was renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Where it was.
    pub from_directory: Changed,
    /// Where it is; equal to `from_directory` for a rename inside one directory.
    pub to_directory: Changed,
}

/// The part of a directory to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// The directory.
    pub directory: NodeId,
    /// The last entry that the client has; [`Cookie::START`] from the beginning.
    pub after: Cookie,
    /// At most so many entries.
    pub entries_max: usize,
    /// Whether attributes of the entries are wanted.
    pub with_attributes: bool,
}

/// An entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// Its cookie: the listing goes on after it.
    pub cookie: Cookie,
    /// The node it leads to.
    pub node: NodeId,
    /// Attributes, if wanted, if the node was still there, and if the caller may search the directory.
    pub attributes: Option<Attributes>,
}

/// A part of a listing. `.` and `..` are not in it: protocols that show them make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReply {
    /// The directory.
    pub directory: Attributes,
    /// Its parent.
    pub parent: NodeId,
    /// Whether the caller may search the directory: else it gets names, and neither attributes nor handles of what they
    /// lead to.
    pub searchable: bool,
    /// Entries in the order of their cookies.
    pub entries: Vec<Entry>,
    /// Whether these are the last ones.
    pub complete: bool,
}

/// A named stream of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedStream {
    /// Its name.
    pub name: Name,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes allocated.
    pub used: u64,
}

/// Names and attributes of one share.
///
/// Of every method:
/// - names are meant as [`Caller::case`] says;
/// - permission is decided by `granted()` with the caller's credentials; a read-only share refuses changes with
///   `ReadOnly`;
/// - attributes include what is written but not flushed;
/// - a change is answered when it is durable at the share's tier;
/// - a refused call changes nothing;
/// - `Busy` means that trying again later can help; `Io` that a store failed, which has been logged.
#[async_trait]
pub trait MetadataService: Send + Sync {
    /// Attributes of a node; `Stale` if it is gone. All but the size of a stream are its file's.
    async fn attributes(&self, caller: &Caller, node: NodeId) -> FsResult<Attributes>;

    /// Returns the rights that the caller has to a node.
    async fn access(&self, caller: &Caller, node: NodeId) -> FsResult<(AccessMask, Attributes)>;

    /// Looks a name up. Needs search permission.
    async fn lookup(&self, caller: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup>;

    /// A symlink's target; `Invalid` of anything else.
    async fn read_link(&self, caller: &Caller, node: NodeId) -> FsResult<(Arc<[u8]>, Attributes)>;

    /// Makes a node of any kind. Owners asked for are mapped by the share's policy first.
    /// - `op` names the client's operation, so that a repetition gets the first result where the store keeps it.
    async fn create(&self, caller: &Caller, request: &CreateRequest, op: Option<OpId>) -> FsResult<Created>;

    /// Gives a node that is not a directory another name.
    async fn link(&self, caller: &Caller, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked>;

    /// Removes an entry. A node without names stays readable while it is open.
    async fn remove(&self, caller: &Caller, request: &RemoveRequest, op: Option<OpId>) -> FsResult<Changed>;

    /// Renames an entry, replacing the target atomically.
    async fn rename(&self, caller: &Caller, request: &RenameRequest, op: Option<OpId>) -> FsResult<Renamed>;

    /// Sets attributes, all or nothing. Owners asked for are mapped by the share's policy first.
    async fn set_attributes(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetAttributes,
        op: Option<OpId>,
    ) -> FsResult<Changed>;

    /// Reads the extended attributes of a node; none if it has none. `held` are rights that the caller has by an open.
    async fn xattrs(&self, caller: &Caller, node: NodeId, held: AccessMask) -> FsResult<Option<Arc<Xattrs>>>;

    /// Changes extended attributes of a file or directory, all or nothing; `BadType` for anything else.
    /// - `NoAttribute`, `Exists` and `AttributeTooLarge` as [`XattrChange`](dittofs_domain::xattr::XattrChange) says;
    /// - it is a change of the node.
    async fn set_xattrs(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetXattrs,
        op: Option<OpId>,
    ) -> FsResult<Changed>;

    /// Returns the attributes of a named stream of a file; `NotFound` if there is none.
    async fn lookup_stream(&self, caller: &Caller, file: NodeId, name: &Name) -> FsResult<Attributes>;

    /// Returns the named streams of a file, in the order in which they were made. Whoever has the file open may see
    /// them.
    async fn streams(&self, caller: &Caller, file: NodeId) -> FsResult<Vec<NamedStream>>;

    /// Renames a stream. Needs the right to delete the file, by an open or as it is.
    async fn rename_stream(&self, caller: &Caller, request: &StreamRename) -> FsResult<()>;

    /// Lists a part of a directory. Needs read permission; attributes of entries need search permission as well.
    /// - entries that are there all the while come exactly once, whatever else comes, goes or is renamed;
    /// - a cookie stays good after its entry is gone.
    async fn list(&self, caller: &Caller, request: &ListRequest) -> FsResult<ListReply>;
}

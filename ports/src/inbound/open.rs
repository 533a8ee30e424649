//! Open files, byte-range locks and caching rights.

use async_trait::async_trait;
use dittofs_domain::{
    Attributes, ClientId, Name, NodeId,
    access::AccessMask,
    error::{FsError, FsResult},
    namespace::{CreateHow, DosAttributes, InitialAttributes, NewKind, SetAttributes},
    opens::{
        AcknowledgeError, Break, LeaseGrant, LeaseKey, Lock, LockHolder, LockOwner, LockRange, Locking, OpenToken,
        Rights, ShareAccess, WaitToken, Waiter,
    },
    xattr::XattrChange,
};
use thiserror::Error;

use super::{Caller, LookupName, NodeRef};

/// Under which key an open caches; the client is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheKey {
    /// A lease with the client's key.
    Lease(u128),
    /// An oplock: the key is the open's token.
    Oplock,
    /// The client's delegation.
    Delegation,
}

/// A request to cache. An open that gets no rights, or fewer, is open all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheRequest {
    /// Under which key.
    pub key: CacheKey,
    /// The caching rights that are wanted.
    pub rights: Rights,
}

/// A request to open a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenRequest {
    /// Rights to the node: all must be granted. Those to content and to removal are what others can deny.
    pub rights: AccessMask,
    /// The access that others may not have while the open lasts.
    pub deny: ShareAccess,
    /// How reads and writes through this open meet locks.
    pub locking: Locking,
    /// Whether the content is discarded. The open only makes room for that: the caller sets the size then.
    pub truncate: bool,
    /// Whether a call of this caller has made the node just now: its owner then has all rights, whatever the mode.
    pub created: bool,
    /// The caching rights to request, if any.
    pub cache: Option<CacheRequest>,
    /// Whether to wait for those who cache; otherwise they are notified, and the answer is `Busy`.
    pub waits: bool,
}

/// An open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its token, for [`Caller::opener`] and the calls here: 64 random bits.
    pub token: OpenToken,
    /// The node's attributes.
    pub attributes: Attributes,
    /// The key and its rights, if caching was requested.
    pub lease: Option<(LeaseKey, LeaseGrant)>,
}

/// Which nodes an open of a name takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Any.
    Any,
    /// A directory.
    Directory,
    /// Anything else.
    NotDirectory,
}

/// A node that an open of a name makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNode {
    /// A file or a directory.
    pub kind: NewKind,
    /// Its attributes.
    pub attributes: InitialAttributes,
    /// Those that POSIX does not have.
    pub dos: DosAttributes,
    /// `Unchecked`: only if nothing has the name; otherwise as for [`CreateHow`].
    pub how: CreateHow,
}

/// A request to open what a name leads to, or to make it (OPEN of RFC 8881, 18.16; CREATE of MS-SMB2, 2.2.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenNameRequest {
    /// The directory.
    pub directory: NodeId,
    /// The name there.
    pub name: LookupName,
    /// The named stream of what the name leads to, if one is wanted: what is said of the node below is meant of the
    /// stream then. A file that is not there is made with the stream; one that is there is only held.
    pub stream: Option<Name>,
    /// The kind of node that is wanted: of the file, where it is a stream.
    pub kind: NameKind,
    /// The node to make; nothing is made if absent.
    pub make: Option<NewNode>,
    /// The attributes to set if the node is found: with [`OpenRequest::truncate`], where its size has to be in them.
    pub replace: Option<SetAttributes>,
    /// The extended attributes to set before that.
    pub replace_xattrs: Vec<XattrChange>,
    /// How the node is opened. `created` is set by the service.
    pub open: OpenRequest,
}

/// A node that was opened by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedName {
    /// The open.
    pub opened: Opened,
    /// The name that its entry really has; none where no name was looked up.
    pub name: Option<Name>,
    /// The name that the stream really has, if one was wanted.
    pub stream: Option<Name>,
    /// Whether the node was made.
    pub is_new: bool,
}

/// Why a node can't be opened by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenFailure {
    /// It goes with its last open ([`OpenService::set_deletion`]).
    #[error("the file goes when it is closed")]
    Deleting,
    /// As any call can fail.
    #[error(transparent)]
    Failed(#[from] FsError),
}

/// The rights and the share mode that an open shall have from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShareChange {
    /// As in [`OpenRequest::rights`]; demanded only where the open did not have them.
    pub rights: AccessMask,
    /// As in [`OpenRequest::deny`].
    pub deny: ShareAccess,
    /// As in [`OpenRequest::waits`].
    pub waits: bool,
}

/// A request for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// The lock; its holder must be of the caller's client.
    pub lock: Lock,
    /// A token of [`OpenService::wait_token`] to stand in line where another lock is in the way.
    pub wait: Option<WaitToken>,
    /// As in [`OpenRequest::waits`], about those who cache.
    pub waits: bool,
    /// Whether the caller held it when the server last stopped, and takes it again.
    pub reclaims: bool,
}

/// The answer to a request for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockReply {
    /// The lock is held.
    Granted,
    /// The request stands in line: [`OpenEvents::lock_granted`] comes, perhaps before this answer.
    Queued,
    /// This one is in the way.
    Conflict(Lock),
    /// The grace period after a start decides: while it lasts, only who reclaims gets a lock; afterwards, nobody
    /// reclaims.
    Grace,
}

/// Why an acknowledgement is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AcknowledgeFailure {
    /// It does not fit what is being taken away.
    #[error(transparent)]
    Refused(#[from] AcknowledgeError),
    /// As any call can fail.
    #[error(transparent)]
    Failed(#[from] FsError),
}

/// Notifies an adapter of its clients' state. Called right after the change, from whichever task made it: must
/// return at once, and can come before the answer to the call that it belongs to.
pub trait OpenEvents: Send + Sync {
    /// Whether the client is one of this adapter's.
    fn serves(&self, client: ClientId) -> bool;

    /// A caching right is being taken away: its holder is to be notified, and to acknowledge where there is a
    /// deadline.
    fn break_requested(&self, node: NodeRef, request: &Break);

    /// A break was not acknowledged by its deadline: the key has lost all its rights.
    fn lease_revoked(&self, node: NodeRef, key: LeaseKey);

    /// A request that stood in line has got its lock.
    fn lock_granted(&self, node: NodeRef, waiter: &Waiter);
}

/// Open files, locks and caching rights of one share, for all protocols alike: one state.
///
/// Of every method:
/// - a token, holder or key that is not of the caller's client is refused: `Stale` for a token, `Invalid` otherwise;
/// - breaks are sent by the service, through [`OpenEvents`]; who `waits` does so until they are acknowledged, or the
///   deadline revokes them, and no longer than twice that; `Busy` then, and at once for who does not wait;
/// - a call that is given up while it waits leaves nothing;
/// - `NoSpace` at one of [`dittofs_domain::opens::limits`].
#[async_trait]
pub trait OpenService: Send + Sync {
    /// A name for a request that may wait.
    fn wait_token(&self) -> WaitToken;

    /// Opens a node.
    /// - `Access` where `rights` are not granted; removing is also granted by the directory (MS-FSA, 2.1.5.1.2.1);
    /// - `ReadOnly` for rights to change content, names or attributes on a share that refuses changes;
    /// - `IsDirectory` or `Invalid` for truncating what has no content;
    /// - `ShareDenied` where another open does what this one denies, or the other way round;
    /// - `Stale` for a node without a name, unless somebody has it open already;
    /// - the node stays readable until it is closed, whatever becomes of its names.
    async fn open(&self, caller: &Caller, node: NodeId, request: &OpenRequest) -> FsResult<Opened>;

    /// Opens what a name leads to, or makes it, in one call: between the making and the open there is nobody else, and
    /// what is to be made exclusively is made once.
    /// - as [`OpenService::open`], and for what is made as `MetadataService::create`;
    /// - `NotFound` where nothing has the name and nothing is to be made; `Exists` where something has it that may not be
    ///   taken; `IsDirectory` or `NotDirectory` where the kind does not fit;
    /// - if the open is refused, nothing was made; what was found keeps its size and attributes;
    /// - where content is replaced, the streams go with it (MS-FSA, 2.1.5.1.2.1): `ShareDenied` where somebody who does
    ///   not share their deletion has one open;
    /// - the file of a stream decides on the rights, and goes no sooner than its streams are closed. Who may delete it
    ///   opens it only where all who have streams of it open share that. `Invalid` for a stream of what has none,
    ///   `NoSpace` where there are [`dittofs_domain::namespace::stream::STREAMS_MAX`].
    async fn open_name(&self, caller: &Caller, request: &OpenNameRequest) -> Result<OpenedName, OpenFailure>;

    /// Has the name that was opened removed with the node's last open, or no longer. Until then nobody else opens the
    /// node. The open must have the right to delete the node.
    /// - `Access` for an open without the right to delete;
    /// - `NotEmpty` for a directory with entries;
    /// - a name that leads elsewhere by then stays; a node that was renamed loses the name that it has got;
    /// - of a stream, the name is its own, and the directory its file.
    async fn set_deletion(
        &self,
        caller: &Caller,
        node: NodeId,
        open: OpenToken,
        name: Option<(NodeId, Name)>,
    ) -> FsResult<()>;

    /// Whether a node goes with its last open.
    async fn is_deleting(&self, node: NodeId) -> FsResult<bool>;

    /// Closes an open, with its locks and, if it was the last under its key, its caching rights. A node without a
    /// name goes with its last open.
    async fn close(&self, caller: &Caller, node: NodeId, open: OpenToken) -> FsResult<()>;

    /// Gives an open another share mode: upgrade and downgrade (RFC 8881, 18.16 and 18.18).
    async fn change_share(&self, caller: &Caller, node: NodeId, open: OpenToken, change: &ShareChange) -> FsResult<()>;

    /// A lock that would be in the way of this one.
    async fn test_lock(&self, caller: &Caller, node: NodeId, wanted: &Lock) -> FsResult<Option<Lock>>;

    /// Takes a lock.
    /// - a caller without an open needs the right to read or to write;
    /// - one request in line for the same lock and holder replaces another: its token counts.
    async fn lock(&self, caller: &Caller, node: NodeId, request: &LockRequest) -> FsResult<LockReply>;

    /// Releases a range, and notifies those who waited for it.
    /// - `NotFound` if an open has no lock with exactly this range.
    async fn unlock(&self, caller: &Caller, node: NodeId, holder: &LockHolder, range: LockRange) -> FsResult<()>;

    /// Removes a request from the line. Returns false if it is not, or no longer, there: then it was granted or
    /// replaced.
    async fn cancel_lock(&self, caller: &Caller, node: NodeId, wait: WaitToken) -> FsResult<bool>;

    /// How many locks a POSIX owner holds on the node.
    async fn locks_held(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<usize>;

    /// Drops all locks and requests of a POSIX owner on the node.
    async fn release_owner(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<()>;

    /// Gives a key as much of `rights` as others leave room for; nobody else's are broken for it.
    async fn request_lease(&self, caller: &Caller, node: NodeId, key: LeaseKey, rights: Rights)
    -> FsResult<LeaseGrant>;

    /// The holder of a key acknowledges a break and keeps `rights`.
    async fn acknowledge(
        &self,
        caller: &Caller,
        node: NodeId,
        key: LeaseKey,
        rights: Rights,
    ) -> Result<(), AcknowledgeFailure>;

    /// The holder of a key gives all its rights back. Returns whether it had any.
    async fn return_lease(&self, caller: &Caller, node: NodeId, key: LeaseKey) -> FsResult<bool>;
}

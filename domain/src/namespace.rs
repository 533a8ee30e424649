//! Every rule over names and attributes: POSIX, as NFS and SMB clients see it.
//!
//! Each rule is a module with two functions: `query` says what it must see, `decide` turns a view and a request into
//! a [`Decision`]. Neither knows a store, a clock or a protocol.

pub mod clear_privileges;
pub mod create;
mod directory;
pub mod edit_content;
pub mod link;
pub mod permission;
pub mod remove;
pub mod rename;
mod request;
pub mod set_attributes;
pub mod set_xattrs;
mod shown;
pub mod stream;
mod unlink;

pub use create::CreateDecision;
pub use edit_content::ContentEdit;
pub use request::{
    CreateHow, CreateRequest, DosAttributes, InitialAccess, InitialAttributes, LinkRequest, NewKind, RemoveKind,
    RemoveRequest, RenameRequest, Replace, SetAttributes, SetTime, SetXattrs, StreamRename,
};
pub use set_attributes::Resize;
pub use shown::raise_above_shown;

use crate::{
    credentials::Credentials,
    id::{Cookie, Epoch, NodeId},
    plan::Plan,
    scale::Scale,
    time::Timestamp,
};

/// The greatest length of a symlink's target in bytes: PATH_MAX without its NUL. Linux makes no longer one, and can't
/// read one that another client made.
pub const TARGET_BYTES_MAX: usize = 4_095;
/// The greatest number of names of a node (LINK_MAX), and of a directory's subdirectories plus 2. Counts stay far from
/// the end of 32 bits, also with what is on its way.
pub const LINKS_MAX: u32 = 1 << 30;

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// After squashing.
    pub credentials: &'a Credentials,
    /// The clock's time.
    pub now: Timestamp,
}

/// Ids from the share's allocator for what a rule may make. Unused ones are lost, which is fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// For a new node.
    pub node: NodeId,
    /// For a new entry.
    pub cookie: Cookie,
    /// The scale of the share, by which a file that is made with a size gets its map.
    pub scale: Scale,
    /// The instance that gets the lease of a new file, so that its first write need not ask for one; none where one
    /// instance has the share.
    pub holder: Option<Epoch>,
}

/// The decision of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The plan to apply. It has no changes where nothing needs to be done; then its expectations need not be checked.
    pub plan: Plan,
    /// The node that the request was about: made, found, linked, renamed or removed.
    pub node: NodeId,
}

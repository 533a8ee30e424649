//! The way into a share.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    ClientId, Credentials, FoldTable,
    error::FsResult,
    users::{Permitted, UserName},
};

use super::{
    BlockService, Caller, HandleSigner, MetadataService, NodeRef, OpenEvents, OpenService, Presented, WatchService,
};

/// All services of one share, for the call that has entered it. Once the share is served no more, they refuse changes with
/// `Stale`, and reads go on. Whoever kept them for longer than a call would keep the share's stores open.
pub trait ShareServices: MetadataService + BlockService + OpenService + WatchService {
    /// Returns the signer of the share's handles.
    fn handle_signer(&self) -> &HandleSigner;

    /// Whether the share refuses changes.
    fn is_read_only(&self) -> bool;

    /// Whether who speaks a protocol that can encrypt messages must do so. The protocol sees to it.
    fn requires_encryption(&self) -> bool;

    /// The table by which the share folds names, for protocols that ignore their case.
    fn folding(&self) -> FoldTable;

    /// What a user of the server may do on the share, for protocols where users log on. The protocol sees to it; whether
    /// a node may be read or changed is decided behind the calls, besides.
    fn permitted(&self, name: &UserName, credentials: &Credentials) -> Permitted;
}

/// A node whose share has admitted the client.
#[derive(Clone)]
pub struct Entered {
    /// The node.
    pub node: NodeRef,
    /// Who calls, as the share sees it.
    pub caller: Caller,
    /// The services of the node's share.
    pub share: Arc<dyn ShareServices>,
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("node", &self.node).field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// Leads into all shares, and holds for all of them.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EntryService: Send + Sync {
    /// Finds the node of a handle and admits the client to its share.
    /// - `BadHandle` if these bytes are no handle; `Stale` if the tag is not ours or the share is unknown;
    /// - `Access` if the client's address is in none of the share's networks;
    /// - does not look whether the node exists: the calls do.
    fn enter(&self, handle: &[u8], who: &Presented) -> FsResult<Entered>;

    /// Finds the directory at a path that begins with a share's name, and admits the client.
    /// - the share with the longest matching name is taken; the rest is walked without following symlinks, and each
    ///   directory on the way needs search permission;
    /// - `NotFound`, `NotDirectory`, or `Access`, also if the client's address is in none of the share's networks.
    async fn mount(&self, path: &[u8], who: &Presented) -> FsResult<Entered>;

    /// Registers an adapter that notifies clients, of all shares and of those that come. An event goes to the first one
    /// that serves the client, or to nobody.
    fn subscribe(&self, events: Arc<dyn OpenEvents>);

    /// Drops all that a client has, on all shares: it is gone, or its lease ran out.
    /// - each share is asked, whatever another one answers; one of their errors is returned.
    async fn release_client(&self, client: ClientId) -> FsResult<()>;
}

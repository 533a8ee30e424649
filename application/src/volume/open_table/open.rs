//! Opening and closing.

use std::sync::Arc;

use dittofs_domain::{
    ClientId, Node, NodeId, NodeKind,
    access::{AccessMask, NodeSecurity, granted, sticky_forbids},
    error::{FsError, FsResult},
    opens::{
        Denied, LeaseForm, LeaseGrant, LeaseKey, NodeOpens, Open, OpenToken, Outcome, ShareAccess, ShareMode, Trigger,
    },
    plan::Query,
};
use dittofs_ports::{CacheKey, Caller, OpenFailure, OpenRequest, Opened, ShareChange};

use super::patience_ms;
use crate::volume::{
    nodes::Nodes,
    open_table::{Answer, OpenTable, Verdict},
    share::Share,
};

/// A node to open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenTarget {
    pub(crate) node: NodeId,
    /// The directory in which the right to delete it may be; where none is said, that of its newest name.
    pub(crate) directory: Option<NodeId>,
    pub(crate) part: Part,
}

/// Which part of a file is opened. An open of a stream holds the file: it goes no sooner than the stream is closed, and
/// where it is to go, its streams are not opened any more. So a stream has two opens, of one token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// The node itself.
    Whole,
    /// A file for one of its streams. It decides on the rights, and is kept from others who would delete it where the
    /// stream is; the rest concerns the stream alone (MS-FSA, 2.1.5.1.2.2).
    Holder(OpenToken),
    /// A stream of a file that is held.
    Stream {
        /// The file.
        file: NodeId,
        /// The token that holds it.
        token: OpenToken,
    },
}

impl Part {
    fn token(self, share: &Share) -> OpenToken {
        match self {
            Part::Whole => OpenToken(share.random()),
            Part::Holder(token) | Part::Stream { token, .. } => token,
        }
    }

    fn open(self, caller: &Caller, request: &OpenRequest, lease: Option<LeaseKey>) -> Open {
        let share = match self {
            Part::Holder(_) => ShareMode { access: ShareAccess::STREAM, deny: request.deny & ShareAccess::DELETE },
            Part::Whole | Part::Stream { .. } => ShareMode { access: share_access(request.rights), deny: request.deny },
        };
        let file = match self {
            Part::Stream { file, .. } => Some(file),
            Part::Whole | Part::Holder(_) => None,
        };
        Open { client: caller.client, share, locking: request.locking, lease, file }
    }

    /// Whether others lose caching rights by it: those to the file stay where only a stream is opened.
    fn trigger(self, request: &OpenRequest) -> Option<Trigger> {
        match self {
            Part::Holder(_) => None,
            Part::Whole | Part::Stream { .. } => Trigger::of_open(request.rights, request.truncate),
        }
    }
}

/// Why an open is refused.
fn refused(denied: &Denied) -> OpenFailure {
    match denied {
        Denied::Deleting => OpenFailure::Deleting,
        denied => OpenFailure::Failed(denied.into()),
    }
}

impl OpenTable {
    /// Opens a node. It tells one that is going from one that is in use.
    pub(crate) async fn open_found(
        &self,
        caller: &Caller,
        OpenTarget { node, directory, part }: OpenTarget,
        request: &OpenRequest,
    ) -> Result<Opened, OpenFailure> {
        let mut rights = request.rights;
        if request.truncate {
            rights |= AccessMask::WRITE_DATA;
        }
        demand_writable(&self.share, rights)?;
        let token = part.token(&self.share);
        let cache = request.cache.map(|cache| (lease_key(cache.key, caller.client, token), cache.rights));
        let open = part.open(caller, request, cache.map(|(key, _)| key));
        let trigger = part.trigger(request);
        let patience_ms = self.share.now_ms() + patience_ms(request.waits);
        loop {
            let freed = self.freed(node).notified();
            let lock = self.locks.lock(node).await;
            // Under the lock the node can lose its last name, but is not removed for good.
            let stored = node_to_open(&self.nodes, node).await?;
            if !matches!(part, Part::Stream { .. }) {
                self.demand_rights(caller, (&stored, directory), rights, request.created).await?;
            }
            demand_content(&stored, request.truncate)?;
            let question = |opens: &mut NodeOpens, deadline_ms| {
                if !stored.is_linked() && !opens.is_open() {
                    return Answer::done(Err(OpenFailure::Failed(FsError::Stale)));
                }
                let opened = opens.open_for(token, open, trigger, deadline_ms);
                Answer::<()>::of(opened, deadline_ms).map(|opened| match opened {
                    Ok(()) => Ok(cache
                        .map(|(key, rights)| (key, self.directories.grant(opens, (node, stored.kind), (key, rights))))),
                    Err(denied) => Err(refused(&denied)),
                })
            };
            match self.ask(node, question).await? {
                Verdict::Done(lease) => {
                    return Ok(Opened { token, attributes: self.nodes.overlay_locked(&lock, &stored), lease: lease? });
                }
                Verdict::Wait { until_ms } => {
                    drop(lock);
                    self.wait_freed(freed, until_ms, patience_ms).await?;
                }
            }
        }
    }

    /// Opens a node that nobody knows yet: it is about to be made with this id.
    pub(in crate::volume) async fn open_unmade(
        &self,
        caller: &Caller,
        (node, kind, part): (NodeId, NodeKind, Part),
        request: &OpenRequest,
    ) -> FsResult<(OpenToken, Option<(LeaseKey, LeaseGrant)>)> {
        let token = part.token(&self.share);
        let cache = request.cache.map(|cache| (lease_key(cache.key, caller.client, token), cache.rights));
        let open = part.open(caller, request, cache.map(|(key, _)| key));
        let opened = self.change_opens(node, |opens| match opens.open(token, open, false, 0) {
            Outcome::Denied(denied) => (Err(FsError::from(&denied)), Vec::new()),
            Outcome::Granted(_) | Outcome::MustBreak(_) | Outcome::Wait { .. } => (
                Ok(cache.map(|(key, rights)| (key, self.directories.grant(opens, (node, kind), (key, rights))))),
                Vec::new(),
            ),
        });
        Ok((token, opened.await??))
    }

    pub(crate) async fn change_share(
        &self,
        caller: &Caller,
        node: NodeId,
        open: OpenToken,
        change: &ShareChange,
    ) -> FsResult<()> {
        let share = ShareMode { access: share_access(change.rights), deny: change.deny };
        let patience_ms = self.share.now_ms() + patience_ms(change.waits);
        loop {
            let freed = self.freed(node).notified();
            let lock = self.locks.lock(node).await;
            let held = self.change_opens(node, |opens| (own(opens, caller.client, open), Vec::new())).await?;
            if !held.ok_or(FsError::Stale)?.share.access.contains(share.access) {
                demand_writable(&self.share, change.rights)?;
                let stored = node_to_open(&self.nodes, node).await?;
                self.demand_rights(caller, (&stored, None), change.rights, false).await?;
            }
            let verdict = self
                .ask(node, |opens, deadline_ms| {
                    Answer::<()>::of(opens.change_share(open, share, deadline_ms), deadline_ms)
                })
                .await?;
            match verdict {
                Verdict::Done(changed) => {
                    changed.map_err(|denied| FsError::from(&denied))?;
                    // The open may no longer deny what it denied before.
                    self.freed(node).notify_waiters();
                    return Ok(());
                }
                Verdict::Wait { until_ms } => {
                    drop(lock);
                    self.wait_freed(freed, until_ms, patience_ms).await?;
                }
            }
        }
    }

    /// Lets those who wait ask again, and the reaper look at the node if it has waited for this.
    pub(super) fn opens_gone(&self, node: NodeId, last: bool) {
        self.freed(node).notify_waiters();
        if last && self.nameless.lock().remove(&node) {
            self.garbage.wake();
        }
    }

    async fn demand_rights(
        &self,
        caller: &Caller,
        (node, directory): (&Node, Option<NodeId>),
        rights: AccessMask,
        created: bool,
    ) -> FsResult<()> {
        let credentials = &caller.credentials;
        // Who may do what with a stream is its file's to say.
        let file = match node.kind {
            NodeKind::Stream => Some(node_to_open(&self.nodes, node.parent.directory).await?),
            _ => None,
        };
        let node = file.as_deref().unwrap_or(node);
        let security = NodeSecurity::from(node);
        if created && credentials.uid == node.uid {
            return Ok(());
        }
        match rights - granted(&security, credentials) {
            AccessMask::DELETE => {}
            missing if missing.is_empty() => return Ok(()),
            _ => return Err(FsError::Access),
        }
        let directory = directory.unwrap_or(node.parent.directory);
        let view = self.nodes.view(&Query::node(directory)).await?;
        let directory = NodeSecurity::from(&**view.node(directory).map_err(|_| FsError::Access)?);
        let removes = granted(&directory, credentials).contains(AccessMask::DELETE_CHILD);
        let may = removes && !sticky_forbids(&directory, &security, credentials);
        if may { Ok(()) } else { Err(FsError::Access) }
    }
}

async fn node_to_open(nodes: &Nodes, node: NodeId) -> FsResult<Arc<Node>> {
    Ok(Arc::clone(nodes.view(&Query::node(node)).await?.node(node)?))
}

fn demand_writable(share: &Share, rights: AccessMask) -> FsResult<()> {
    let changes = AccessMask::WRITE_DATA
        | AccessMask::APPEND_DATA
        | AccessMask::WRITE_NAMED_ATTRS
        | AccessMask::DELETE_CHILD
        | AccessMask::WRITE_ATTRIBUTES
        | AccessMask::DELETE
        | AccessMask::WRITE_ACL
        | AccessMask::WRITE_OWNER;
    if rights.intersects(changes) { share.demand_writable() } else { Ok(()) }
}

/// An open, if it is of this client.
pub(super) fn own(opens: &NodeOpens, client: ClientId, open: OpenToken) -> Option<Open> {
    opens.find(open).copied().filter(|open| open.client == client)
}

/// Which of the rights others can deny (MS-FSA, 2.1.5.1.2.2).
fn share_access(rights: AccessMask) -> ShareAccess {
    let mut access = ShareAccess::empty();
    access.set(ShareAccess::READ, rights.intersects(AccessMask::READ_DATA | AccessMask::EXECUTE));
    access.set(ShareAccess::WRITE, rights.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA));
    access.set(ShareAccess::DELETE, rights.contains(AccessMask::DELETE));
    access
}

fn demand_content(node: &Node, truncate: bool) -> FsResult<()> {
    match node.kind {
        kind if !truncate || kind.has_content() => Ok(()),
        NodeKind::Directory => Err(FsError::IsDirectory),
        _ => Err(FsError::Invalid),
    }
}

fn lease_key(key: CacheKey, client: ClientId, token: OpenToken) -> LeaseKey {
    let (form, id) = match key {
        CacheKey::Lease(id) => (LeaseForm::Lease, id),
        CacheKey::Oplock => (LeaseForm::Oplock, u128::from(token.0)),
        CacheKey::Delegation => (LeaseForm::Delegation, 0),
    };
    LeaseKey { client, form, id }
}

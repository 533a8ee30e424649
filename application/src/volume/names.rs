//! Operations on names: each reads what a rule needs, lets the rule decide, and applies.

use std::sync::Arc;

use dittofs_domain::{
    Attributes, Node, NodeId, NodeKind, OpId,
    access::{self, AccessMask, NodeSecurity},
    error::{FsError, FsResult},
    namespace::{
        self, Context, CreateRequest, LinkRequest, RemoveRequest, RenameRequest, SetAttributes,
        create::{self, CreateDecision},
    },
    opens::Operation,
    plan::{EntryKey, Query, View},
};
use dittofs_ports::{Caller, Changed, Created, Linked, Lookup, LookupName, Renamed};

use smallvec::smallvec;

use super::Volume;

impl Volume {
    pub(crate) async fn lookup(&self, caller: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup> {
        let query = match name {
            LookupName::Child(name) => Query::child(directory, EntryKey::child(directory, name)),
            LookupName::This | LookupName::Parent => Query::node(directory),
        };
        let seen = self.view(&query).await?;
        let parent = self.searchable(&seen, directory, caller)?;
        let node = match name {
            LookupName::Child(_) => Arc::clone(&seen.entry(0).ok_or(FsError::NotFound)?.node),
            LookupName::This => Arc::clone(parent),
            LookupName::Parent => {
                let above = parent.parent.directory;
                Arc::clone(self.view(&Query::node(above)).await?.node(above)?)
            }
        };
        // The moment of the first is before both.
        let node = self.overlay(seen.moment, &node).await?;
        Ok(Lookup { node, directory: self.overlay(seen.moment, parent).await? })
    }

    pub(crate) async fn create(&self, caller: &Caller, request: &CreateRequest, op: Option<OpId>) -> FsResult<Created> {
        self.demand_writable()?;
        let mut request = request.clone();
        let identity = self.policy().identity;
        request.attributes.uid = request.attributes.uid.map(|uid| identity.map_uid(uid));
        request.attributes.gid = request.attributes.gid.map(|gid| identity.map_gid(gid));
        if let Some(seen) = self.earlier(op, || create::query(&request)).await? {
            return self.created_by_then(&seen, &request).await;
        }
        let fresh = self.fresh().await?;
        let now = self.now();
        let context = Context { credentials: &caller.credentials, now };
        let settled = self
            .settle_growing(create::query(&request), op, |view| {
                Ok(match create::decide(view, &request, &context, fresh)? {
                    CreateDecision::New(decision) => (decision.plan, None),
                    CreateDecision::Existing { node, resize } => {
                        (dittofs_domain::plan::Plan::at(now), Some((node, resize)))
                    }
                })
            })
            .await?;
        let (directory, moment) = (self.changed(&settled, request.directory).await?, settled.seen.moment);
        match settled.value {
            None => {
                let made = settled.applied.node(fresh.node).and_then(|touched| touched.after.as_ref());
                let node = self.overlay_changed(moment, made.ok_or(FsError::Stale)?).await?;
                Ok(Created { node, directory, new: true })
            }
            Some((node, None)) => Ok(Created { node: self.overlay(moment, &node).await?, directory, new: false }),
            Some((node, Some(size))) => {
                let resized = self.set_attributes(caller, node.id, &SetAttributes::size(size), op).await?;
                Ok(Created { node: resized.after, directory, new: false })
            }
        }
    }

    pub(crate) async fn link(&self, caller: &Caller, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked> {
        self.demand_writable()?;
        if let Some(seen) = self.earlier(op, || namespace::link::query(request)).await? {
            return self.linked_by_then(&seen, request).await;
        }
        let fresh = self.fresh().await?;
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let targets = |view: &View| {
            namespace::link::decide(view, request, &context, fresh)?;
            Ok(smallvec![(request.node, Operation::Link)])
        };
        self.check_names(caller, namespace::link::query(request), targets).await?;
        let settled = self
            .settle_growing(namespace::link::query(request), op, |view| {
                Ok((namespace::link::decide(view, request, &context, fresh)?.plan, ()))
            })
            .await?;
        let directory = self.changed(&settled, request.directory).await?;
        let node = self.changed(&settled, request.node).await?.after;
        Ok(Linked { node, directory })
    }

    pub(crate) async fn remove(&self, caller: &Caller, request: &RemoveRequest, op: Option<OpId>) -> FsResult<Changed> {
        self.demand_writable()?;
        if let Some(seen) = self.earlier(op, || namespace::remove::query(request)).await? {
            return self.changed_by_then(&seen, request.directory).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let targets = |view: &View| {
            let node = namespace::remove::decide(view, request, &context, true)?.node;
            Ok(smallvec![(node, Operation::Remove)])
        };
        self.check_names(caller, namespace::remove::query(request), targets).await?;
        let mut turn = None;
        let settled = self
            .settle(namespace::remove::query(request), op, |view| {
                let busy = view.entry(0).is_some_and(|found| self.is_busy(found.node.id, &mut turn));
                Ok((namespace::remove::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        drop(turn);
        self.changed(&settled, request.directory).await
    }

    pub(crate) async fn rename(&self, caller: &Caller, request: &RenameRequest, op: Option<OpId>) -> FsResult<Renamed> {
        self.demand_writable()?;
        if let Some(seen) = self.earlier(op, || namespace::rename::query(request)).await? {
            return self.renamed_by_then(&seen, request).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let targets = |view: &View| {
            let source = namespace::rename::decide(view, request, &context, true)?.node;
            let replaced = view.entry(1).map(|found| found.node.id);
            if replaced == Some(source) {
                return Ok(smallvec![]);
            }
            let renamed = [(source, Operation::Rename)];
            Ok(renamed.into_iter().chain(replaced.map(|node| (node, Operation::Remove))).collect())
        };
        self.check_names(caller, namespace::rename::query(request), targets).await?;
        let mut turn = None;
        let settled = self
            .settle(namespace::rename::query(request), op, |view| {
                let busy = view.entry(1).is_some_and(|found| self.is_busy(found.node.id, &mut turn));
                Ok((namespace::rename::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        drop(turn);
        Ok(Renamed {
            from_directory: self.changed(&settled, request.from_directory).await?,
            to_directory: self.changed(&settled, request.to_directory).await?,
        })
    }

    pub(crate) async fn read_link(&self, _caller: &Caller, node: NodeId) -> FsResult<(Arc<[u8]>, Attributes)> {
        let seen = self.view(&Query::node(node)).await?;
        let node = self.live(&seen, node)?;
        let target = node.target.clone().filter(|_| node.kind == NodeKind::Symlink);
        let target = target.ok_or(FsError::Invalid)?;
        let attributes = self.overlay(seen.moment, node).await?;
        self.accessed(&attributes);
        Ok((target, attributes))
    }

    /// A node that callers may still reach: it has a name, or somebody has it open.
    pub(super) fn live<'v>(&self, view: &'v View, node: NodeId) -> FsResult<&'v Arc<Node>> {
        let node = view.node(node)?;
        if node.is_linked() || self.is_open(node.id) { Ok(node) } else { Err(FsError::Stale) }
    }

    /// A directory that the caller may look names up in.
    pub(super) fn searchable<'v>(&self, view: &'v View, directory: NodeId, caller: &Caller) -> FsResult<&'v Arc<Node>> {
        let directory = self.live(view, directory)?;
        if directory.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        access::demand(&NodeSecurity::from(&**directory), &caller.credentials, AccessMask::EXECUTE)?;
        Ok(directory)
    }
}

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
    plan::{Applied, EntryKey, Query, View},
};
use dittofs_ports::{Caller, Changed, Created, Linked, Lookup, LookupName, Renamed};

use smallvec::smallvec;

use super::{Volume, settle::Settled};

impl Volume {
    pub(crate) async fn lookup(&self, caller: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup> {
        let query = match name {
            LookupName::Child(name) => Query::child(directory, EntryKey::child(directory, name)),
            LookupName::This | LookupName::Parent => Query::node(directory),
        };
        let view = self.view(&query).await?;
        let parent = self.searchable(&view, directory, caller)?;
        let node = match name {
            LookupName::Child(_) => Arc::clone(&view.entry(0).ok_or(FsError::NotFound)?.node),
            LookupName::This => Arc::clone(parent),
            LookupName::Parent => {
                let above = parent.parent.directory;
                Arc::clone(self.view(&Query::node(above)).await?.node(above)?)
            }
        };
        Ok(Lookup { node: self.overlay(&node), directory: self.overlay(parent) })
    }

    pub(crate) async fn create(&self, caller: &Caller, request: &CreateRequest, op: Option<OpId>) -> FsResult<Created> {
        self.demand_writable()?;
        let mut request = request.clone();
        request.attributes.uid = request.attributes.uid.map(|uid| self.policy.identity.map_uid(uid));
        request.attributes.gid = request.attributes.gid.map(|gid| self.policy.identity.map_gid(gid));
        let fresh = self.fresh().await?;
        let now = self.now();
        let context = Context { credentials: &caller.credentials, now };
        let settled = self
            .settle(create::query(&request), op, |view| {
                Ok(match create::decide(view, &request, &context, fresh)? {
                    CreateDecision::New(decision) => (decision.plan, None),
                    CreateDecision::Existing { node, resize } => {
                        (dittofs_domain::plan::Plan::at(now), Some((node, resize)))
                    }
                })
            })
            .await?;
        let directory = self.changed(&settled.view, &settled.applied, request.directory)?;
        match settled.value {
            None => {
                let made = settled.applied.node(fresh.node).and_then(|touched| touched.after.as_ref());
                Ok(Created { node: self.overlay(made.ok_or(FsError::Io)?), directory, new: true })
            }
            Some((node, None)) => Ok(Created { node: self.overlay(&node), directory, new: false }),
            Some((node, Some(size))) => {
                let resized = self.set_attributes(caller, node.id, &SetAttributes::size(size), op).await?;
                Ok(Created { node: resized.after, directory, new: false })
            }
        }
    }

    pub(crate) async fn link(&self, caller: &Caller, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked> {
        self.demand_writable()?;
        let fresh = self.fresh().await?;
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let targets = |view: &View| {
            namespace::link::decide(view, request, &context, fresh)?;
            Ok(smallvec![(request.node, Operation::Link)])
        };
        self.check_names(caller, namespace::link::query(request), targets).await?;
        let Settled { view, applied, .. } = self
            .settle(namespace::link::query(request), op, |view| {
                Ok((namespace::link::decide(view, request, &context, fresh)?.plan, ()))
            })
            .await?;
        let directory = self.changed(&view, &applied, request.directory)?;
        let node = self.changed(&view, &applied, request.node)?.after;
        Ok(Linked { node, directory })
    }

    pub(crate) async fn remove(&self, caller: &Caller, request: &RemoveRequest, op: Option<OpId>) -> FsResult<Changed> {
        self.demand_writable()?;
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let targets = |view: &View| {
            let node = namespace::remove::decide(view, request, &context, true)?.node;
            Ok(smallvec![(node, Operation::Remove)])
        };
        self.check_names(caller, namespace::remove::query(request), targets).await?;
        let mut turn = None;
        let Settled { view, applied, .. } = self
            .settle(namespace::remove::query(request), op, |view| {
                let busy = view.entry(0).is_some_and(|found| self.is_busy(found.node.id, &mut turn));
                Ok((namespace::remove::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        self.changed(&view, &applied, request.directory)
    }

    pub(crate) async fn rename(&self, caller: &Caller, request: &RenameRequest, op: Option<OpId>) -> FsResult<Renamed> {
        self.demand_writable()?;
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
        let Settled { view, applied, .. } = self
            .settle(namespace::rename::query(request), op, |view| {
                let busy = view.entry(1).is_some_and(|found| self.is_busy(found.node.id, &mut turn));
                Ok((namespace::rename::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        Ok(Renamed {
            from_directory: self.changed(&view, &applied, request.from_directory)?,
            to_directory: self.changed(&view, &applied, request.to_directory)?,
        })
    }

    pub(crate) async fn read_link(&self, _caller: &Caller, node: NodeId) -> FsResult<(Arc<[u8]>, Attributes)> {
        let view = self.view(&Query::node(node)).await?;
        let node = self.live(&view, node)?;
        let target = node.target.clone().filter(|_| node.kind == NodeKind::Symlink);
        Ok((target.ok_or(FsError::Invalid)?, self.overlay(node)))
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

    /// What a plan did to a node; if it was not touched, it is as it was seen.
    pub(super) fn changed(&self, view: &View, applied: &Applied, id: NodeId) -> FsResult<Changed> {
        if let Some(touched) = applied.node(id) {
            let after = touched.after.as_ref().ok_or(FsError::Stale)?;
            let before = touched.before.as_ref().map(|node| self.weak(node));
            return Ok(Changed { before, after: self.overlay(after) });
        }
        let entry = || view.entries.iter().flatten().map(|found| &found.node).find(|node| node.id == id);
        let node = view.node(id).ok().or_else(entry).ok_or(FsError::Stale)?;
        Ok(Changed { before: Some(self.weak(node)), after: self.overlay(node) })
    }
}

//! Operations on names: each reads what a rule needs, lets the rule decide, and applies.

mod attributes;
mod listing;
mod opening;
mod repeated;
mod streams;
mod walk;
mod watching;
mod xattrs;

use std::sync::Arc;

use dittofs_domain::{
    Attributes, NodeId, NodeKind, OpId,
    error::{FsError, FsResult},
    namespace::{
        self, Context, CreateRequest, LinkRequest, RemoveRequest, RenameRequest, Replace, SetAttributes,
        create::{self, CreateDecision},
    },
    opens::Operation,
    plan::{EntryKey, Query, View},
};
use dittofs_ports::{Caller, Changed, Created, Linked, Lookup, LookupName, Renamed, ShareMetadata};
use smallvec::smallvec;

use crate::volume::{
    files::Files,
    nodes::Nodes,
    numbers::Numbers,
    open_table::OpenTable,
    plans::{Named, PlanRunner},
    share::Share,
};

/// Operations on names and attributes.
pub(crate) struct Names {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    metadata: Arc<dyn ShareMetadata>,
    numbers: Arc<Numbers>,
    opens: Arc<OpenTable>,
    plans: Arc<PlanRunner>,
    files: Arc<Files>,
}

impl Names {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        (metadata, numbers): (Arc<dyn ShareMetadata>, Arc<Numbers>),
        opens: Arc<OpenTable>,
        plans: Arc<PlanRunner>,
        files: Arc<Files>,
    ) -> Names {
        Names { share, nodes, metadata, numbers, opens, plans, files }
    }

    pub(crate) async fn lookup(&self, caller: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup> {
        let query = match name {
            LookupName::Child(name) => Query::child(directory, EntryKey::child(directory, name)),
            LookupName::This | LookupName::Parent => Query::node(directory),
        };
        let seen = self.nodes.view(&caller.case.of(query)).await?;
        let parent = self.nodes.searchable(&seen, directory, caller)?;
        let (name, node) = match name {
            LookupName::Child(name) => {
                let (name, found) = seen.meant(0, name).ok_or(FsError::NotFound)?;
                (Some(name.clone()), Arc::clone(&found.node))
            }
            LookupName::This => (None, Arc::clone(parent)),
            LookupName::Parent => {
                let above = parent.parent.directory;
                (None, Arc::clone(self.nodes.view(&Query::node(above)).await?.node(above)?))
            }
        };
        // The version that the first was read at is older than both.
        let node = self.nodes.overlay(seen.version, &node).await?;
        Ok(Lookup { node, name, directory: self.nodes.overlay(seen.version, parent).await? })
    }

    pub(crate) async fn create(&self, caller: &Caller, request: &CreateRequest, op: Option<OpId>) -> FsResult<Created> {
        self.share.demand_writable()?;
        let request = self.mapped(request);
        let fresh = self.numbers.fresh().await?;
        let now = self.share.now();
        let context = Context { credentials: &caller.credentials, now };
        let outcome = self
            .plans
            .of(caller)
            .run_growing(caller.case.of(create::query(&request)), op, |view| {
                Ok(match create::decide(view, &request, &context, fresh)? {
                    CreateDecision::New(decision) => (decision.plan, None),
                    CreateDecision::Existing { node, name, resize } => {
                        (dittofs_domain::plan::Plan::at(now), Some((node, name, resize)))
                    }
                })
            })
            .await?;
        let outcome = match outcome {
            Named::Before(seen) => return self.created_by_then(&seen, &request).await,
            Named::Now(outcome) => outcome,
        };
        let (directory, version) =
            (self.nodes.changed(&outcome.seen, &outcome.applied, request.directory).await?, outcome.seen.version);
        match outcome.value {
            None => {
                let made = outcome.applied.node(fresh.node).and_then(|touched| touched.after.as_ref());
                let node = self.nodes.overlay_changed(version, made.ok_or(FsError::Stale)?).await?;
                Ok(Created { node, name: request.name, directory, new: true })
            }
            Some((node, name, None)) => {
                Ok(Created { node: self.nodes.overlay(version, &node).await?, name, directory, new: false })
            }
            Some((node, name, Some(size))) => {
                let resized = self.set_attributes(caller, node.id, &SetAttributes::size(size), op).await?;
                Ok(Created { node: resized.after, name, directory, new: false })
            }
        }
    }

    /// The request with owners as the share's policy maps them.
    fn mapped(&self, request: &CreateRequest) -> CreateRequest {
        let mut request = request.clone();
        let identity = self.share.policy().identity;
        request.attributes.uid = request.attributes.uid.map(|uid| identity.map_uid(uid));
        request.attributes.gid = request.attributes.gid.map(|gid| identity.map_gid(gid));
        request
    }

    pub(crate) async fn link(&self, caller: &Caller, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked> {
        self.share.demand_writable()?;
        let query = || caller.case.of(namespace::link::query(request));
        if !self.opens.is_idle()
            && let Some(seen) = self.plans.earlier(op, query).await?
        {
            return self.linked_by_then(&seen, request).await;
        }
        let fresh = self.numbers.fresh().await?;
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let targets = |view: &View| {
            namespace::link::decide(view, request, &context, fresh)?;
            Ok(smallvec![(request.node, Operation::Link)])
        };
        self.opens.check_names(caller, query(), targets).await?;
        let outcome = self
            .plans
            .of(caller)
            .run_growing(query(), op, |view| Ok((namespace::link::decide(view, request, &context, fresh)?.plan, ())))
            .await?;
        let outcome = match outcome {
            Named::Before(seen) => return self.linked_by_then(&seen, request).await,
            Named::Now(outcome) => outcome,
        };
        let directory = self.nodes.changed(&outcome.seen, &outcome.applied, request.directory).await?;
        let node = self.nodes.changed(&outcome.seen, &outcome.applied, request.node).await?.after;
        Ok(Linked { node, directory })
    }

    pub(crate) async fn remove(&self, caller: &Caller, request: &RemoveRequest, op: Option<OpId>) -> FsResult<Changed> {
        self.share.demand_writable()?;
        let query = || caller.case.of(namespace::remove::query(request));
        if !self.opens.is_idle()
            && let Some(seen) = self.plans.earlier(op, query).await?
        {
            return self.nodes.changed_by_then(&seen, request.directory).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let targets = |view: &View| {
            let node = namespace::remove::decide(view, request, &context, true)?.node;
            Ok(smallvec![(node, Operation::Remove)])
        };
        self.opens.check_names(caller, query(), targets).await?;
        let mut lock = None;
        let outcome = self
            .plans
            .of(caller)
            .run_named(query(), op, |view| {
                let found = view.meant(0, &request.name);
                let busy = found.is_some_and(|(_, found)| self.opens.is_busy(found.node.id, &mut lock));
                Ok((namespace::remove::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        drop(lock);
        match outcome {
            Named::Before(seen) => self.nodes.changed_by_then(&seen, request.directory).await,
            Named::Now(outcome) => self.nodes.changed(&outcome.seen, &outcome.applied, request.directory).await,
        }
    }

    pub(crate) async fn rename(&self, caller: &Caller, request: &RenameRequest, op: Option<OpId>) -> FsResult<Renamed> {
        self.share.demand_writable()?;
        let query = || caller.case.of(namespace::rename::query(request));
        if !self.opens.is_idle()
            && let Some(seen) = self.plans.earlier(op, query).await?
        {
            return self.renamed_by_then(&seen, request).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let targets = |view: &View| {
            let source = namespace::rename::decide(view, request, &context, true)?.node;
            let replaced = namespace::rename::replaced(view, request).map(|(_, found)| found.node.id);
            if replaced == Some(source) && request.replace == Replace::Any {
                return Ok(smallvec![]);
            }
            let removed = replaced.filter(|node| *node != source).map(|node| (node, Operation::Remove));
            Ok([(source, Operation::Rename)].into_iter().chain(removed).collect())
        };
        self.opens.check_names(caller, query(), targets).await?;
        let mut lock = None;
        let outcome = self
            .plans
            .of(caller)
            .run_named(query(), op, |view| {
                let replaced = namespace::rename::replaced(view, request);
                let busy = replaced.is_some_and(|(_, found)| self.opens.is_busy(found.node.id, &mut lock));
                Ok((namespace::rename::decide(view, request, &context, busy)?.plan, ()))
            })
            .await?;
        drop(lock);
        let outcome = match outcome {
            Named::Before(seen) => return self.renamed_by_then(&seen, request).await,
            Named::Now(outcome) => outcome,
        };
        Ok(Renamed {
            from_directory: self.nodes.changed(&outcome.seen, &outcome.applied, request.from_directory).await?,
            to_directory: self.nodes.changed(&outcome.seen, &outcome.applied, request.to_directory).await?,
        })
    }

    pub(crate) async fn read_link(&self, _caller: &Caller, node: NodeId) -> FsResult<(Arc<[u8]>, Attributes)> {
        let seen = self.nodes.view(&Query::node(node)).await?;
        let node = self.nodes.live(&seen, node)?;
        let target = node.target.clone().filter(|_| node.kind == NodeKind::Symlink);
        let target = target.ok_or(FsError::Invalid)?;
        let attributes = self.nodes.overlay(seen.version, node).await?;
        self.nodes.accessed(&attributes);
        Ok((target, attributes))
    }
}

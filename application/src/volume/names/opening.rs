//! Opening what a name leads to, or making it, and removing what goes with its last open.

use std::sync::Arc;

use dittofs_domain::{
    Name, Node, NodeId, NodeKind,
    access::AccessMask,
    error::{FsError, FsResult},
    namespace::{
        Context, CreateHow, CreateRequest, RemoveKind, RemoveRequest, SetAttributes, SetXattrs,
        create::{self, CreateDecision},
    },
    node::NodeFlags,
    opens::{Deletion, OpenToken, Operation},
    plan::{EntryKey, Plan, Query},
    xattr::XattrChange,
};
use dittofs_ports::{
    Caller, CaseRule, LookupName, NameKind, NewNode, OpenFailure, OpenNameRequest, OpenRequest, Opened, OpenedName,
};

use crate::volume::{
    names::Names,
    open_table::{Ended, OpenTarget, Part, Wanted},
    plans::Named,
};

/// How often a name is looked at again that was made or removed meanwhile. Each time somebody else has got on.
pub(super) const TRIES_MAX: u32 = 16;

impl Names {
    pub(crate) async fn open_name(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
    ) -> Result<OpenedName, OpenFailure> {
        match &request.stream {
            Some(stream) => self.streams().open(caller, request, stream).await,
            None => self.open_part(caller, request, Part::Whole).await,
        }
    }

    /// Opens what the name leads to, without a look at streams.
    pub(super) async fn open_part(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        part: Part,
    ) -> Result<OpenedName, OpenFailure> {
        for _ in 0..TRIES_MAX {
            match self.find_to_open(caller, request).await? {
                Some((name, node)) => match self.open_found(caller, request, (name, &node, part)).await {
                    Err(OpenFailure::Failed(FsError::Stale)) if request.name != LookupName::This => {}
                    opened => return opened,
                },
                None => {
                    let Some(new) = &request.make else { return Err(FsError::NotFound.into()) };
                    if let Some(opened) = self.make_and_open(caller, request, (new, part)).await? {
                        let name = request.name.child().cloned();
                        return Ok(OpenedName { opened, name, stream: None, is_new: true });
                    }
                }
            }
        }
        Err(FsError::Busy.into())
    }

    /// Finds the node and the name that its entry really has.
    async fn find_to_open(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
    ) -> FsResult<Option<(Option<Name>, Arc<Node>)>> {
        let directory = request.directory;
        let LookupName::Child(name) = &request.name else {
            let seen = self.nodes.view(&Query::node(directory)).await?;
            return Ok(Some((None, Arc::clone(self.nodes.live(&seen, directory)?))));
        };
        let query = Query::child(directory, EntryKey::child(directory, name));
        let seen = self.nodes.view(&caller.case.of(query)).await?;
        self.nodes.searchable(&seen, directory, caller)?;
        Ok(seen.meant(0, name).map(|(name, found)| (Some(name.clone()), Arc::clone(&found.node))))
    }

    async fn open_found(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        (name, node, part): (Option<Name>, &Node, Part),
    ) -> Result<OpenedName, OpenFailure> {
        let mut created = false;
        match request.make.as_ref().map(|new| new.how) {
            Some(CreateHow::Guarded) => return Err(FsError::Exists.into()),
            Some(CreateHow::Exclusive(verifier)) => {
                created = node.create_verifier == Some(verifier);
                if !created {
                    return Err(FsError::Exists.into());
                }
            }
            Some(CreateHow::Unchecked) | None => {}
        }
        match (request.kind, node.kind) {
            (NameKind::Directory, kind) if kind != NodeKind::Directory => return Err(FsError::NotDirectory.into()),
            (NameKind::NotDirectory, NodeKind::Directory) => return Err(FsError::IsDirectory.into()),
            _ => {}
        }
        let open = OpenRequest { created, ..request.open };
        let directory = request.name.child().map(|_| request.directory);
        let target = OpenTarget { node: node.id, directory, part };
        let mut opened = self.opens.open_found(caller, target, &open).await?;
        if let Some(attributes) = request.replace.as_ref().filter(|_| open.truncate) {
            self.overwrite(caller, (&mut opened, open.waits), (node, attributes, &request.replace_xattrs)).await?;
        }
        Ok(OpenedName { opened, name, stream: None, is_new: created })
    }

    /// Discards the content of what was just opened for that, and its streams. Where that fails, it is closed again.
    pub(super) async fn overwrite(
        &self,
        caller: &Caller,
        (opened, waits): (&mut Opened, bool),
        (node, attributes, xattrs): (&Node, &SetAttributes, &[XattrChange]),
    ) -> FsResult<()> {
        let through = Caller { opener: Some(opened.token), ..caller.clone() };
        let wanted = Wanted::Operation(Operation::Overwrite);
        let replaced = async {
            if !xattrs.is_empty() || node.flags.contains(NodeFlags::STREAMS) {
                // What keeps the content from being discarded keeps all of the file.
                self.opens.check_operation(&through, node.id, Operation::Overwrite, |_| Ok(())).await?;
            }
            if node.flags.contains(NodeFlags::STREAMS) {
                self.streams().demand_removable(&through, node.id, waits).await?;
            }
            if !xattrs.is_empty() {
                let request = SetXattrs { changes: xattrs.to_vec(), held: AccessMask::empty() };
                self.set_xattrs(&through, node.id, &request, None).await?;
            }
            if node.flags.contains(NodeFlags::STREAMS) {
                self.streams().clear(&through, node.id, waits).await?;
            }
            self.set_attributes_as(&through, node.id, (attributes, wanted), None).await
        };
        match replaced.await {
            Ok(changed) => opened.attributes = changed.after,
            Err(error) => {
                self.close_unused(caller, node.id, opened.token).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes a node that is open from its beginning; none if something has the name meanwhile.
    async fn make_and_open(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        (new, part): (&NewNode, Part),
    ) -> FsResult<Option<Opened>> {
        self.share.demand_writable()?;
        let LookupName::Child(name) = &request.name else { return Err(FsError::Exists) };
        let create = self.mapped(&CreateRequest {
            directory: request.directory,
            name: name.clone(),
            kind: new.kind.clone(),
            attributes: new.attributes,
            how: match new.how {
                CreateHow::Unchecked => CreateHow::Guarded,
                how => how,
            },
        });
        let fresh = self.numbers.fresh().await?;
        let now = self.share.now();
        let context = Context { credentials: &caller.credentials, now };
        let (token, lease) =
            self.opens.open_unmade(caller, (fresh.node, create.kind.node_kind(), part), &request.open).await?;
        let outcome = self
            .plans
            .of(caller)
            .run_growing(caller.case.of(create::query(&create)), None, |view| {
                Ok(match create::decide_with(view, &create, &new.dos, &context, fresh)? {
                    CreateDecision::New(decision) => (decision.plan, true),
                    CreateDecision::Existing { .. } => (Plan::at(now), false),
                })
            })
            .await;
        let made = match outcome {
            Ok(Named::Now(outcome)) if outcome.value => {
                let made = outcome.applied.node(fresh.node).and_then(|made| made.after.clone());
                made.map(|made| (outcome.seen.version, made))
            }
            Ok(_) | Err(FsError::Exists) => None,
            Err(error) => {
                self.close_unused(caller, fresh.node, token).await;
                return Err(error);
            }
        };
        let Some((version, made)) = made else {
            self.close_unused(caller, fresh.node, token).await;
            return if new.how == CreateHow::Guarded { Err(FsError::Exists) } else { Ok(None) };
        };
        let attributes = self.nodes.overlay_changed(version, &made).await?;
        Ok(Some(Opened { token, attributes, lease }))
    }

    /// Gives up an open that nobody has heard of.
    pub(super) async fn close_unused(&self, caller: &Caller, node: NodeId, token: OpenToken) {
        match self.opens.closing().close(caller, node, token).await {
            Ok(Ended { deletion: Some(deletion), .. }) => self.delete(node, deletion).await,
            Ok(_) => {}
            Err(error) => tracing::warn!(share = %self.share.name(), %node, %error, "an open is left over"),
        }
    }

    pub(crate) async fn set_deletion(
        &self,
        caller: &Caller,
        node: NodeId,
        open: OpenToken,
        name: Option<(NodeId, Name)>,
    ) -> FsResult<()> {
        let deletion = match name {
            None => None,
            Some((directory, name)) => {
                self.share.demand_writable()?;
                self.demand_empty(node).await?;
                let credentials = caller.credentials.clone();
                Some(Deletion {
                    directory,
                    name,
                    credentials,
                    client: caller.client,
                    parent_lease: caller.parent_lease,
                })
            }
        };
        let is_deleting = deletion.is_some();
        self.opens.closing().set_deletion(caller, node, open, deletion).await?;
        self.plans.watches().set_deleting(node, is_deleting);
        Ok(())
    }

    /// Refuses a directory that has entries.
    async fn demand_empty(&self, node: NodeId) -> FsResult<()> {
        let seen = self.nodes.view(&Query::node(node)).await?;
        if self.nodes.live(&seen, node)?.kind != NodeKind::Directory {
            return Ok(());
        }
        let listed = self.metadata.list(node, Default::default(), Default::default(), 1, false).await;
        let listed = listed.map_err(|error| self.share.metadata_failed(&error))?;
        if listed.entries.is_empty() { Ok(()) } else { Err(FsError::NotEmpty) }
    }

    /// Removes the name of a node whose last open is gone. Where that is refused, the name stays, as if nobody had asked.
    pub(crate) async fn delete(&self, node: NodeId, deletion: Deletion) {
        let removed = self.try_delete(node, &deletion).await;
        if let Err(error) = removed {
            tracing::info!(
                share = %self.share.name(), %node, name = %deletion.name, %error,
                "a file that was to go when it is closed stays"
            );
            self.plans.watches().set_deleting(node, false);
        }
        if let Err(error) = self.opens.closing().deleted(node).await {
            tracing::warn!(share = %self.share.name(), %node, %error, "a file that is gone is still noted as going");
        }
    }

    async fn try_delete(&self, node: NodeId, deletion: &Deletion) -> FsResult<()> {
        let seen = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = self.nodes.live(&seen, node) else { return Ok(()) };
        if stored.kind == NodeKind::Stream {
            return self.streams().remove(deletion, node).await;
        }
        let key = EntryKey::child(deletion.directory, &deletion.name);
        let opened = self.nodes.view(&Query::child(deletion.directory, key)).await?;
        let leads_here = opened.entry(0).is_some_and(|found| found.node.id == node);
        let (directory, name, kind) = if leads_here {
            (deletion.directory, deletion.name.clone(), RemoveKind::Held(node))
        } else {
            let parent = stored.parent;
            let name = self.metadata.name_of(parent.directory, parent.cookie).await;
            let name = name.map_err(|error| self.share.metadata_failed(&error))?.ok_or(FsError::NotFound)?;
            // It was not opened by this name, which may be in a directory that is none of its business.
            (parent.directory, name, RemoveKind::Just(node))
        };
        // The name is the one that the entry has.
        let (credentials, case) = (deletion.credentials.clone(), CaseRule::Sensitive);
        let (client, parent_lease) = (deletion.client, deletion.parent_lease);
        let caller = Caller { credentials, opener: None, client, case, parent_lease };
        // Another file may have the name by then.
        self.remove(&caller, &RemoveRequest { directory, name, kind }, None).await.map(drop)
    }
}

//! Named streams of files and directories.

use dittofs_domain::{
    Attributes, Cookie, Name, Node, NodeId, NodeKind,
    access::AccessMask,
    attributes::{is_newer, of_stream},
    error::{FsError, FsResult},
    namespace::{
        Context, CreateHow, SetAttributes, StreamRename,
        stream::{self, STREAMS_MAX, StreamEntry},
    },
    opens::{Deletion, OpenToken, Operation},
    plan::{Change, NodeUpdate, Plan, Query, Space, TimeChange},
};
use dittofs_ports::{
    Caller, Listing, LookupName, NamedStream, NewNode, OpenFailure, OpenNameRequest, OpenRequest, Opened, OpenedName,
};

use crate::volume::{
    names::{Names, opening::TRIES_MAX},
    nodes::Seen,
    open_table::{Ended, OpenTarget, Part, patience_ms},
    plans::Named,
};

/// Operations on named streams.
pub(crate) struct Streams<'n>(&'n Names);

impl Names {
    /// Operations on named streams.
    pub(crate) fn streams(&self) -> Streams<'_> {
        Streams(self)
    }

    /// The attributes of a node as clients see them: a stream has nearly all from its file.
    pub(super) async fn shown(&self, attributes: Attributes) -> FsResult<Attributes> {
        match attributes.kind {
            NodeKind::Stream => Ok(of_stream(&attributes, &self.nodes.attributes(attributes.file).await?)),
            _ => Ok(attributes),
        }
    }
}

impl Streams<'_> {
    pub(crate) async fn lookup(&self, file: NodeId, name: &Name) -> FsResult<Attributes> {
        let seen = self.0.nodes.view(&stream::query(file, name)).await?;
        self.0.nodes.live(&seen, file)?;
        let (_, found) = seen.meant(0, name).ok_or(FsError::NotFound)?;
        let own = self.0.nodes.overlay(seen.version, &found.node).await?;
        self.0.shown(own).await
    }

    pub(crate) async fn list(&self, file: NodeId) -> FsResult<Vec<NamedStream>> {
        let seen = self.0.nodes.view(&Query::node(file)).await?;
        self.0.nodes.live(&seen, file)?;
        let mut streams = Vec::new();
        for listed in self.listed(file, true).await?.entries {
            let Some(record) = listed.record else { continue };
            let attributes = self.0.nodes.overlay(seen.version, &record).await?;
            let (size, used) = (attributes.size, attributes.used);
            streams.push(NamedStream { name: listed.name, size, used });
        }
        Ok(streams)
    }

    /// The entries of a file's streams: all that it can have. There are more only where something is damaged.
    async fn listed(&self, file: NodeId, records: bool) -> FsResult<Listing> {
        let listed = self.0.metadata.list(file, Space::Streams, Cookie::START, STREAMS_MAX, records).await;
        listed.map_err(|error| self.0.share.metadata_failed(&error))
    }

    /// Opens a stream: first the file, which holds it, then the stream itself.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        name: &Name,
    ) -> Result<OpenedName, OpenFailure> {
        for _ in 0..TRIES_MAX {
            match self.try_open(caller, request, name).await {
                // The file has lost its name meanwhile.
                Err(OpenFailure::Failed(FsError::Stale)) if request.name != LookupName::This => {}
                opened => return opened,
            }
        }
        Err(FsError::Busy.into())
    }

    async fn try_open(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        name: &Name,
    ) -> Result<OpenedName, OpenFailure> {
        let token = OpenToken(self.0.share.random());
        let file = self.0.open_part(caller, &of_file(request), Part::Holder(token)).await?;
        let of = file.opened.attributes.node;
        let opened = self.open_of(caller, request, (name, &file)).await;
        if opened.is_err() {
            // A file that was made for the stream stays: somebody else may have written to it by now.
            self.0.close_unused(caller, of, token).await;
        }
        opened
    }

    /// Opens a stream of a file that is held.
    async fn open_of(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        (name, file): (&Name, &OpenedName),
    ) -> Result<OpenedName, OpenFailure> {
        let (of, token) = (&file.opened.attributes, file.opened.token);
        if !matches!(of.kind, NodeKind::File | NodeKind::Directory) {
            return Err(FsError::Invalid.into());
        }
        let found = self.open_held(caller, request, (name, of.node, token), file.is_new).await?;
        match self.0.shown(found.opened.attributes.clone()).await {
            Ok(attributes) => {
                let opened = Opened { attributes, ..found.opened };
                Ok(OpenedName { opened, name: file.name.clone(), ..found })
            }
            Err(error) => {
                self.0.close_unused(caller, found.opened.attributes.node, token).await;
                Err(error.into())
            }
        }
    }

    /// Opens a stream of a file that is held by a token, or makes it.
    async fn open_held(
        &self,
        caller: &Caller,
        request: &OpenNameRequest,
        (name, file, token): (&Name, NodeId, OpenToken),
        is_new_file: bool,
    ) -> Result<OpenedName, OpenFailure> {
        let how = request.make.as_ref().map(|new| new.how);
        let part = Part::Stream { file, token };
        for attempt in 0..TRIES_MAX {
            self.rest(attempt).await;
            let seen = self.0.nodes.view(&stream::query(file, name)).await?;
            let Some((found_name, found)) = seen.meant(0, name) else {
                if how.is_none() {
                    return Err(FsError::NotFound.into());
                }
                let held = if is_new_file { AccessMask::all() } else { AccessMask::empty() };
                match self.make(caller, (&request.open, part), (file, name), (&seen, held)).await? {
                    Some(opened) => {
                        return Ok(OpenedName { opened, name: None, stream: Some(name.clone()), is_new: true });
                    }
                    None => continue,
                }
            };
            if how.is_some_and(|how| how != CreateHow::Unchecked) {
                return Err(FsError::Exists.into());
            }
            let target = OpenTarget { node: found.node.id, directory: None, part };
            let mut opened = match self.0.opens.open_found(caller, target, &request.open).await {
                Err(OpenFailure::Failed(FsError::Stale)) => continue,
                opened => opened?,
            };
            if request.open.truncate {
                // The open was for that.
                let empty = SetAttributes { held: AccessMask::WRITE_DATA, ..SetAttributes::size(0) };
                self.0.overwrite(caller, (&mut opened, request.open.waits), (&found.node, &empty, &[])).await?;
            }
            let stream = Some(found_name.clone());
            return Ok(OpenedName { opened, name: None, stream, is_new: false });
        }
        Err(FsError::Busy.into())
    }

    /// Makes a stream that is open from its beginning; none if something about the file has changed since it was seen.
    async fn make(
        &self,
        caller: &Caller,
        (open, part): (&OpenRequest, Part),
        (file, name): (NodeId, &Name),
        (seen, held): (&Seen, AccessMask),
    ) -> FsResult<Option<Opened>> {
        self.0.share.demand_writable()?;
        let change = seen.node(file)?.change;
        let count = self.listed(file, false).await?.entries.len();
        let fresh = self.0.numbers.fresh().await?;
        let now = self.0.share.now();
        let context = Context { credentials: &caller.credentials, now };
        let (token, lease) = self.0.opens.open_unmade(caller, (fresh.node, NodeKind::Stream, part), open).await?;
        let outcome = self
            .0
            .plans
            .of(caller)
            .run_growing(stream::query(file, name), None, |view| {
                if view.node(file)?.change != change {
                    return Ok((Plan::at(now), ()));
                }
                Ok((stream::create(view, (file, name), (held, count), &context, fresh)?.plan, ()))
            })
            .await;
        let made = match outcome {
            Ok(Named::Now(outcome)) => {
                let made = outcome.applied.node(fresh.node).and_then(|made| made.after.clone());
                made.map(|made| (outcome.seen.version, made))
            }
            Ok(Named::Before(_)) | Err(FsError::Exists) => None,
            Err(error) => {
                self.0.close_unused(caller, fresh.node, token).await;
                return Err(error);
            }
        };
        let Some((version, made)) = made else {
            self.0.close_unused(caller, fresh.node, token).await;
            return Ok(None);
        };
        match self.0.nodes.overlay_changed(version, &made).await {
            Ok(attributes) => Ok(Some(Opened { token, attributes, lease })),
            Err(error) => {
                self.0.close_unused(caller, fresh.node, token).await;
                Err(error)
            }
        }
    }

    /// Removes a stream whose last open is gone.
    pub(super) async fn remove(&self, deletion: &Deletion, node: NodeId) -> FsResult<()> {
        let context = Context { credentials: &deletion.credentials, now: self.0.share.now() };
        for attempt in 0..TRIES_MAX {
            self.rest(attempt).await;
            let file = deletion.directory;
            let seen = self.0.nodes.view(&Query::node(file)).await?;
            let Ok(change) = seen.node(file).map(|file| file.change) else { return Ok(()) };
            let listed = self.listed(file, false).await?.entries;
            // Somebody may have renamed it.
            let Some(name) = listed.iter().find(|listed| listed.node == node).map(|listed| &listed.name) else {
                return Ok(());
            };
            let (mut lock, last) = (None, listed.len() == 1);
            let outcome = self
                .0
                .plans
                .run(stream::query(file, name), |view| {
                    if view.node(file)?.change != change {
                        return Ok((Plan::default(), false));
                    }
                    let busy = self.0.opens.is_busy(node, &mut lock);
                    Ok((stream::remove(view, (file, name, node), &context, (last, busy))?.plan, true))
                })
                .await?;
            if outcome.value {
                return Ok(());
            }
        }
        Err(FsError::Busy)
    }

    /// Demands that those who have streams of a file open, or cached, let all of them go.
    pub(super) async fn demand_removable(&self, caller: &Caller, file: NodeId, waits: bool) -> FsResult<()> {
        let streams: Vec<NodeId> = self.listed(file, false).await?.entries.iter().map(|listed| listed.node).collect();
        self.check_removals(caller, &streams, waits).await
    }

    /// Takes all streams from a file that is overwritten.
    pub(super) async fn clear(&self, caller: &Caller, file: NodeId, waits: bool) -> FsResult<()> {
        for attempt in 0..TRIES_MAX {
            self.rest(attempt).await;
            let seen = self.0.nodes.view(&Query::node(file)).await?;
            let change = self.0.nodes.live(&seen, file)?.change;
            let Listing { entries, complete, .. } = self.listed(file, true).await?;
            let nodes: Vec<NodeId> = entries.iter().map(|listed| listed.node).collect();
            self.check_removals(caller, &nodes, waits).await?;
            let entries: Vec<StreamEntry> = entries.into_iter().map(StreamEntry::from).collect();
            let outcome = self
                .0
                .plans
                .of(caller)
                .run(Query::node(file), |view| {
                    if view.node(file)?.change != change {
                        return Ok((Plan::default(), false));
                    }
                    Ok((stream::clear(view, file, (&entries, complete), self.0.share.now())?, complete))
                })
                .await?;
            if outcome.value {
                return Ok(());
            }
        }
        Err(FsError::Busy)
    }

    pub(crate) async fn rename(&self, caller: &Caller, request: &StreamRename) -> FsResult<()> {
        self.0.share.demand_writable()?;
        self.check(caller, request.stream, Operation::Rename).await?;
        let context = Context { credentials: &caller.credentials, now: self.0.share.now() };
        let mut lock = None;
        self.0
            .plans
            .of(caller)
            .run(stream::rename_query(request), |view| {
                let busy = stream::replaced(view, request).is_some_and(|node| self.0.opens.is_busy(node, &mut lock));
                Ok((stream::rename(view, request, &context, busy)?.plan, ()))
            })
            .await
            .map(drop)
    }

    /// Lets others get on who change the same file.
    async fn rest(&self, attempt: u32) {
        if attempt > 0 {
            self.0.share.jitter(attempt).await;
        }
    }

    /// The same for the removal of several: all who cache are asked at once, and then waited for if the caller `waits`.
    async fn check_removals(&self, caller: &Caller, streams: &[NodeId], waits: bool) -> FsResult<()> {
        let (opens, may) = (&self.0.opens, |_: &Node| Ok(()));
        let mut result = Ok(());
        for stream in streams {
            match opens.check_until(caller, *stream, Operation::Remove, (0, may)).await {
                Ok(_) => {}
                Err(FsError::Busy) => result = Err(FsError::Busy),
                Err(error) => return Err(error),
            }
        }
        if result.is_ok() || !waits {
            return result;
        }
        let until_ms = self.0.share.now_ms() + patience_ms(waits);
        for stream in streams {
            opens.check_until(caller, *stream, Operation::Remove, (until_ms, may)).await?;
        }
        Ok(())
    }

    /// Demands that those who have a stream open, or cached, let an operation on its name go on.
    async fn check(&self, caller: &Caller, stream: NodeId, operation: Operation) -> FsResult<()> {
        self.0.opens.check_operation(caller, stream, operation, |_| Ok(())).await.map(drop)
    }

    /// Does what is left to do once an open has ended.
    pub(crate) async fn finish_close(
        &self,
        caller: &Caller,
        (node, token): (NodeId, OpenToken),
        ended: Ended,
    ) -> FsResult<()> {
        let Ended { deletion, file, could_write, has_written } = ended;
        let is_removed = deletion.is_some();
        if has_written {
            self.0.plans.watches().tell_changed(node, &caller.changes_entries_as()).await;
        }
        if let Some(deletion) = deletion {
            self.0.delete(node, deletion).await;
        }
        let Some(file) = file else { return Ok(()) };
        if could_write && !is_removed {
            self.note_written(caller, file, node).await;
        }
        let ended = self.0.opens.closing().close(caller, file, token).await?;
        if let Some(deletion) = ended.deletion {
            self.0.delete(file, deletion).await;
        }
        Ok(())
    }

    /// Has a file take over when its stream was last written. Once for each close, and not for each write: a plan would
    /// cost more than the write.
    async fn note_written(&self, caller: &Caller, file: NodeId, node: NodeId) {
        if let Err(error) = self.try_note_written(caller, file, node).await {
            tracing::debug!(share = %self.0.share.name(), %node, %error, "a file does not know of a change of its stream");
        }
    }

    async fn try_note_written(&self, caller: &Caller, file: NodeId, node: NodeId) -> FsResult<()> {
        let (stream, shown) = (self.0.nodes.attributes(node).await?, self.0.nodes.attributes(file).await?);
        if !is_newer(&stream, &shown) {
            return Ok(());
        }
        self.0.share.demand_writable()?;
        let mtime = TimeChange::Set(stream.mtime);
        let update = NodeUpdate { mtime, ctime: TimeChange::Advance, ..NodeUpdate::default() };
        let outcome = self.0.plans.of(caller).run(Query::node(file), |view| {
            let mut plan = Plan::at(stream.ctime);
            if self.0.nodes.live(view, file)?.ctime < stream.ctime {
                plan.change(Change::UpdateNode(file, update.clone()));
            }
            Ok((plan, ()))
        });
        outcome.await.map(drop)
    }
}

/// The open of a stream's file.
fn of_file(request: &OpenNameRequest) -> OpenNameRequest {
    let make = request.make.clone().map(|new| NewNode { how: CreateHow::Unchecked, ..new });
    let mut rights = request.open.rights;
    rights.set(AccessMask::WRITE_DATA, rights.contains(AccessMask::WRITE_DATA) || request.open.truncate);
    let open = OpenRequest { rights, truncate: false, cache: None, ..request.open };
    OpenNameRequest { stream: None, make, replace: None, replace_xattrs: Vec::new(), open, ..request.clone() }
}

//! RENAME (RFC 1813, 3.3.14; POSIX rename).

use super::{
    Context, Decision, LINKS_MAX, RenameRequest,
    directory::{expect_permission, may_add, may_remove, owner_mattered, searched, security},
    unlink::take_name,
};
use crate::{
    access::{AccessMask, demand},
    credentials::Credentials,
    error::{FsError, FsResult},
    node::{Node, NodeKind, Parent},
    plan::{Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, Plan, Query, View},
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(request: &RenameRequest) -> Query {
    let mut query = Query::child(request.from_directory, from_key(request));
    query.entries.push(to_key(request));
    if request.from_directory != request.to_directory {
        query.nodes.push(request.to_directory);
        query.ancestors_of = Some(request.to_directory);
    }
    query
}

/// Gives an entry another name and place, and takes the name from what had it before. `busy` is about the node that
/// is replaced, as in [`super::remove::decide`]. Between two names of one node nothing is changed.
///
/// The entry keeps its cookie: inside one directory a listing would else meet it again and again.
///
/// # Errors
/// `Stale`, `NotDirectory` and `Access` of either directory; `NotFound`; `Invalid` for a directory into its own
/// subtree; `Access` to a moved directory; `NotPermitted` where a sticky bit forbids; `NotDirectory`, `IsDirectory`
/// and `NotEmpty` for what is replaced; `TooManyLinks` of the directory that gets a subdirectory.
pub fn decide(view: &View, request: &RenameRequest, context: &Context<'_>, busy: bool) -> FsResult<Decision> {
    let credentials = context.credentials;
    let from = searched(view, request.from_directory, credentials)?;
    let to = searched(view, request.to_directory, credentials)?;
    let source = view.entry(0).ok_or(FsError::NotFound)?;
    let case = Rename { from, to, source, target: view.entry(1) };
    if case.gives_parent() && view.ancestors.contains(&source.node.id) {
        return Err(FsError::Invalid);
    }
    let mut plan = Plan::at(context.now);
    if case.target.is_some_and(|target| target.node.id == source.node.id) {
        return Ok(Decision { plan, node: source.node.id });
    }
    case.check(credentials)?;
    case.require(&mut plan, request, view.topology, credentials);
    case.change(&mut plan, request, credentials, busy);
    Ok(Decision { plan, node: source.node.id })
}

fn from_key(request: &RenameRequest) -> EntryKey {
    EntryKey::child(request.from_directory, &request.from_name)
}

fn to_key(request: &RenameRequest) -> EntryKey {
    EntryKey::child(request.to_directory, &request.to_name)
}

struct Rename<'a> {
    from: &'a Node,
    to: &'a Node,
    source: &'a Found,
    target: Option<&'a Found>,
}

impl Rename<'_> {
    fn within_one_directory(&self) -> bool {
        self.from.id == self.to.id
    }

    fn moves_directory(&self) -> bool {
        self.source.node.kind == NodeKind::Directory
    }

    /// Whether a directory gets another parent.
    fn gives_parent(&self) -> bool {
        self.moves_directory() && !self.within_one_directory()
    }

    fn replaces_directory(&self) -> bool {
        self.target.is_some_and(|target| target.node.kind == NodeKind::Directory)
    }

    fn check(&self, credentials: &Credentials) -> FsResult<()> {
        let source = &*self.source.node;
        may_remove(self.from, source, credentials)?;
        may_add(self.to, source.kind, credentials)?;
        if let Some(target) = self.target {
            may_remove(self.to, &target.node, credentials)?;
            match (self.moves_directory(), self.replaces_directory()) {
                (true, false) => return Err(FsError::NotDirectory),
                (false, true) => return Err(FsError::IsDirectory),
                (true, true) | (false, false) => {}
            }
        }
        if self.gives_parent() {
            // Its ".." changes, which is an entry of its own.
            demand(&security(source), credentials, AccessMask::ADD_SUBDIRECTORY)?;
            if self.target.is_none() && self.to.links >= LINKS_MAX {
                return Err(FsError::TooManyLinks);
            }
        }
        match self.target {
            Some(target) if self.replaces_directory() && !target.empty => Err(FsError::NotEmpty),
            _ => Ok(()),
        }
    }

    fn require(&self, plan: &mut Plan, request: &RenameRequest, topology: u64, credentials: &Credentials) {
        let source = &*self.source.node;
        plan.require(Expectation::EntryIs { key: from_key(request), node: source.id, cookie: self.source.cookie });
        if self.target.is_none() {
            plan.require(Expectation::EntryAbsent(to_key(request)));
        }
        plan.require(Expectation::Linked(self.to.id));
        expect_permission(plan, self.from);
        if !self.within_one_directory() {
            expect_permission(plan, self.to);
        }
        if self.gives_parent() {
            plan.require(Expectation::ParentIs { node: source.id, parent: self.from.id });
            plan.require(Expectation::Topology(topology));
        }
        if self.gives_parent() || owner_mattered(self.from, credentials) {
            expect_permission(plan, source);
        }
    }

    fn change(&self, plan: &mut Plan, request: &RenameRequest, credentials: &Credentials, busy: bool) {
        let source = &*self.source.node;
        let cookie = self.source.cookie;
        if let Some(target) = self.target {
            take_name(plan, self.to, to_key(request), target, credentials, busy);
        }
        plan.change(Change::DeleteEntry(from_key(request)));
        plan.change(Change::InsertEntry { key: to_key(request), node: source.id, cookie });
        let parent = Some(Parent { directory: self.to.id, cookie });
        plan.change(Change::UpdateNode(source.id, NodeUpdate { parent, ..NodeUpdate::changed() }));

        let moved = i32::from(self.gives_parent());
        let replaced = i32::from(self.replaces_directory());
        if self.within_one_directory() {
            update_directory(plan, self.to, -replaced);
        } else {
            update_directory(plan, self.from, -moved);
            update_directory(plan, self.to, moved - replaced);
        }
        if self.gives_parent() {
            plan.change(Change::RaiseTopology);
        }
    }
}

fn update_directory(plan: &mut Plan, directory: &Node, subdirectories: i32) {
    let links = if subdirectories == 0 { LinkChange::Keep } else { LinkChange::Add(subdirectories) };
    plan.change(Change::UpdateNode(directory.id, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
}

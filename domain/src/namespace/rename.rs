//! RENAME (RFC 1813, 3.3.14; POSIX rename).

use super::{
    Context, Decision, LINKS_MAX, RenameRequest, Replace,
    directory::{expect_permission, may_add, may_remove, node_mattered, searched, security},
    unlink::take_name,
};
use crate::{
    access::{AccessMask, demand},
    credentials::Credentials,
    error::{FsError, FsResult},
    name::Name,
    node::{Node, NodeKind, Parent},
    plan::{Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, Plan, Query, View},
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(request: &RenameRequest) -> Query {
    let from = EntryKey::child(request.from_directory, &request.from_name);
    let mut query = Query::child(request.from_directory, from);
    query.entries.push(to_key(request));
    if request.from_directory != request.to_directory {
        query.nodes.push(request.to_directory);
        query.ancestors_of = Some(request.to_directory);
    }
    query
}

/// Gives an entry another name and place, and takes the name from what had it before. `busy` is about the node that
/// is replaced, as in [`super::remove::decide`]. Between two names of one node POSIX changes nothing; a caller that says
/// what it replaces ([`Replace::Only`]) has the old one go.
///
/// The entry keeps its cookie: inside one directory a listing would else meet it again and again.
///
/// Where names are taken in any case, the entry gets just the name asked for, and takes the place of one whose name
/// differs from that in case. It does not where only the case of its own name changes.
///
/// # Errors `Stale`, `NotDirectory` and `Access` of either directory; `NotFound`; `Exists` where the new name is
/// not to be taken from what has it; `Invalid` for a directory into its own subtree; `Access` to a moved directory;
/// `NotPermitted` where a sticky bit forbids; `NotDirectory`, `IsDirectory` and `NotEmpty` for what is replaced;
/// `TooManyLinks` of the directory that gets a subdirectory; `Io` for a count of links that can't be.
pub fn decide(view: &View, request: &RenameRequest, context: &Context<'_>, busy: bool) -> FsResult<Decision> {
    let credentials = context.credentials;
    let from = searched(view, request.from_directory, credentials)?;
    let to = searched(view, request.to_directory, credentials)?;
    let (name, source) = view.meant(0, &request.from_name).ok_or(FsError::NotFound)?;
    if request.node.is_some_and(|node| node != source.node.id) {
        return Err(FsError::NotFound);
    }
    let from_key = EntryKey::child(from.id, name);
    let case = Rename { from, to, from_key, source, target: replaced(view, request) };
    if case.gives_parent() && view.ancestors.contains(&source.node.id) {
        return Err(FsError::Invalid);
    }
    let mut plan = Plan::at(context.now);
    if case.changes_nothing(request.replace)? {
        return Ok(Decision { plan, node: source.node.id });
    }
    case.check(request.held, credentials)?;
    case.require(&mut plan, view, request, credentials);
    case.change(&mut plan, request, credentials, busy);
    Ok(Decision { plan, node: source.node.id })
}

/// The entry whose place the renamed one takes, which may be another name of the same node; and the name that it has.
pub fn replaced<'a>(view: &'a View, request: &'a RenameRequest) -> Option<(&'a Name, &'a Found)> {
    if changes_case_only(view, request) {
        return view.entry(1).map(|found| (&request.to_name, found));
    }
    view.meant(1, &request.to_name)
}

/// Whether the old and the new name are the same to whom names are taken in any case. Then the directory has as many
/// entries of that folded name afterwards as before, and it does not matter which others there are.
fn changes_case_only(view: &View, request: &RenameRequest) -> bool {
    let folded = |index: usize| view.folded.get(index).map(|folded| &folded.name);
    request.from_directory == request.to_directory && folded(0).is_some() && folded(0) == folded(1)
}

fn to_key(request: &RenameRequest) -> EntryKey {
    EntryKey::child(request.to_directory, &request.to_name)
}

struct Rename<'a> {
    from: &'a Node,
    to: &'a Node,
    from_key: EntryKey,
    source: &'a Found,
    target: Option<(&'a Name, &'a Found)>,
}

impl Rename<'_> {
    /// Whether both names already lead to the node, and shall.
    ///
    /// # Errors `Exists` if the new name is another node's that is not to lose it.
    fn changes_nothing(&self, replace: Replace) -> FsResult<bool> {
        let Some((name, target)) = self.target else { return Ok(false) };
        let is_same_entry = self.from_key == EntryKey::child(self.to.id, name);
        let has_both = target.node.id == self.source.node.id;
        match replace {
            _ if is_same_entry => Ok(true),
            Replace::Any => Ok(has_both),
            // Its count of links is damaged: it would go with the name.
            Replace::Only(_) if has_both && self.source.node.links < 2 => Err(FsError::Io),
            Replace::Only(node) if node == target.node.id => Ok(false),
            Replace::Nothing | Replace::Only(_) => Err(FsError::Exists),
        }
    }

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
        self.target.is_some_and(|(_, target)| target.node.kind == NodeKind::Directory)
    }

    fn check(&self, held: AccessMask, credentials: &Credentials) -> FsResult<()> {
        let source = &*self.source.node;
        if !held.contains(AccessMask::DELETE) {
            may_remove(self.from, source, credentials)?;
        }
        may_add(self.to, source.kind, credentials)?;
        if let Some((_, target)) = self.target {
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
            Some((_, target)) if self.replaces_directory() && !target.empty => Err(FsError::NotEmpty),
            _ => Ok(()),
        }
    }

    fn require(&self, plan: &mut Plan, view: &View, request: &RenameRequest, credentials: &Credentials) {
        let source = &*self.source.node;
        let cookie = self.source.cookie;
        plan.require(Expectation::EntryIs { key: self.from_key.clone(), node: source.id, cookie });
        match self.target {
            None if changes_case_only(view, request) => {
                plan.require(Expectation::EntryAbsent(to_key(request)));
            }
            None => {
                plan.require(view.absence(1, to_key(request)));
            }
            // The one that is taken away has another case.
            Some((name, _)) if *name != request.to_name => {
                plan.require(Expectation::EntryAbsent(to_key(request)));
            }
            Some(_) => {}
        }
        plan.require(Expectation::Linked(self.to.id));
        expect_permission(plan, self.from);
        if !self.within_one_directory() {
            expect_permission(plan, self.to);
        }
        if self.gives_parent() {
            plan.require(Expectation::ParentIs { node: source.id, parent: self.from.id });
            plan.require(Expectation::Topology(view.topology));
        }
        if self.gives_parent() || node_mattered(self.from, credentials) {
            expect_permission(plan, source);
        }
    }

    fn change(&self, plan: &mut Plan, request: &RenameRequest, credentials: &Credentials, busy: bool) {
        let source = &*self.source.node;
        let cookie = self.source.cookie;
        if let Some((name, target)) = self.target {
            take_name(plan, self.to, EntryKey::child(self.to.id, name), target, credentials, busy);
        }
        plan.change(Change::DeleteEntry(self.from_key.clone()));
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

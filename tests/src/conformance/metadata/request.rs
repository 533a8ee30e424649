//! Requests to the domain's real rules, in the three steps that interleave: look, decide, apply.

use dittofs_domain::{
    Cookie, Credentials, FsError, NodeId, Scale, Timestamp,
    content::map::{Facts, Truncation, truncate, truncate_query},
    namespace::{
        Context, CreateDecision, CreateHow, CreateRequest, Decision, Fresh, InitialAttributes, LinkRequest, NewKind,
        RemoveRequest, RenameRequest, Resize, SetAttributes, create, link, remove, rename, set_attributes,
    },
    plan::{Query, View},
};
use dittofs_ports::ApplyError;

use super::{Fixture, fixture::name};

/// A request of a client.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Create(CreateRequest),
    Link(LinkRequest),
    /// The flag: whether somebody has the node open.
    Remove(RemoveRequest, bool),
    Rename(RenameRequest),
    Set(NodeId, SetAttributes),
    /// The same by a caller that ignores the case of names.
    InAnyCase(Box<Request>),
}

/// A request with all that its decision rests on beside the view: the same however often it is decided.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) what: &'static str,
    pub(super) request: Request,
    pub(super) credentials: Credentials,
    pub(super) now: Timestamp,
    pub(super) fresh: Fresh,
}

/// How a request ended.
pub(super) type Outcome = Result<(), FsError>;

/// Tries after which a request that always conflicts is a fault.
const TRIES_MAX: usize = 1_000;

impl Act {
    /// Reads what the rule must see.
    pub(super) async fn look(&self, fixture: &Fixture) -> View {
        let (request, ignores) = match &self.request {
            Request::InAnyCase(request) => (&**request, true),
            request => (request, false),
        };
        let query = match request {
            Request::Create(request) => create::query(request),
            Request::Link(request) => link::query(request),
            Request::Remove(request, _) => remove::query(request),
            Request::Rename(request) => rename::query(request),
            Request::Set(node, request) => {
                let node = *node;
                let known = request.size.zip(fixture.node(node).await);
                let map = known.map(|(size, found)| truncate_query(&Facts::of(&found, &Scale::PRODUCTION), size));
                Query { map, ..set_attributes::query(node) }
            }
            Request::InAnyCase(_) => panic!("a caller ignores case or not"),
        };
        fixture.view(if ignores { query.in_any_case() } else { query }).await
    }

    /// Returns the decision of the rule.
    pub(super) fn decide(&self, view: &View) -> Result<Decision, FsError> {
        self.decide_on(view, &self.request)
    }

    fn decide_on(&self, view: &View, request: &Request) -> Result<Decision, FsError> {
        let context = Context { credentials: &self.credentials, now: self.now };
        match request {
            // The view says it.
            Request::InAnyCase(request) => self.decide_on(view, request),
            Request::Create(request) => match create::decide(view, request, &context, self.fresh)? {
                CreateDecision::New(decision) => Ok(decision),
                CreateDecision::Existing { node, .. } => Ok(Decision { plan: Default::default(), node: node.id }),
            },
            Request::Link(request) => link::decide(view, request, &context, self.fresh),
            Request::Remove(request, open) => remove::decide(view, request, &context, *open),
            Request::Rename(request) => rename::decide(view, request, &context, false),
            Request::Set(node, request) => {
                let resize = request.size.map(|size| resize(view, *node, size)).transpose()?;
                set_attributes::decide(view, *node, request, None, &context, resize)
            }
        }
    }

    /// Decides on a view and applies; looks and decides again for as long as that conflicts.
    pub(super) async fn decide_and_apply(&self, fixture: &Fixture, mut view: View) -> Outcome {
        for _ in 0..TRIES_MAX {
            let decision = self.decide(&view)?;
            if decision.plan.changes.is_empty() {
                return Ok(());
            }
            match fixture.try_apply(decision.plan).await {
                Ok(_) => return Ok(()),
                Err(ApplyError::Conflict) => view = self.look(fixture).await,
                Err(error) => panic!("{}: {error:?}", self.what),
            }
        }
        panic!("{} conflicts for ever", self.what)
    }

    /// All three steps.
    pub(super) async fn run(&self, fixture: &Fixture) -> Outcome {
        let view = self.look(fixture).await;
        self.decide_and_apply(fixture, view).await
    }
}

/// Returns the changes of the map for another size, as the application asks the rules for them.
fn resize(view: &View, node: NodeId, size: u64) -> Result<Resize, FsError> {
    let facts = Facts::of(view.node(node)?, &Scale::PRODUCTION);
    match truncate(&view.map, &facts, size)? {
        Truncation::Edit(edit) => Ok(Resize {
            replay: Default::default(),
            changes: edit.changes,
            allocated: edit.allocated,
            pending_truncation: edit.pending_truncation,
            raises_content_version: true,
        }),
        Truncation::ReapFirst => Err(FsError::Busy),
    }
}

pub(super) fn fresh(fixture: &Fixture) -> Fresh {
    Fresh { node: NodeId(fixture.number()), cookie: Cookie(fixture.number()), scale: Scale::PRODUCTION, holder: None }
}

fn new(directory: NodeId, text: &str, kind: NewKind, how: CreateHow) -> CreateRequest {
    let attributes = InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() };
    CreateRequest { directory, name: name(text), kind, attributes, how }
}

pub(super) fn new_file(directory: NodeId, text: &str) -> CreateRequest {
    new(directory, text, NewKind::File, CreateHow::Guarded)
}

pub(super) fn new_directory(directory: NodeId, text: &str) -> CreateRequest {
    new(directory, text, NewKind::Directory, CreateHow::Guarded)
}

pub(super) fn new_symlink(directory: NodeId, text: &str) -> CreateRequest {
    new(directory, text, NewKind::Symlink((*b"target").into()), CreateHow::Guarded)
}

pub(super) fn unchecked(directory: NodeId, text: &str) -> CreateRequest {
    new(directory, text, NewKind::File, CreateHow::Unchecked)
}

pub(super) fn exclusive(directory: NodeId, text: &str, verifier: u8) -> CreateRequest {
    new(directory, text, NewKind::File, CreateHow::Exclusive([verifier; 8]))
}

//! Calls, and a store with a clock that they are made on.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, Credentials, Name, Node, NodeId, Scale, Timestamp,
    content::{MapRow, PAGE_BYTES},
    error::FsResult,
    namespace::{
        Context, CreateDecision, CreateHow, CreateRequest, Decision, Fresh, InitialAttributes, LinkRequest, NewKind,
        RemoveKind, RemoveRequest, RenameRequest, Replace, Resize, SetAttributes, create, link, remove, rename,
        set_attributes,
    },
    plan::{Change, EntryKey, Plan},
};

use crate::store::Store;

pub(crate) const ROOT: NodeId = NodeId::ROOT;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a valid name")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0).expect("a valid time")
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Create(CreateRequest),
    Link(LinkRequest),
    Remove(RemoveRequest),
    Rename(RenameRequest),
    Set(NodeId, SetAttributes),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) op: Op,
    pub(crate) credentials: Credentials,
    pub(crate) busy: bool,
}

/// Reads what the rule asks for and lets it decide. An existing file that a create takes is a decision without a plan.
pub(crate) fn decide(store: &Store, call: &Call, now: Timestamp, fresh: Fresh) -> FsResult<Decision> {
    let context = Context { credentials: &call.credentials, now };
    match &call.op {
        Op::Create(request) => match create::decide(&store.view(&create::query(request)), request, &context, fresh)? {
            CreateDecision::New(decision) => Ok(decision),
            CreateDecision::Existing { node, .. } => Ok(Decision { plan: Plan::at(now), node: node.id }),
        },
        Op::Link(request) => link::decide(&store.view(&link::query(request)), request, &context, fresh),
        Op::Remove(request) => remove::decide(&store.view(&remove::query(request)), request, &context, call.busy),
        Op::Rename(request) => rename::decide(&store.view(&rename::query(request)), request, &context, call.busy),
        Op::Set(node, request) => {
            let resize = request.size.map(|size| resize(*node, size));
            let view = store.view(&set_attributes::query(*node));
            set_attributes::decide(&view, *node, request, None, &context, resize)
        }
    }
}

/// A resize to nothing but a hole.
pub(crate) fn resize(node: NodeId, size: u64) -> Resize {
    let row = MapRow::Holes { version: Default::default(), pages: size.div_ceil(PAGE_BYTES) };
    let change = if size > 0 { Change::PutRow { node, page: 0, row } } else { Change::DeleteRow { node, page: 0 } };
    Resize { changes: vec![change], raises_content_version: true, ..Resize::default() }
}

/// A store, a clock that ticks once a call, and an allocator.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) seconds: i64,
    pub(crate) next: u64,
}

impl World {
    pub(crate) fn new() -> World {
        World { store: Store::new(), seconds: 1_000, next: NodeId::FIRST_FREE.0 }
    }

    pub(crate) fn fresh(&mut self) -> Fresh {
        self.next += 2;
        Fresh { node: NodeId(self.next - 2), cookie: Cookie(self.next - 1), scale: Scale::PRODUCTION, holder: None }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.store.nodes[&id]
    }

    pub(crate) fn exists(&self, id: NodeId) -> bool {
        self.store.nodes.contains_key(&id)
    }

    pub(crate) fn entry(&self, directory: NodeId, at: &str) -> Option<NodeId> {
        self.store.entries.get(&EntryKey::child(directory, &name(at))).map(|(node, _)| *node)
    }

    /// Changes a node behind the rules' back.
    pub(crate) fn tamper(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        change(Arc::make_mut(self.store.nodes.get_mut(&id).expect("a node to tamper with")));
    }

    /// Decides, applies what was decided, and checks the state afterwards.
    pub(crate) fn call(&mut self, call: &Call) -> FsResult<Decision> {
        self.seconds += 1;
        let fresh = self.fresh();
        let decision = decide(&self.store, call, at(self.seconds), fresh)?;
        self.store.apply(&decision.plan).expect("expectations hold in the view that they come from");
        self.store.check();
        Ok(decision)
    }

    pub(crate) fn run(&mut self, who: &Credentials, op: Op) -> FsResult<NodeId> {
        Ok(self.call(&Call { op, credentials: who.clone(), busy: false })?.node)
    }

    pub(crate) fn run_busy(&mut self, who: &Credentials, op: Op) -> FsResult<NodeId> {
        Ok(self.call(&Call { op, credentials: who.clone(), busy: true })?.node)
    }

    pub(crate) fn make(&mut self, who: &Credentials, directory: NodeId, at: &str, kind: NewKind) -> FsResult<NodeId> {
        let attributes = InitialAttributes { mode: Some(0o755), ..Default::default() };
        self.run(who, create_op(directory, at, kind, attributes, CreateHow::Guarded))
    }

    pub(crate) fn file(&mut self, who: &Credentials, directory: NodeId, at: &str) -> NodeId {
        self.make(who, directory, at, NewKind::File).expect("a new file")
    }

    pub(crate) fn mkdir(&mut self, who: &Credentials, directory: NodeId, at: &str) -> NodeId {
        self.make(who, directory, at, NewKind::Directory).expect("a new directory")
    }

    pub(crate) fn chmod(&mut self, node: NodeId, mode: u16) {
        let request = SetAttributes { mode: Some(mode), ..Default::default() };
        self.run(&Credentials::root(), Op::Set(node, request)).expect("root may");
    }

    pub(crate) fn link(&mut self, who: &Credentials, node: NodeId, directory: NodeId, at: &str) -> FsResult<NodeId> {
        self.run(who, Op::Link(LinkRequest { node, directory, name: name(at) }))
    }

    pub(crate) fn unlink(&mut self, who: &Credentials, directory: NodeId, at: &str) -> FsResult<NodeId> {
        self.run(who, remove_op(directory, at, RemoveKind::NotDirectory))
    }

    pub(crate) fn rmdir(&mut self, who: &Credentials, directory: NodeId, at: &str) -> FsResult<NodeId> {
        self.run(who, remove_op(directory, at, RemoveKind::Directory))
    }

    pub(crate) fn rename(&mut self, who: &Credentials, from: (NodeId, &str), to: (NodeId, &str)) -> FsResult<NodeId> {
        self.run(who, rename_op(from, to))
    }

    pub(crate) fn set(&mut self, who: &Credentials, node: NodeId, request: SetAttributes) -> FsResult<NodeId> {
        self.run(who, Op::Set(node, request))
    }
}

pub(crate) fn create_op(
    directory: NodeId,
    at: &str,
    kind: NewKind,
    attributes: InitialAttributes,
    how: CreateHow,
) -> Op {
    Op::Create(CreateRequest { directory, name: name(at), kind, attributes, how })
}

pub(crate) fn remove_op(directory: NodeId, at: &str, kind: RemoveKind) -> Op {
    Op::Remove(RemoveRequest { directory, name: name(at), kind })
}

pub(crate) fn exact_rename_op(
    from: (NodeId, &str),
    to: (NodeId, &str),
    (node, replace): (Option<NodeId>, Replace),
) -> Op {
    let request = RenameRequest::new((from.0, name(from.1)), (to.0, name(to.1)));
    Op::Rename(RenameRequest { node, replace, ..request })
}

pub(crate) fn rename_op(from: (NodeId, &str), to: (NodeId, &str)) -> Op {
    Op::Rename(RenameRequest::new((from.0, name(from.1)), (to.0, name(to.1))))
}

/// Owner of most things in these tests: user 1000, group 100.
pub(crate) fn alice() -> Credentials {
    Credentials::user(1_000, 100)
}

/// Another user, in another group.
pub(crate) fn bob() -> Credentials {
    Credentials::user(1_001, 101)
}

/// Another user, but in Alice's group too.
pub(crate) fn carol() -> Credentials {
    Credentials { groups: [100].into_iter().collect(), ..Credentials::user(1_002, 102) }
}

pub(crate) fn root() -> Credentials {
    Credentials::root()
}

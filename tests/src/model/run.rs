//! Runs a sequence against the model and against the services.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use dittofs_domain::{
    Attributes, Cookie, Credentials, Name, NodeId, NodeKind, Timestamp,
    access::AccessMask,
    error::{FsError, FsResult},
    namespace::{CreateRequest, LinkRequest, RemoveKind, RemoveRequest, RenameRequest, SetAttributes},
};
use dittofs_ports::{
    AdminService, BlockService, Caller, Changed, ListRequest, LookupName, MetadataService, WriteVerifier,
};

use super::{Model, Op, Random, Step, check::Seen, permission, steps::Pick};
use crate::world::{SteppedClock, World, caller};

/// After so many steps contents and listings are compared.
const COMPARE_EVERY: usize = 16;

/// How often each operation had each result.
pub type Outcomes = BTreeMap<String, u64>;

/// The result of a comparison: the difference that was found, if any.
pub(super) type Compared = Result<(), String>;

pub(super) struct Runner<'w> {
    pub(super) world: &'w World,
    pub(super) model: Model,
    pub(super) seen: HashMap<NodeId, Seen>,
    callers: Vec<Caller>,
    /// All nodes that there ever were.
    known: Vec<NodeId>,
    verifier: Option<WriteVerifier>,
    outcomes: Outcomes,
    /// State that is left of earlier lives of the share.
    past: Past,
    /// Whether the share was opened again, and nothing has been looked at since.
    pub(super) is_reopened: bool,
}

/// State that is known of a share from lives that are over.
#[derive(Default)]
pub struct Past {
    rest: Option<Rest>,
    /// Write verifiers that must not come again.
    verifiers: Vec<WriteVerifier>,
    steps: usize,
}

struct Rest {
    model: Model,
    seen: HashMap<NodeId, Seen>,
    known: Vec<NodeId>,
    outcomes: Outcomes,
}

/// Runs the steps on a new share, and counts what came of them.
///
/// # Errors
/// Where the system and the model differ, or the system lost something.
pub async fn run(world: &World, steps: &[Step]) -> Result<Outcomes, String> {
    let past = live(world, Past::default(), steps).await?;
    end(world, past).await
}

/// Compares the share with what is known of it, and runs the steps on it.
///
/// # Errors
/// As for [`run`].
pub async fn live(world: &World, past: Past, steps: &[Step]) -> Result<Past, String> {
    let mut runner = Runner::new(world, past);
    runner.compare().await.map_err(|what| format!("after the opening: {what}"))?;
    for step in steps {
        let number = runner.past.steps;
        let at = |what: String| format!("step {number}, {step:?}: {what}");
        runner.step(step).await.map_err(at)?;
        runner.check_attributes().await.map_err(at)?;
        if number % COMPARE_EVERY == COMPARE_EVERY - 1 {
            runner.check_contents(false).await.map_err(at)?;
            runner.check_listings().await.map_err(at)?;
        }
        runner.past.steps += 1;
    }
    Ok(runner.rest())
}

/// Compares everything once more, removes it, and counts what came of all steps.
///
/// # Errors
/// As for [`run`].
pub async fn end(world: &World, past: Past) -> Result<Outcomes, String> {
    let mut runner = Runner::new(world, past);
    runner.finish().await.map_err(|what| format!("at the end: {what}"))?;
    Ok(runner.outcomes)
}

/// Says what differs.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, system: &T, model: &T) -> Compared {
    if system == model { Ok(()) } else { Err(format!("{what}: the system says {system:?}, the model {model:?}")) }
}

impl<'w> Runner<'w> {
    fn new(world: &'w World, mut past: Past) -> Runner<'w> {
        let user = |uid, groups: &[u32]| Credentials { groups: groups.into(), ..Credentials::user(uid, uid) };
        let credentials = [Credentials::root(), user(1_001, &[]), user(1_002, &[]), user(1_003, &[1_001])];
        let new = || Rest {
            model: Model::new(SteppedClock::START),
            seen: HashMap::new(),
            known: vec![NodeId::ROOT],
            outcomes: Outcomes::new(),
        };
        let Rest { model, seen, known, outcomes } = past.rest.take().unwrap_or_else(new);
        let callers = credentials.into_iter().map(caller).collect();
        let is_reopened = past.steps > 0;
        Runner { world, model, seen, callers, known, verifier: None, outcomes, past, is_reopened }
    }

    fn rest(mut self) -> Past {
        self.past.verifiers.extend(self.verifier);
        let Runner { model, seen, known, outcomes, .. } = self;
        Past { rest: Some(Rest { model, seen, known, outcomes }), ..self.past }
    }

    /// Everything, without changing anything.
    async fn compare(&mut self) -> Compared {
        self.check_attributes().await?;
        self.is_reopened = false;
        self.check_listings().await?;
        self.check_contents(false).await
    }

    /// There is one verifier a life, and it is a new one.
    fn check_verifier(&mut self, verifier: WriteVerifier) -> Compared {
        same("a verifier of an earlier life", &self.past.verifiers.contains(&verifier), &false)?;
        same("verifier", &verifier, self.verifier.get_or_insert(verifier))
    }

    /// Compares and counts the results of an operation.
    pub(super) fn answers<T, U: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        system: &FsResult<T>,
        model: &FsResult<U>,
        shown: impl FnOnce(&T) -> U,
    ) -> Compared {
        let system = system.as_ref().map(shown).map_err(|error| *error);
        let outcome = system.as_ref().map_or_else(|error| format!("{what} {error:?}"), |_| format!("{what} Ok"));
        *self.outcomes.entry(outcome).or_default() += 1;
        same(what, &system, model)
    }

    pub(super) fn root(&self) -> &Caller {
        &self.callers[0]
    }

    async fn step(&mut self, step: &Step) -> Compared {
        use dittofs_ports::Clock;
        self.world.clock.step(step.clock);
        self.model.now = self.world.clock.now();
        let who = self.callers[step.caller].clone();
        match &step.op {
            Op::Create { .. } | Op::Link { .. } | Op::Remove { .. } | Op::Rename { .. } => {
                self.change_names(&who, &step.op).await
            }
            Op::SetAttributes { node, request, guard } => self.set_attributes(&who, *node, request, *guard).await,
            Op::Write { node, offset, length, seed, .. } => {
                let data = Random::new(*seed).bytes(*length);
                let node = self.file(*node);
                self.write(&who, &step.op, node, *offset, data).await
            }
            Op::Commit(node) => {
                let node = self.file(*node);
                self.commit(&who, node).await
            }
            Op::Flush => same("flush", &self.world.services.flush().await, &Ok(())),
            Op::Pass(ms) => {
                self.world.pass(Duration::from_millis(*ms)).await;
                Ok(())
            }
            Op::Punch { .. } | Op::Allocate { .. } | Op::Seek { .. } | Op::Ranges { .. } | Op::Clone { .. } => {
                self.sparse(&who, &step.op).await
            }
            asks => self.ask(&who, asks).await,
        }
    }

    async fn change_names(&mut self, who: &Caller, op: &Op) -> Compared {
        let share = Arc::clone(&self.world.share);
        match op {
            Op::Create { directory, name, kind, how, attributes } => {
                let directory = self.directory(*directory);
                let name = self.name(directory, *name);
                let request = CreateRequest { directory, name, kind: kind.clone(), attributes: *attributes, how: *how };
                self.create(who, &request).await
            }
            Op::Link { node, directory, name } => {
                let (node, directory) = (self.any(*node), self.directory(*directory));
                let request = LinkRequest { node, directory, name: self.name(directory, *name) };
                let system = share.link(who, &request, None).await;
                let model = self.model.link(&request, &who.credentials);
                self.answers("link", &system, &model, |_| ())?;
                self.check_changed(directory, system.ok().map(|linked| linked.directory)).await
            }
            Op::Remove { directory, name, is_directory } => {
                let directory = self.directory(*directory);
                let name = self.name(directory, *name);
                let kind = if *is_directory { RemoveKind::Directory } else { RemoveKind::NotDirectory };
                let request = RemoveRequest { directory, name, kind };
                let system = share.remove(who, &request, None).await;
                let model = self.model.remove(&request, &who.credentials);
                self.answers("remove", &system, &model, |_| ())?;
                self.check_changed(directory, system.ok()).await
            }
            Op::Rename { from, from_name, to, to_name } => {
                let (from_directory, to_directory) = (self.directory(*from), self.directory(*to));
                let from_name = self.name(from_directory, *from_name);
                let to_name = self.name(to_directory, *to_name);
                let request = RenameRequest::new((from_directory, from_name), (to_directory, to_name));
                let system = share.rename(who, &request, None).await;
                let model = self.model.rename(&request, &who.credentials);
                self.answers("rename", &system, &model, |_| ())?;
                let Ok(renamed) = system else { return Ok(()) };
                self.check_changed(from_directory, Some(renamed.from_directory)).await?;
                self.check_changed(to_directory, Some(renamed.to_directory)).await
            }
            _ => Ok(()),
        }
    }

    async fn create(&mut self, who: &Caller, request: &CreateRequest) -> Compared {
        let system = self.world.share.create(who, request, None).await;
        let id = system.as_ref().map_or(NodeId(0), |created| created.node.node);
        let model = self.model.create(request, &who.credentials, id);
        self.answers("create", &system, &model, |created| (created.node.node, created.new))?;
        let Ok(created) = system else { return Ok(()) };
        if created.new {
            same("a number used again", &self.known.contains(&id), &false)?;
            self.known.push(id);
        }
        self.check_reply(id, &created.node).await?;
        self.check_changed(request.directory, Some(created.directory)).await
    }

    async fn set_attributes(
        &mut self,
        who: &Caller,
        node: Pick,
        request: &SetAttributes,
        guard: Option<bool>,
    ) -> Compared {
        let node = if request.size.is_some() { self.file(node) } else { self.any(node) };
        let shown = self.seen.get(&node).map_or(Timestamp::EPOCH, |seen| seen.attributes.ctime);
        let guard_time = guard.map(|matches| if matches { shown } else { shown.next() });
        let request = SetAttributes { guard: guard_time, ..request.clone() };
        let system = self.world.share.set_attributes(who, node, &request, None).await;
        let model = self.model.set_attributes(node, &request, guard.unwrap_or(true), &who.credentials);
        self.answers("set_attributes", &system, &model, |_| ())?;
        self.check_changed(node, system.ok()).await
    }

    async fn write(&mut self, who: &Caller, op: &Op, node: NodeId, offset: u64, data: Vec<u8>) -> Compared {
        let Op::Write { stability, .. } = op else { return Ok(()) };
        let model = self.model.write(node, offset, &data, &who.credentials);
        let count = data.len() as u32;
        let system = self.world.share.write(who, node, offset, data.into(), *stability).await;
        self.answers("write", &system, &model.map(|()| count), |reply| reply.count)?;
        let Ok(reply) = system else { return Ok(()) };
        same("stability", &(reply.stability >= *stability), &true)?;
        self.check_verifier(reply.verifier)?;
        self.check_changed(node, Some(reply.file)).await
    }

    async fn commit(&mut self, who: &Caller, node: NodeId) -> Compared {
        let system = self.world.share.commit(who, node).await;
        let model = self.model.node(node).and_then(|node| node.writable(&who.credentials));
        self.answers("commit", &system, &model, |_| ())?;
        let Ok(reply) = system else { return Ok(()) };
        self.check_verifier(reply.verifier)?;
        self.check_changed(node, Some(reply.file)).await
    }

    async fn ask(&mut self, who: &Caller, op: &Op) -> Compared {
        let share = Arc::clone(&self.world.share);
        match op {
            Op::Lookup { directory, name } => {
                let directory = self.directory(*directory);
                let name = match name % 16 {
                    5 => LookupName::This,
                    6 => LookupName::Parent,
                    _ => LookupName::Child(self.name(directory, *name)),
                };
                let system = share.lookup(who, directory, &name).await;
                let model = self.model.lookup(directory, &name, &who.credentials);
                self.answers("lookup", &system, &model, |found| found.node.node)
            }
            Op::Access(node) => {
                let node = self.any(*node);
                let system = share.access(who, node).await;
                let model = self.model.node(node).map(|node| (node.kind, rights(node, &who.credentials)));
                let compared = model.map(|(kind, _)| asked(kind)).unwrap_or_default();
                self.answers("access", &system, &model.map(|(_, mask)| mask & compared), |(mask, _)| *mask & compared)
            }
            Op::ReadLink(node) => {
                let node = self.pick_of(*node, |kind| kind == NodeKind::Symlink);
                let system = share.read_link(who, node).await;
                let target = |node: &super::ModelNode| match node.kind {
                    NodeKind::Symlink => Ok(node.target.clone()),
                    _ => Err(FsError::Invalid),
                };
                let model = self.model.node(node).and_then(target);
                self.answers("read_link", &system, &model, |(target, _)| target.to_vec())
            }
            Op::List { directory, page } => {
                let directory = self.directory(*directory);
                let system = self.list(who, directory, *page).await;
                let model = self.model.list(directory, &who.credentials).map(|node| {
                    let mut all: Vec<_> = node.entries.clone().into_iter().collect();
                    all.sort();
                    all
                });
                self.answers("list", &system, &model, Vec::clone)
            }
            Op::Read { node, offset, length } => {
                let node = self.file(*node);
                let system = share.read(who, node, *offset, *length).await;
                let system = system.map(|reply| (reply.data.concat(), reply.end_of_file));
                let model = self.model.read(node, *offset, *length, &who.credentials);
                if system != model {
                    return Err(format!("read: {}", difference(system, model)));
                }
                self.answers("read", &system.map(|_| ()), &model.map(|_| ()), |()| ())
            }
            _ => Ok(()),
        }
    }

    /// All entries of a directory, page by page, sorted by name.
    pub(super) async fn list(&self, who: &Caller, directory: NodeId, page: usize) -> FsResult<Vec<(Name, NodeId)>> {
        let (mut all, mut after) = (Vec::new(), Cookie::START);
        loop {
            let request = ListRequest { directory, after, entries_max: page, with_attributes: page.is_multiple_of(2) };
            let reply = self.world.share.list(who, &request).await?;
            for entry in &reply.entries {
                assert!(entry.cookie > after, "cookies rise");
                after = entry.cookie;
                all.push((entry.name.clone(), entry.node));
            }
            if reply.complete {
                all.sort();
                return Ok(all);
            }
            assert!(!reply.entries.is_empty() && all.len() < 10_000, "a listing ends");
        }
    }

    pub(super) async fn check_changed(&mut self, node: NodeId, changed: Option<Changed>) -> Compared {
        let Some(changed) = changed else { return Ok(()) };
        if let (Some(before), Some(seen)) = (&changed.before, self.seen.get(&node)) {
            let was = &seen.attributes;
            let shown = (was.size, was.mtime, was.ctime, was.change);
            same("attributes before", &(before.size, before.mtime, before.ctime, before.change), &shown)?;
        }
        self.check_reply(node, &changed.after).await
    }

    /// Checks that the attributes in a reply are the node's. How much it uses may change by itself.
    async fn check_reply(&self, node: NodeId, reply: &Attributes) -> Compared {
        let now = self.world.share.attributes(self.root(), node).await;
        let now = now.map(|now| Attributes { used: reply.used, ..now });
        same("attributes of a reply", &Ok(reply.clone()), &now)
    }

    fn pick_of(&self, pick: Pick, fits: impl Fn(NodeKind) -> bool) -> NodeId {
        // A node that does not fit, or is no longer there, now and then.
        let all = || self.known[pick as usize / 16 % self.known.len()];
        if pick.is_multiple_of(16) {
            return all();
        }
        let live: Vec<NodeId> = self.model.nodes.iter().filter(|(_, n)| fits(n.kind)).map(|(id, _)| *id).collect();
        if live.is_empty() { all() } else { live[pick as usize / 16 % live.len()] }
    }

    fn any(&self, pick: Pick) -> NodeId {
        self.pick_of(pick, |_| true)
    }

    fn directory(&self, pick: Pick) -> NodeId {
        self.pick_of(pick, |kind| kind == NodeKind::Directory)
    }

    pub(super) fn file(&self, pick: Pick) -> NodeId {
        self.pick_of(pick, |kind| kind == NodeKind::File)
    }

    /// A name that is there, or one of a few.
    fn name(&self, directory: NodeId, pick: Pick) -> Name {
        let number = pick as usize / 4;
        let entries = self.model.nodes.get(&directory).map(|node| &node.entries).filter(|all| !all.is_empty());
        match entries {
            Some(entries) if pick % 4 != 3 => entries.keys().nth(number % entries.len()).unwrap().clone(),
            _ if number % 10 == 9 => Name::new(&[b'n'; 255]).unwrap(),
            _ => Name::new(format!("name{}", number % 10).as_bytes()).unwrap(),
        }
    }
}

/// The rights that the model knows.
fn asked(kind: NodeKind) -> AccessMask {
    let all = AccessMask::READ_DATA | AccessMask::WRITE_DATA | AccessMask::APPEND_DATA | AccessMask::EXECUTE;
    if kind == NodeKind::Directory { all | AccessMask::DELETE_CHILD } else { all }
}

fn rights(node: &super::ModelNode, who: &Credentials) -> AccessMask {
    let mut mask = AccessMask::empty();
    mask.set(AccessMask::READ_DATA, node.lets(who, permission::READ));
    let changes = AccessMask::WRITE_DATA | AccessMask::APPEND_DATA | AccessMask::DELETE_CHILD;
    mask.set(changes, node.lets(who, permission::WRITE));
    mask.set(AccessMask::EXECUTE, node.lets(who, permission::EXECUTE));
    mask
}

/// Where two answers to a read differ.
pub(super) fn difference(system: FsResult<(Vec<u8>, bool)>, model: FsResult<(Vec<u8>, bool)>) -> String {
    let (Ok((a, a_end)), Ok((b, b_end))) = (&system, &model) else {
        let brief = |answer: FsResult<(Vec<u8>, bool)>| answer.map(|(bytes, end)| (bytes.len(), end));
        return format!("the system says {:?}, the model {:?}", brief(system), brief(model));
    };
    let at = a.iter().zip(b).position(|(a, b)| a != b);
    format!("{} and {} bytes, end {a_end} and {b_end}, first difference at {at:?}", a.len(), b.len())
}

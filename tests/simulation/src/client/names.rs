//! Operations on names.

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    error::FsError,
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
    },
};
use dittofs_ports::{Changed, ListRequest, LookupName, MetadataService};

use super::{Answer, Client};
use crate::{
    oracle::{Oracle, Target, Window},
    world::{Running, SHARE, Seen, name, number},
};

type Names = Vec<(NodeId, u8)>;

impl Client {
    pub(super) async fn create(&mut self, running: &Running) -> Names {
        let ((directory, handle), called, kind) = (self.directory(), self.name(), self.kind());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let window = self.begin();
        self.world.oracle.lock().tree.entry(directory, called).begin(window.op, Target::MadeBy(window.op));
        let target = format!("target {}", window.op);
        let how = match self.random.below(3) {
            0 if kind == NodeKind::File => CreateHow::Unchecked,
            _ => CreateHow::Guarded,
        };
        let request = CreateRequest {
            directory,
            name: name(called),
            kind: match kind {
                NodeKind::Directory => NewKind::Directory,
                NodeKind::Symlink => NewKind::Symlink(target.as_bytes().into()),
                _ => NewKind::File,
            },
            attributes: InitialAttributes {
                mode: Some(if kind == NodeKind::Directory { 0o755 } else { 0o644 }),
                ..InitialAttributes::default()
            },
            how,
        };
        let (op, client) = (self.op_id(), self.number);
        let answer = self.call(running, "create", async || {
            let (of, caller) = running.node(&handle, client)?;
            running.services.create(&caller, of.share, &request, op).await
        });
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(created) if created.new => {
                let node = created.node.node;
                self.world.learn(node, kind);
                self.changed(&created.directory, seen, true);
                self.shown_durably(&created.node);
                self.made(directory, called, node, window, &target);
            }
            Answer::Done(created) => {
                let mut oracle = self.world.oracle.lock();
                let entry = oracle.tree.entry(directory, called);
                let there = entry.since(window.start).any(|target| *target == Target::Node(created.node.node));
                // An earlier attempt may have made it.
                let own = entry.since(window.start).any(|target| matches!(target, Target::MadeBy(_)));
                entry.refuse(window.op);
                if !there && own && !oracle.nodes.contains_key(&created.node.node) {
                    drop(oracle);
                    self.world.learn(created.node.node, kind);
                    self.made(directory, called, created.node.node, window, &target);
                    return names;
                }
                oracle.end(window);
                drop(oracle);
                if !there || how != CreateHow::Unchecked {
                    self.world.fail_answer("a creation found what is not there", window, &created);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::Exists => has_something(oracle, directory, called, window),
                    FsError::Stale => oracle.tree.may_be_gone(directory, window.start),
                    _ => false,
                };
                self.names_refused("a creation", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    fn made(&self, directory: NodeId, called: u8, node: NodeId, window: Window, target: &str) {
        let mut oracle = self.world.oracle.lock();
        let may_be_gone = !oracle.tree.may_be_linked(directory, window.start);
        let entry = oracle.tree.entry(directory, called);
        let was_free =
            entry.since(window.start).any(|target| *target == Target::Nothing || matches!(target, Target::MadeBy(_)));
        entry.refuse(window.op);
        entry.begin(window.op, Target::Node(node));
        if let Some(model) = oracle.nodes.get_mut(&node) {
            model.target = target.as_bytes().to_vec();
        }
        settle(&mut oracle, &[(directory, called)], window);
        drop(oracle);
        if !was_free || may_be_gone {
            self.world.fail_answer("a creation succeeds where the name is taken or the directory gone", window, &node);
        }
    }

    pub(super) async fn remove(&mut self, running: &Running) -> Names {
        let ((directory, handle), called) = (self.directory(), self.name());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let (window, is_directory) = {
            let mut oracle = self.world.oracle.lock();
            let window = oracle.begin();
            let kinds = kinds(&mut oracle, directory, called, window);
            oracle.tree.entry(directory, called).begin(window.op, Target::Nothing);
            let likely = kinds.contains(&Some(NodeKind::Directory));
            (window, likely != self.random.percent(10))
        };
        let kind = if is_directory { RemoveKind::Directory } else { RemoveKind::NotDirectory };
        let request = RemoveRequest { directory, name: name(called), kind };
        let (op, client) = (self.op_id(), self.number);
        let answer = self.call(running, "remove", async || {
            let (of, caller) = running.node(&handle, client)?;
            running.services.remove(&caller, of.share, &request, op).await
        });
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(changed) => {
                self.changed(&changed, seen, true);
                let mut oracle = self.world.oracle.lock();
                let fits = targets(&mut oracle, directory, called, window).into_iter().any(|target| match target {
                    Target::Node(node) if is_directory => oracle.tree.may_be_empty(node, window.start),
                    target => target != Target::Nothing,
                });
                settle(&mut oracle, &names, window);
                drop(oracle);
                if !fits {
                    self.world.fail_answer("a removal of what is not there or not empty succeeds", window, &request);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::NotFound => had_nothing(oracle, directory, called, window),
                    FsError::Stale => oracle.tree.may_be_gone(directory, window.start),
                    FsError::IsDirectory => has_kind(oracle, directory, called, window, true),
                    FsError::NotDirectory => has_kind(oracle, directory, called, window, false),
                    FsError::NotEmpty => may_be_full(oracle, directory, called, window),
                    _ => false,
                };
                self.names_refused("a removal", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    pub(super) async fn rename(&mut self, running: &Running) -> Names {
        let ((from, from_handle), from_name) = (self.directory(), self.name());
        let ((to, to_handle), to_name) =
            if self.random.percent(50) { ((from, from_handle), self.name()) } else { (self.directory(), self.name()) };
        let mut names = vec![(from, from_name), (to, to_name)];
        names.dedup();
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(from);
        let window = {
            let mut oracle = self.world.oracle.lock();
            let window = oracle.begin();
            let moved = targets(&mut oracle, from, from_name, window);
            if names.len() == 2 {
                oracle.tree.entry(from, from_name).begin(window.op, Target::Nothing);
                for target in moved.iter().filter(|target| **target != Target::Nothing) {
                    oracle.tree.entry(to, to_name).begin(window.op, *target);
                }
            }
            window
        };
        let request = RenameRequest {
            from_directory: from,
            from_name: name(from_name),
            to_directory: to,
            to_name: name(to_name),
        };
        let (op, client) = (self.op_id(), self.number);
        let answer = self.call(running, "rename", async || {
            let (_, caller) = running.node(&from_handle, client)?;
            running.node(&to_handle, client)?;
            running.services.rename(&caller, SHARE, &request, op).await
        });
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(renamed) => {
                self.changed(&renamed.from_directory, seen, false);
                self.renamed(&names, window);
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::NotFound => had_nothing(oracle, from, from_name, window),
                    FsError::Stale => {
                        oracle.tree.may_be_gone(from, window.start) || oracle.tree.may_be_gone(to, window.start)
                    }
                    FsError::IsDirectory => has_kind(oracle, to, to_name, window, true),
                    FsError::NotDirectory => has_kind(oracle, to, to_name, window, false),
                    FsError::NotEmpty => may_be_full(oracle, to, to_name, window),
                    // Whether a directory would go into itself depends on more moves than are worth a model.
                    FsError::Invalid => has_kind(oracle, from, from_name, window, true) && from != to,
                    _ => false,
                };
                self.names_refused("a renaming", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    fn renamed(&self, names: &[(NodeId, u8)], window: Window) {
        let mut oracle = self.world.oracle.lock();
        let [(from, from_name), (to, to_name)] = names else {
            oracle.end(window);
            return;
        };
        let from_targets = targets(&mut oracle, *from, *from_name, window);
        let to_targets = targets(&mut oracle, *to, *to_name, window);
        let fits = from_targets.iter().any(|target| *target != Target::Nothing);
        // Between two names of one node nothing is changed.
        let same = from_targets.iter().any(|target| *target != Target::Nothing && to_targets.contains(target));
        if same && both_before(&mut oracle, names, window) {
            let now = oracle.end(window);
            for (directory, name) in names {
                oracle.tree.entry(*directory, *name).finish(window.op, now);
            }
        } else {
            settle(&mut oracle, names, window);
        }
        drop(oracle);
        if !fits {
            self.world.fail_answer("a renaming of what is not there succeeds", window, &names);
        }
    }

    pub(super) async fn link(&mut self, running: &Running) -> Names {
        let Some((node, handle)) = self.not_directory() else { return Vec::new() };
        let ((directory, _), called) = (self.directory(), self.name());
        let names = vec![(directory, called)];
        if !self.world.take_names(&names) {
            return Vec::new();
        }
        let seen = self.world.seen(directory);
        let window = self.begin();
        self.world.oracle.lock().tree.entry(directory, called).begin(window.op, Target::Node(node));
        let request = LinkRequest { node, directory, name: name(called) };
        let (op, client) = (self.op_id(), self.number);
        let answer = self.call(running, "link", async || {
            let (of, caller) = running.node(&handle, client)?;
            running.services.link(&caller, of.share, &request, op).await
        });
        let Some(answer) = answer.await else { return names };
        self.world.note_losses();
        match answer {
            Answer::Done(linked) => {
                self.changed(&linked.directory, seen, true);
                let mut oracle = self.world.oracle.lock();
                let fits = had_nothing(&mut oracle, directory, called, window);
                settle(&mut oracle, &names, window);
                drop(oracle);
                if !fits {
                    self.world.fail_answer("a link over another name succeeds", window, &request);
                }
            }
            Answer::Refused(error) => {
                let explained = |oracle: &mut Oracle| match error {
                    FsError::Exists => has_something(oracle, directory, called, window),
                    FsError::Stale | FsError::NotFound => {
                        oracle.tree.may_be_gone(directory, window.start) || oracle.tree.may_be_gone(node, window.start)
                    }
                    _ => false,
                };
                self.names_refused("a link", &names, window, error, explained);
            }
            Answer::Unknown => self.names_unknown(&names, window),
        }
        names
    }

    pub(super) async fn lookup(&mut self, running: &Running) {
        let ((directory, handle), called) = (self.directory(), self.name());
        let window = self.begin();
        let client = self.number;
        let answer = self.call(running, "lookup", async || {
            let (of, caller) = running.node(&handle, client)?;
            running.services.lookup(&caller, of, &LookupName::Child(name(called))).await
        });
        let Some(answer) = answer.await else { return };
        let mut oracle = self.world.oracle.lock();
        let found = targets(&mut oracle, directory, called, window);
        let new = found.iter().any(|target| matches!(target, Target::MadeBy(_)));
        let gone = oracle.tree.may_be_gone(directory, window.start);
        let (explained, shown) = match &answer {
            Answer::Done(lookup) => {
                let node = lookup.node.node;
                (found.contains(&Target::Node(node)) || (new && !oracle.nodes.contains_key(&node)), format!("{node}"))
            }
            Answer::Refused(FsError::NotFound) => (found.contains(&Target::Nothing), "nothing".into()),
            Answer::Refused(error) => (*error == FsError::Stale && gone, format!("{error:?}")),
            Answer::Unknown => (true, String::new()),
        };
        oracle.end(window);
        drop(oracle);
        if !explained {
            self.world.fail_answer(&format!("a lookup of n{called} in {directory} finds {shown}"), window, &found);
        }
    }

    pub(super) async fn list(&mut self, running: &Running) {
        let (directory, handle) = self.directory();
        let window = self.begin();
        let (mut all, mut after, client) = (Vec::new(), Cookie::START, self.number);
        loop {
            let (entries_max, with_attributes) = (1 + self.random.below(4) as usize, self.random.percent(50));
            let answer = self.call(running, "list", async || {
                let (directory, caller) = running.node(&handle, client)?;
                let request = ListRequest { directory, after, entries_max, with_attributes };
                running.services.list(&caller, &request).await
            });
            let Some(answer) = answer.await else { return };
            match answer {
                Answer::Done(reply) => {
                    for entry in &reply.entries {
                        after = after.max(entry.cookie);
                        all.push((number(&entry.name), entry.node));
                    }
                    if reply.complete {
                        break;
                    }
                    if reply.entries.is_empty() {
                        self.world.fail_answer("a listing goes on with nothing", window, &reply);
                        return;
                    }
                }
                Answer::Refused(error) => {
                    let mut oracle = self.world.oracle.lock();
                    let gone = oracle.tree.may_be_gone(directory, window.start);
                    oracle.end(window);
                    drop(oracle);
                    if error != FsError::Stale || !gone {
                        self.unexplained("a listing", window, error);
                    }
                    return;
                }
                Answer::Unknown => {
                    self.world.oracle.lock().end(window);
                    return;
                }
            }
        }
        self.check_list(directory, window, &all);
    }

    /// What was there all the while is listed once, what never was is not.
    fn check_list(&self, directory: NodeId, window: Window, all: &[(Option<u8>, NodeId)]) {
        let mut oracle = self.world.oracle.lock();
        let mut wrong = None;
        for (called, node) in all {
            let Some(called) = called else { continue };
            let found = targets(&mut oracle, directory, *called, window);
            let new = found.iter().any(|target| matches!(target, Target::MadeBy(_)));
            if !found.contains(&Target::Node(*node)) && (!new || oracle.nodes.contains_key(node)) {
                wrong = Some(format!("n{called} leads to {node}, not to one of {found:?}"));
            }
        }
        for (called, entry) in oracle.tree.of(directory) {
            if let Some(Target::Node(node)) = entry.certain(window.start) {
                let times = all.iter().filter(|one| **one == (Some(called), *node)).count();
                if times != 1 {
                    wrong = Some(format!("n{called} is listed {times} times"));
                }
            }
        }
        oracle.end(window);
        drop(oracle);
        if let Some(wrong) = wrong {
            self.world.fail_answer(&format!("a listing of {directory}: {wrong}"), window, &all);
        }
    }

    /// Checks what an answer says of a directory that was changed, which is durable.
    fn changed(&self, changed: &Changed, seen: Seen, surely: bool) {
        self.check_shown(&changed.after, &seen, surely);
        self.shown_durably(&changed.after);
    }

    fn names_refused(
        &self,
        what: &str,
        names: &[(NodeId, u8)],
        window: Window,
        error: FsError,
        explained: impl Fn(&mut Oracle) -> bool,
    ) {
        let mut oracle = self.world.oracle.lock();
        for (directory, name) in names {
            oracle.tree.entry(*directory, *name).refuse(window.op);
        }
        let explained = explained(&mut oracle);
        oracle.end(window);
        drop(oracle);
        if !explained {
            self.unexplained(&format!("{what} of {names:?}"), window, error);
        }
    }

    fn names_unknown(&self, names: &[(NodeId, u8)], window: Window) {
        let mut oracle = self.world.oracle.lock();
        let now = oracle.end(window);
        for (directory, name) in names {
            oracle.tree.entry(*directory, *name).finish(window.op, now);
        }
    }
}

/// The operation took place: what names led to before is over, also after a crash.
fn settle(oracle: &mut Oracle, names: &[(NodeId, u8)], window: Window) {
    let oldest = oracle.oldest();
    let now = oracle.end(window);
    for (directory, name) in names {
        let entry = oracle.tree.entry(*directory, *name);
        entry.acknowledge(window, now, |_| true);
        entry.make_durable(window, now, |_| true);
    }
    oracle.tree.forget(oldest);
}

fn targets(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Target> {
    oracle.tree.entry(directory, name).since(window.start).copied().collect()
}

/// Where a name may lead apart from what the operation itself makes of it.
fn before(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Target> {
    oracle.tree.entry(directory, name).others(window.op, window.start).copied().collect()
}

fn both_before(oracle: &mut Oracle, names: &[(NodeId, u8)], window: Window) -> bool {
    let all: Vec<Vec<Target>> =
        names.iter().map(|(directory, name)| before(oracle, *directory, *name, window)).collect();
    all[0].iter().any(|target| *target != Target::Nothing && all[1].contains(target))
}

fn had_nothing(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).contains(&Target::Nothing)
}

fn has_something(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).iter().any(|target| *target != Target::Nothing)
}

/// What a name may lead to; none: something that nobody knows yet.
fn kinds(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> Vec<Option<NodeKind>> {
    let all = before(oracle, directory, name, window);
    let there = all.into_iter().filter(|target| *target != Target::Nothing);
    there
        .map(|target| match target {
            Target::Node(node) => oracle.nodes.get(&node).map(|node| node.kind),
            Target::Nothing | Target::MadeBy(_) => None,
        })
        .collect()
}

fn has_kind(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window, is_directory: bool) -> bool {
    let kinds = kinds(oracle, directory, name, window);
    kinds.iter().any(|kind| kind.is_none_or(|kind| (kind == NodeKind::Directory) == is_directory))
}

fn may_be_full(oracle: &mut Oracle, directory: NodeId, name: u8, window: Window) -> bool {
    before(oracle, directory, name, window).into_iter().any(|target| match target {
        Target::Node(node) => oracle.tree.may_have_entries(node, window.start),
        Target::MadeBy(_) => true,
        Target::Nothing => false,
    })
}

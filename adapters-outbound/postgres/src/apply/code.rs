//! Plans as arguments of the function `apply_4`: numbers that say which expectation or change, and their operands.

use std::collections::{BTreeSet, HashMap};

use dittofs_domain::{
    FoldTable, Node, NodeId, ObjectId, OpId,
    content::PendingTruncation,
    plan::{
        Change, EntryKey, Expectation, LinkChange, NodeUpdate, ObjectRecord, ObjectState, Plan, Reference, TimeChange,
        UnlinkedReason,
    },
};

use super::fold::{Contradiction, Folded, names_without_proof};
use crate::{
    claims::Claim,
    connections::Statement,
    extents, node,
    numbers::{object, operation, signed},
    statements,
};

/// One call: some plans of one share.
#[derive(Debug, Default)]
pub(super) struct Code {
    folding: FoldTable,
    nodes: Vec<NodeId>,
    wanted: Vec<i32>,
    objects: BTreeSet<ObjectId>,
    topology: bool,
    plans: Vec<i64>,
    code: Vec<i64>,
    blobs: Vec<Vec<u8>>,
    /// Places of names and ids that come several times.
    known: HashMap<Vec<u8>, i64>,
    ops: Vec<Vec<u8>>,
    made: Vec<i64>,
}

impl Code {
    /// The code of some plans; a contradiction in one of them is one of the call.
    pub(super) fn of(plans: &[(&Plan, Option<OpId>)], folding: FoldTable) -> Result<Code, Contradiction> {
        let folded: Vec<Folded> = plans.iter().map(|(plan, _)| Folded::of(plan)).collect::<Result<_, _>>()?;
        let mut code = Code { folding, ..Code::default() };
        let named: BTreeSet<NodeId> =
            plans.iter().zip(&folded).flat_map(|((plan, _), folded)| nodes_named(plan, folded)).collect();
        code.nodes = named.into_iter().collect();
        for ((plan, op), folded) in plans.iter().zip(&folded) {
            code.plan(plan, *op, folded)?;
        }
        let touched: BTreeSet<NodeId> = plans.iter().flat_map(|(plan, _)| plan.touches()).collect();
        code.wanted = touched.iter().filter_map(|id| i32::try_from(code.place(*id)?).ok()).collect();
        Ok(code)
    }

    /// The node at a place that rows come back with.
    pub(super) fn node_at(&self, place: i64) -> Option<NodeId> {
        let index = usize::try_from(place.checked_sub(1)?).ok()?;
        self.nodes.get(index).copied()
    }

    /// The statement of the call.
    pub(super) fn statement(&self, claim: &Claim) -> Statement {
        let nodes: Vec<i64> = self.nodes.iter().map(|id| signed(id.0)).collect();
        let objects: Vec<Vec<u8>> = self.objects.iter().map(|id| object(*id)).collect();
        let statement = Statement::new(statements::APPLY)
            .with(signed(claim.share.0))
            .with(nodes)
            .with(self.wanted.clone())
            .with(objects)
            .with(self.topology)
            .with(self.plans.clone())
            .with(self.code.clone())
            .with(self.blobs.clone())
            .with(self.ops.clone())
            .with(self.made.clone())
            .with(claim.remembered.opened)
            .with(claim.remembered.age);
        claim.proof(statement)
    }

    fn plan(&mut self, plan: &Plan, op: Option<OpId>, folded: &Folded) -> Result<(), Contradiction> {
        let start = self.next();
        for expectation in &plan.expectations {
            self.expectation(expectation);
        }
        for id in folded.needed.iter().filter(|id| !is_proven(plan, **id)) {
            self.put([16, self.place_of(*id), names_without_proof(plan, *id).into()]);
        }
        let changes = self.next();
        for change in &plan.changes {
            self.change(change, plan, folded)?;
        }
        if folded.moves > 0 {
            self.topology = true;
            self.put([45, folded.moves]);
        }
        if folded.sums.bytes != 0 || folded.sums.nodes != 0 {
            self.put([35, folded.sums.bytes, folded.sums.nodes]);
        }
        self.plans.extend([start, changes, self.next()]);
        self.ops.push(op.map(operation).unwrap_or_default());
        self.made.push(plan.made().map_or(0, |id| signed(id.0)));
        Ok(())
    }

    fn expectation(&mut self, expectation: &Expectation) {
        match expectation {
            Expectation::EntryAbsent(key) => {
                let key = self.key(key);
                self.put([1, key[0], key[1], key[2]]);
            }
            Expectation::FoldedAbsent(key) => {
                let folded = EntryKey { name: self.folding.folded(&key.name), ..*key };
                let key = self.key(&folded);
                self.put([17, key[0], key[1], key[2]]);
            }
            Expectation::EntryIs { key, node, cookie } => {
                let key = self.key(key);
                self.put([4, key[0], key[1], key[2], signed(node.0), signed(cookie.0)]);
            }
            Expectation::Linked(id) => self.put([2, self.place_of(*id)]),
            Expectation::PermissionVersion { node, version } => {
                self.put([3, self.place_of(*node), signed(*version)]);
            }
            Expectation::LinksAre { node, links } => {
                self.put([5, self.place_of(*node), links.cast_signed().into()]);
            }
            Expectation::Exists(id) => self.put([6, self.place_of(*id)]),
            Expectation::Empty(id) => self.put([7, self.place_of(*id)]),
            Expectation::ParentIs { node, parent } => self.put([8, self.place_of(*node), signed(parent.0)]),
            Expectation::Topology(moves) => {
                self.topology = true;
                self.put([9, signed(*moves)]);
            }
            Expectation::ChangeIs { node, change } => self.put([10, self.place_of(*node), signed(change.0)]),
            Expectation::NoRows(id) => self.put([11, self.place_of(*id)]),
            Expectation::ContentVersion { node, version } => {
                self.put([12, self.place_of(*node), signed(version.0)]);
            }
            Expectation::XattrsAre { node, version } => {
                let version = version.map(|version| signed(version.0));
                self.put([18, self.place_of(*node), version.is_some().into(), version.unwrap_or_default()]);
            }
            Expectation::ObjectUsable { object, epoch } => {
                let object = self.object(*object);
                self.put([13, object, signed(epoch.0)]);
            }
            Expectation::ObjectState { object, state } => {
                let object = self.object(*object);
                self.put([14, object, state_column(*state).into()]);
            }
            Expectation::Unreferenced(object) => {
                let object = self.object(*object);
                self.put([15, object]);
            }
            // One server has the share, and no lease is kept: such a plan is refused before it is sent.
            Expectation::LeaseIs { .. } => {}
        }
    }

    fn change(&mut self, change: &Change, plan: &Plan, folded: &Folded) -> Result<(), Contradiction> {
        match change {
            Change::InsertNode(node) => {
                if let Some(Some(node)) = folded.fresh.get(&node.id) {
                    self.new_node(node);
                }
            }
            Change::UpdateNode(id, _) | Change::DeleteNode(id) if folded.fresh.contains_key(id) => {}
            Change::UpdateNode(id, changes) => self.update(*id, changes, plan),
            Change::DeleteNode(id) => self.put([36, self.place_of(*id)]),
            Change::InsertEntry { key, node, cookie } => {
                let folded = self.folding.fold(&key.name).map_or(0, |folded| self.name(folded.as_bytes().to_vec()));
                let key = self.key(key);
                self.put([33, key[0], key[1], key[2], signed(node.0), signed(cookie.0), folded]);
            }
            Change::DeleteEntry(key) => {
                let key = self.key(key);
                self.put([34, key[0], key[1], key[2]]);
            }
            Change::PutRow { node, page, row } => {
                let (version, pages, extents) = extents::columns(row).ok_or(Contradiction)?;
                let extents = extents.map_or(0, |extents| self.blob(extents));
                self.put([37, signed(node.0), signed(*page), version, pages.unwrap_or_default(), extents]);
            }
            Change::DeleteRow { node, page } => self.put([38, signed(node.0), signed(*page)]),
            Change::PutUnlinked { node, reason } => self.put([39, signed(node.0), reason_column(*reason).into()]),
            Change::DeleteUnlinked(node) => self.put([40, signed(node.0)]),
            Change::PutXattrs { node, xattrs: Some(xattrs) } => {
                let packed = self.blob(xattrs.to_bytes());
                self.put([46, signed(node.0), signed(xattrs.version().0), xattrs.bytes().into(), packed]);
            }
            Change::PutXattrs { node, xattrs: None } => self.put([47, signed(node.0)]),
            Change::PutObject(ObjectRecord { id, state, owner, bytes, place }) => {
                let object = self.object(*id);
                let place = place.0.cast_signed().into();
                self.put([41, object, state_column(*state).into(), signed(owner.0), signed(*bytes), place]);
            }
            Change::DeleteObject(id) => {
                let object = self.object(*id);
                self.put([42, object]);
            }
            Change::InsertReference(reference) => self.reference(43, reference),
            Change::DeleteReference(reference) => self.reference(44, reference),
            // Summed up, and refused before.
            Change::RaiseTopology | Change::Count(_) | Change::GrantLease { .. } => {}
        }
        Ok(())
    }

    fn reference(&mut self, which: i64, reference: &Reference) {
        let Reference { object, node, chunk, until } = *reference;
        let object = self.name(self::object(object));
        self.put([which, object, signed(node.0), signed(chunk), until.0.cast_signed().into()]);
    }

    fn new_node(&mut self, node: &Node) {
        let target = node.target.as_ref().map_or(0, |target| self.blob(target.to_vec()));
        let exclusions = node::exclusions_column(&node.replay_exclusions).map_or(0, |bytes| self.blob(bytes));
        let acl = node.acl.as_ref().map_or(0, |acl| self.blob(acl.to_bytes()));
        let device = node::device_column(node.device);
        let truncation = node.pending_truncation.map(truncation_columns);
        let there = [device.is_some(), node.create_verifier.is_some(), truncation.is_some(), node.dos_attributes != 0];
        let mask = there.iter().rev().fold(0, |mask, is_there| mask << 1 | i64::from(*is_there));
        let [offset, version, end] = truncation.unwrap_or_default();
        self.put([32, signed(node.id.0), signed(node.size), signed(node.allocated)]);
        self.put([node.atime.seconds(), node.mtime.seconds(), node.ctime.seconds(), node.birth.seconds()]);
        self.put([signed(node.change.0), signed(node.permission_version), signed(node.content_version.0)]);
        self.put([signed(node.content_seq.0), signed(node.times_seq.0)]);
        self.put([signed(node.parent.directory.0), signed(node.parent.cookie.0)]);
        self.put([node.atime.nanos(), node.mtime.nanos(), node.ctime.nanos(), node.birth.nanos()].map(i64::from));
        self.put([node.uid, node.gid, node.links].map(|number| number.cast_signed().into()));
        self.put([node.mode.into(), node.kind as i64, node.flags.bits().into()]);
        self.put([device.unwrap_or_default(), node.create_verifier.map_or(0, i64::from_be_bytes)]);
        self.put([offset, version, end, node.dos_attributes.cast_signed().into(), mask, target, exclusions]);
        self.put([acl, node.xattr_bytes.cast_signed().into()]);
    }

    /// Fields that are not named have any value, and no bit in the mask.
    fn update(&mut self, id: NodeId, update: &NodeUpdate, plan: &Plan) {
        let (mut mask, mut bit) = (0, 1);
        let mut named = |is_named: bool| {
            mask |= if is_named { bit } else { 0 };
            bit <<= 1;
        };
        let links = match update.links {
            LinkChange::Keep => 0,
            LinkChange::Set(links) => links.cast_signed().into(),
            LinkChange::Add(difference) => difference.into(),
        };
        named(update.mode.is_some());
        named(update.uid.is_some());
        named(update.gid.is_some());
        named(matches!(update.links, LinkChange::Set(_)));
        named(matches!(update.links, LinkChange::Add(_)));
        named(update.size.is_some());
        named(update.raise_permission_version);
        named(update.content_version.is_some());
        named(update.content_seq.is_some());
        named(update.times_seq.is_some());
        named(update.parent.is_some());
        named(update.dos_attributes.is_some());
        named(!update.set_flags.is_empty() || !update.clear_flags.is_empty());
        named(matches!(update.pending_truncation, Some(Some(_))));
        named(matches!(update.pending_truncation, Some(None)));
        named(update.replay_exclusions.is_some());
        named(update.change_at_least.is_some());
        named(update.birth.is_some());
        named(update.acl.is_some());
        named(update.xattr_bytes.is_some());
        let exclusions = update.replay_exclusions.as_ref().and_then(node::exclusions_column);
        let exclusions = exclusions.map_or(0, |bytes| self.blob(bytes));
        let acl = update.acl.as_ref().and_then(Option::as_ref).map_or(0, |acl| self.blob(acl.to_bytes()));
        let time = |change| time_operands(change, plan);
        let number = |field: Option<u64>| field.map_or(0, signed);
        let small = |field: Option<u32>| field.map_or(0, |number| i64::from(number.cast_signed()));
        let [offset, version, end] = update.pending_truncation.flatten().map(truncation_columns).unwrap_or_default();
        let parent = update.parent.map(|parent| [signed(parent.directory.0), signed(parent.cookie.0)]);
        self.put([31, self.place_of(id), mask]);
        self.put([update.mode.map_or(0, i64::from), small(update.uid), small(update.gid), links]);
        self.put([number(update.size), update.allocated]);
        self.put(time(update.atime));
        self.put(time(update.mtime));
        self.put(time(update.ctime));
        self.put([number(update.change_at_least.map(|change| change.0))]);
        self.put([number(update.content_version.map(|version| version.0))]);
        self.put([number(update.content_seq.map(|seq| seq.0)), number(update.times_seq.map(|seq| seq.0))]);
        self.put(parent.unwrap_or_default());
        self.put([small(update.dos_attributes)]);
        self.put([update.set_flags.bits().into(), update.clear_flags.bits().into(), offset, version, end, exclusions]);
        self.put(update.birth.map_or([0, 0], |time| [time.seconds(), time.nanos().into()]));
        self.put([acl, small(update.xattr_bytes)]);
    }

    /// Where the next number will be, as the function counts.
    fn next(&self) -> i64 {
        self.code.len() as i64 + 1
    }

    fn put<const N: usize>(&mut self, numbers: [i64; N]) {
        self.code.extend(numbers);
    }

    /// The operands that name an entry.
    fn key(&mut self, key: &EntryKey) -> [i64; 3] {
        let name = self.name(key.name.as_bytes().to_vec());
        [signed(key.directory.0), key.space as i64, name]
    }

    /// The operand that names an object, whose row is locked.
    fn object(&mut self, id: ObjectId) -> i64 {
        self.objects.insert(id);
        self.name(object(id))
    }

    fn name(&mut self, bytes: Vec<u8>) -> i64 {
        if let Some(place) = self.known.get(&bytes) {
            return *place;
        }
        let place = self.blob(bytes.clone());
        self.known.insert(bytes, place);
        place
    }

    fn blob(&mut self, bytes: Vec<u8>) -> i64 {
        self.blobs.push(bytes);
        self.blobs.len() as i64
    }

    fn place(&self, id: NodeId) -> Option<i64> {
        self.nodes.binary_search(&id).ok().map(|index| index as i64 + 1)
    }

    /// Every node that is asked for was named.
    fn place_of(&self, id: NodeId) -> i64 {
        self.place(id).unwrap_or_default()
    }
}

/// Nodes whose rows a plan needs unchanged until it is through.
fn nodes_named(plan: &Plan, folded: &Folded) -> BTreeSet<NodeId> {
    let mut named = folded.needed.clone();
    for expectation in &plan.expectations {
        named.extend(match expectation {
            Expectation::EntryAbsent(key) | Expectation::FoldedAbsent(key) | Expectation::EntryIs { key, .. } => {
                Some(key.directory)
            }
            Expectation::Linked(id) | Expectation::Exists(id) | Expectation::Empty(id) | Expectation::NoRows(id) => {
                Some(*id)
            }
            Expectation::LinksAre { node, .. }
            | Expectation::ParentIs { node, .. }
            | Expectation::PermissionVersion { node, .. }
            | Expectation::ChangeIs { node, .. }
            | Expectation::ContentVersion { node, .. }
            | Expectation::XattrsAre { node, .. }
            | Expectation::LeaseIs { node, .. } => Some(*node),
            Expectation::Topology(_)
            | Expectation::ObjectUsable { .. }
            | Expectation::ObjectState { .. }
            | Expectation::Unreferenced(_) => None,
        });
    }
    for change in &plan.changes {
        named.extend(match change {
            Change::DeleteRow { node, .. }
            | Change::DeleteUnlinked(node)
            | Change::PutXattrs { node, xattrs: None } => Some(*node),
            // Those of backups have a node that is none.
            Change::InsertReference(reference) | Change::DeleteReference(reference) => Some(reference.node),
            _ => None,
        });
    }
    named
}

/// Whether a plan has an expectation that fails if a node is not there.
fn is_proven(plan: &Plan, id: NodeId) -> bool {
    plan.expectations.iter().any(|expectation| match expectation {
        Expectation::Linked(node)
        | Expectation::Exists(node)
        | Expectation::Empty(node)
        | Expectation::NoRows(node)
        | Expectation::LinksAre { node, .. }
        | Expectation::ParentIs { node, .. }
        | Expectation::PermissionVersion { node, .. }
        | Expectation::ChangeIs { node, .. }
        | Expectation::XattrsAre { node, .. }
        | Expectation::ContentVersion { node, .. } => *node == id,
        _ => false,
    })
}

fn time_operands(change: TimeChange, plan: &Plan) -> [i64; 3] {
    let (which, time) = match change {
        TimeChange::Keep => (0, plan.now),
        TimeChange::Advance => (1, plan.now),
        TimeChange::Set(time) => (2, time),
        TimeChange::AtLeast(time) => (3, time),
    };
    [which, time.seconds(), time.nanos().into()]
}

fn truncation_columns(truncation: PendingTruncation) -> [i64; 3] {
    [signed(truncation.offset), signed(truncation.version.0), signed(truncation.end_page)]
}

/// The column of an object's state.
pub(crate) fn state_column(state: ObjectState) -> i16 {
    match state {
        ObjectState::Writing => 0,
        ObjectState::Live => 1,
        ObjectState::PendingDelete => 2,
    }
}

/// The column of the reason why a node has no name.
pub(crate) fn reason_column(reason: UnlinkedReason) -> i16 {
    match reason {
        UnlinkedReason::Open => 0,
        UnlinkedReason::Reaping => 1,
    }
}

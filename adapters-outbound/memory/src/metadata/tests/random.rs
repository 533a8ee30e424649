//! Random plans over few nodes, names and objects: most of them cannot be applied, some only fail at their last step.

use dittofs_domain::{PlaceId, plan::Reference};

use super::*;

/// A small generator of our own (xorshift), so that a failure is repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn id(&mut self) -> NodeId {
        NodeId(3 + self.below(6))
    }

    fn key(&mut self) -> EntryKey {
        let space = if self.below(4) == 0 { Space::Streams } else { Space::Children };
        EntryKey { directory: self.id(), space, name: Name::new(format!("n{}", self.below(20)).as_bytes()).unwrap() }
    }

    fn change(&mut self) -> Change {
        let (object, chunk) = (ObjectId(u128::from(self.below(4))), self.below(3));
        match self.below(15) {
            0 | 1 => Change::InsertNode(Box::new(self.node())),
            2 | 3 => Change::UpdateNode(self.id(), self.update()),
            4 => Change::DeleteNode(self.id()),
            5..7 => Change::InsertEntry { key: self.key(), node: self.id(), cookie: Cookie(100 + self.below(40)) },
            7 => Change::DeleteEntry(self.key()),
            8 => Change::PutRow { node: self.id(), page: chunk, row: self.row() },
            9 => Change::DeleteRow { node: self.id(), page: chunk },
            10 => match self.below(2) {
                0 => Change::PutUnlinked { node: self.id(), reason: UnlinkedReason::Open },
                _ => Change::DeleteUnlinked(self.id()),
            },
            11 => Change::PutObject(ObjectRecord {
                id: object,
                state: ObjectState::Live,
                owner: Epoch(chunk),
                bytes: 1,
                place: PlaceId::HOME,
            }),
            12 => Change::DeleteObject(object),
            13 => match self.below(2) {
                0 => Change::InsertReference(Reference::live(object, self.id(), chunk)),
                _ => Change::DeleteReference(Reference::live(object, self.id(), chunk)),
            },
            _ => match self.below(2) {
                0 => Change::RaiseTopology,
                _ => Change::Count(Statistics { bytes: 5, nodes: -1 }),
            },
        }
    }

    fn node(&mut self) -> Node {
        Node { pending_truncation: self.pending_truncation(), ..node(3 + self.below(6), NodeKind::Directory) }
    }

    fn update(&mut self) -> NodeUpdate {
        let pending_truncation = (self.below(2) == 0).then(|| self.pending_truncation());
        NodeUpdate { pending_truncation, links: LinkChange::Add(self.below(5) as i32 - 2), ..NodeUpdate::changed() }
    }

    fn pending_truncation(&mut self) -> Option<PendingTruncation> {
        (self.below(2) == 0).then_some(PendingTruncation { offset: 1, version: ContentVersion(1), end_page: 1 })
    }

    fn row(&mut self) -> MapRow {
        MapRow::Holes { version: ContentVersion(self.below(9)), pages: 1 }
    }
}

/// All that a share holds, as text.
fn dump(state: &State) -> String {
    let mut nodes = Vec::new();
    for id in (0..20).map(NodeId) {
        if let Some(slot) = state.nodes.slot(id) {
            let listed = [Space::Children, Space::Streams].map(|space| state.list(id, space, Cookie::START, 99, false));
            for (space, listing) in [Space::Children, Space::Streams].into_iter().zip(&listed) {
                for entry in &listing.entries {
                    let key = EntryKey { directory: id, space, name: entry.name.clone() };
                    assert_eq!(state.entry(&key), Some((entry.node, entry.cookie)));
                }
            }
            let rows: Vec<_> = slot.body.iter().flat_map(|body| body.rows.from(0)).collect();
            nodes.push(format!("{:?} {listed:?} {rows:?} {}", slot.node, slot.body.is_some()));
        }
    }
    let State { topology, unlinked, pending_truncations, objects, references, statistics, .. } = state;
    format!("{nodes:#?} {topology} {unlinked:?} {pending_truncations:?} {objects:?} {references:?} {statistics:?}")
}

#[test]
fn a_plan_is_applied_whole_or_leaves_no_trace() {
    let (mut applied, mut late) = (0, 0);
    for seed in 1..=60_u64 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ seed);
        let mut state = share();
        for _ in 0..300 {
            let before = dump(&state);
            let changes: Vec<Change> = (0..=dice.below(6)).map(|_| dice.change()).collect();
            let many = changes.len() > 3;
            match apply(&mut state, plan(vec![], changes)) {
                Ok(_) => applied += 1,
                Err(_) => {
                    late += u32::from(many);
                    assert_eq!(dump(&state), before, "seed {seed}");
                }
            }
            let pending = (0..20)
                .map(NodeId)
                .filter(|id| state.nodes.record(*id).is_some_and(|n| n.pending_truncation.is_some()));
            assert!(pending.eq(state.pending_truncations.iter().copied()), "seed {seed}");
        }
    }
    assert!(applied > 1_000 && late > 1_000, "{applied} applied, {late} long ones refused");
}

#[test]
fn a_refused_plan_restores_a_directory_with_an_index() {
    let mut state = share();
    let file = |n: u64| entry(3, &format!("file-{n}"), 3, n);
    apply(&mut state, plan(vec![], (100..140).map(file).collect())).unwrap();
    let before = dump(&state);
    let mut changes: Vec<Change> = (100..140).map(|n| Change::DeleteEntry(key(3, &format!("file-{n}")))).collect();
    changes.extend((140..170).map(file));
    changes.push(Change::DeleteNode(NodeId(99)));
    assert!(refused(&mut state, changes));
    assert_eq!(dump(&state), before);
}

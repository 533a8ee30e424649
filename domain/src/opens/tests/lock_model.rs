//! The table against a model that keeps, for each byte, who has it how.

use proptest::prelude::*;

use super::*;

const BYTES: usize = 12;
const OWNERS: usize = 3;

/// A range as the model sees it: places `first..first + length` of the window.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    first: usize,
    length: usize,
}

impl Window {
    fn covers(self, byte: usize) -> bool {
        (self.first..self.first + self.length).contains(&byte)
    }

    fn is_inside(self, other: Window) -> bool {
        self.length == 0 && self.first > 0 && other.covers(self.first) && other.covers(self.first - 1)
    }

    fn overlaps(self, other: Window) -> bool {
        (0..BYTES).any(|b| self.covers(b) && other.covers(b)) || self.is_inside(other) || other.is_inside(self)
    }

    fn range(self, base: u64) -> LockRange {
        LockRange::exact(base + self.first as u64, self.length as u64).unwrap()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Lock { holder: usize, at: Window, exclusive: bool },
    Unlock { holder: usize, at: Window },
    Release { holder: usize },
}

/// Holders below `OWNERS` are POSIX owners, the others are opens.
#[derive(Default)]
struct Model {
    owned: [[Option<LockKind>; BYTES]; OWNERS],
    opened: Vec<(usize, Window, LockKind)>,
}

impl Model {
    fn blocks(&self, holder: usize, at: Window, kind: LockKind) -> bool {
        let by_kind = |held| held == LockKind::Exclusive || kind == LockKind::Exclusive;
        let by_owner = (0..OWNERS).filter(|o| *o != holder).any(|o| {
            (0..BYTES).any(|b| {
                self.owned[o][b].is_some_and(|held| {
                    // A place is inside of a lock where the bytes on both sides are of one lock.
                    let inside = at.length == 0 && at.first == b && b > 0 && self.owned[o][b - 1] == Some(held);
                    by_kind(held) && (at.covers(b) || inside)
                })
            })
        });
        let by_open = self.opened.iter().any(|(h, range, held)| {
            let stacks = *h == holder && *held == LockKind::Exclusive && kind == LockKind::Shared;
            range.overlaps(at) && by_kind(*held) && !stacks
        });
        by_owner || by_open
    }

    fn apply(&mut self, step: &Step) -> Option<bool> {
        match *step {
            Step::Lock { holder, at, exclusive } => {
                let kind = if exclusive { LockKind::Exclusive } else { LockKind::Shared };
                if self.blocks(holder, at, kind) {
                    return Some(false);
                }
                if holder >= OWNERS {
                    self.opened.push((holder, at, kind));
                } else {
                    (0..BYTES).filter(|b| at.covers(*b)).for_each(|b| self.owned[holder][b] = Some(kind));
                }
                Some(true)
            }
            Step::Unlock { holder, at } if holder >= OWNERS => {
                let find = |kind| self.opened.iter().position(|l| *l == (holder, at, kind));
                let found = find(LockKind::Exclusive).or_else(|| find(LockKind::Shared));
                found.map(|i| self.opened.remove(i));
                Some(found.is_some())
            }
            Step::Unlock { holder, at } => {
                (0..BYTES).filter(|b| at.covers(*b)).for_each(|b| self.owned[holder][b] = None);
                Some(true)
            }
            Step::Release { holder } => {
                self.opened.retain(|(h, ..)| *h != holder);
                if holder < OWNERS {
                    self.owned[holder] = [None; BYTES];
                }
                None
            }
        }
    }

    /// Whether I/O of one byte is stopped; `open` is a holder that is an open.
    fn stops(&self, open: Option<usize>, byte: usize, write: bool) -> bool {
        let by_kind = |held| write || held == LockKind::Exclusive;
        let by_owner = open.is_some() && self.owned.iter().any(|bytes| bytes[byte].is_some_and(by_kind));
        by_owner
            || self.opened.iter().any(|(h, range, held)| {
                range.covers(byte) && by_kind(*held) && (Some(*h) != open || *held == LockKind::Shared)
            })
    }
}

fn holder(index: usize) -> LockHolder {
    if index < OWNERS { process(index as u64) } else { by_open(index as u64) }
}

fn windows() -> impl Strategy<Value = Window> {
    (0..BYTES, 0..BYTES).prop_map(|(first, length)| Window { first, length: length.min(BYTES - first) })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..6_usize, 0..OWNERS + 2, windows(), any::<bool>()).prop_map(|(what, holder, mut at, exclusive)| {
        if holder < OWNERS {
            at.length = at.length.max(1);
        }
        match what {
            0..=3 => Step::Lock { holder, at, exclusive },
            4 => Step::Unlock { holder, at },
            _ => Step::Release { holder },
        }
    });
    prop::collection::vec(step, 1..60)
}

/// Where the window lies: at both ends of the 2^64 bytes, and around what signed offsets can say.
fn bases() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![0, i64::MAX as u64 - 5, u64::MAX - (BYTES as u64 - 1)])
}

fn run(table: &mut LockTable, base: u64, step: &Step) -> Option<bool> {
    match *step {
        Step::Lock { holder: h, at, exclusive } => {
            let kind = if exclusive { LockKind::Exclusive } else { LockKind::Shared };
            let wanted = Lock { range: at.range(base), kind, holder: holder(h) };
            let blocked = table.test(&wanted).is_some();
            let done = table.lock(wanted);
            assert_eq!(blocked, matches!(done, Err(Denied::Locked(_))));
            Some(done.is_ok())
        }
        Step::Unlock { holder: h, at } => Some(table.unlock(&holder(h), at.range(base)).is_ok()),
        Step::Release { holder: h } => {
            match holder(h) {
                LockHolder::Owner(owner) => table.release_owner(&owner),
                LockHolder::Open { open, .. } => table.release_open(open),
            };
            None
        }
    }
}

/// Of each owner: every byte as in the model, and no two locks that should be one.
fn assert_same(table: &LockTable, model: &Model, base: u64) {
    for (index, bytes) in model.owned.iter().enumerate() {
        let locks: Vec<&Lock> = table.iter().filter(|l| l.holder == process(index as u64)).collect();
        for (byte, expected) in bytes.iter().enumerate() {
            let at = Window { first: byte, length: 1 }.range(base);
            let kinds: Vec<LockKind> = locks.iter().filter(|l| l.range.overlaps(at)).map(|l| l.kind).collect();
            assert_eq!(kinds, expected.iter().copied().collect::<Vec<_>>(), "owner {index}, byte {byte}");
        }
        for pair in locks.windows(2) {
            assert!(pair[0].kind != pair[1].kind || !pair[0].range.touches(pair[1].range), "{pair:?}");
        }
    }
    assert_eq!(table.iter().filter(|l| l.holder.open().is_some()).count(), model.opened.len());
    for byte in 0..BYTES {
        let at = Window { first: byte, length: 1 }.range(base);
        for open in [None, Some(OWNERS), Some(OWNERS + 1)] {
            for write in [false, true] {
                let stopped = table.io_conflict(open.map(|o| OpenToken(o as u64)), at, write).is_some();
                assert_eq!(stopped, model.stops(open, byte, write), "{open:?}, byte {byte}, write {write}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn table_behaves_as_a_byte_array(base in bases(), steps in steps()) {
        let mut table = LockTable::default();
        let mut model = Model::default();
        for step in &steps {
            prop_assert_eq!(run(&mut table, base, step), model.apply(step), "{:?}", step);
            assert_same(&table, &model, base);
        }
        for h in 0..OWNERS + 2 {
            run(&mut table, base, &Step::Release { holder: h });
        }
        prop_assert!(table.is_empty());
    }

    #[test]
    fn range_to_the_end_has_no_end(offset in any::<u64>(), first in any::<u64>(), length in 1..=u64::MAX) {
        let end = LockRange::to_end(offset);
        if let Some(range) = LockRange::exact(first, length) {
            prop_assert_eq!(end.overlaps(range), range.last().unwrap() >= offset);
        }
        prop_assert_eq!(end.length(), None);
    }
}

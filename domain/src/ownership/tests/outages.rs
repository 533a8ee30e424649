//! Starts and renewals of one lineage, through outages of the store: a start of its own in the mark is always known.

use proptest::prelude::*;

use super::*;

/// The events between two outages, and those in the outage that follows.
#[derive(Clone, Debug)]
struct Spell {
    /// Whether the server is started again once the store answers, and not only before.
    is_started: bool,
    /// While the objects are held.
    renewals: u64,
    /// Of the write whose answer was lost.
    has_landed: bool,
    /// Starts in the outage.
    starts: u64,
}

/// A server's metadata, and the mark beside the objects.
#[derive(Default)]
struct World {
    lineage: Lineage,
    epoch: u64,
    own: Option<Start>,
    mark: Option<Start>,
    /// The start in the mark at the last renewal.
    marked: Option<Start>,
}

impl World {
    fn give(&mut self) {
        self.epoch += 1;
        let given = start(self.epoch, self.epoch * 7);
        self.lineage.give(given);
        self.own = Some(given);
    }

    /// A start of the server. The journal is there always.
    fn start(&mut self, can_read: bool) -> Result<(), TestCaseError> {
        if can_read {
            self.look()?;
            self.lineage.note(Part::Content, self.mark);
        }
        self.give();
        self.marked = None;
        self.lineage.note(Part::Journal, self.own);
        Ok(())
    }

    fn look(&self) -> Result<(), TestCaseError> {
        let found = self.lineage.judge(Part::Content, self.mark);
        prop_assert!(
            matches!(found, Standing::New | Standing::Known),
            "{found:?} of {:?}: {:?}",
            self.mark,
            self.lineage
        );
        Ok(())
    }

    fn renew(&mut self) {
        if self.marked.is_some() {
            self.lineage.note(Part::Content, self.marked);
        }
        self.marked = self.mark;
        self.give();
    }

    fn live(&mut self, spell: &Spell) -> Result<(), TestCaseError> {
        if spell.is_started {
            self.start(true)?;
        }
        self.look()?;
        for _ in 0..spell.renewals {
            self.mark = self.own;
            self.renew();
        }
        if spell.has_landed {
            self.mark = self.own;
        }
        (0..spell.starts).try_for_each(|_| self.start(false))
    }
}

/// Outages with any number of starts, each after some minutes in which the store answered, and short ones in between.
fn spells() -> impl Strategy<Value = Vec<Spell>> {
    let long = (3..6_u64, 0..400_u64);
    let short = (0..3_u64, 0..6_u64);
    let spell = (any::<bool>(), any::<bool>(), prop_oneof![long, short]);
    let spell = spell.prop_map(|(is_started, has_landed, (renewals, starts))| Spell {
        is_started,
        renewals,
        has_landed,
        starts,
    });
    prop::collection::vec(spell, 1..8)
}

proptest! {
    #[test]
    fn a_mark_of_its_own_is_never_one_that_metadata_do_not_know(spells in spells()) {
        let mut world = World::default();
        world.start(true)?;
        spells.iter().try_for_each(|spell| world.live(spell))?;
        world.start(true)?;
    }
}

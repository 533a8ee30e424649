//! The number of caching rights of each kind that a node has. With it, an operation that takes nothing from anybody
//! finds that without looking at each right.

use std::collections::{BTreeMap, BTreeSet};

use crate::opens::{Lease, LeaseForm, LeaseKey, LeaseState, Rights, Trigger};

/// The properties of caching rights that decide how an operation of another requester affects them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LeaseClass {
    form: LeaseForm,
    pub(super) rights: Rights,
    /// The rights that may be kept after the break under way.
    keeps: Option<Rights>,
    /// Whether that break follows another one.
    is_further: bool,
}

impl LeaseClass {
    pub(super) fn of(key: &LeaseKey, lease: &Lease) -> LeaseClass {
        let (keeps, is_further) = match lease.state {
            LeaseState::Granted => (None, false),
            LeaseState::Breaking { to, is_further, .. } => (Some(to), is_further),
        };
        LeaseClass { form: key.form, rights: lease.rights, keeps, is_further }
    }

    /// Returns the rights that an operation of another requester leaves, if it takes any.
    pub(super) fn left_by(&self, trigger: Trigger) -> Option<Rights> {
        let to = trigger.leaves(self.form, self.rights);
        (to != self.rights).then_some(to)
    }

    /// Whether an operation that leaves `to` has to wait for the break that is under way, or that it starts.
    pub(super) fn keeps_waiting(&self, trigger: Trigger, to: Rights) -> bool {
        // A second break must not cross the acknowledgement of the first.
        let crosses = self.keeps.is_some_and(|keeps| !to.contains(keeps));
        crosses || trigger.waits(self.form, self.rights - to)
    }

    /// Whether an operation of another requester has to start a break, or to wait for one.
    pub(super) fn is_met_by(&self, trigger: Trigger) -> bool {
        let takes = self.left_by(trigger).is_some_and(|to| self.keeps.is_none() || self.keeps_waiting(trigger, to));
        takes || self.holds_up(trigger)
    }

    /// Whether an operation waits though it takes nothing.
    pub(super) fn holds_up(&self, trigger: Trigger) -> bool {
        self.is_further && trigger.opens()
    }
}

/// How many caching rights there are of each class, and when those that are being taken away are due.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct LeaseCounts {
    classes: BTreeMap<LeaseClass, usize>,
    deadlines: BTreeSet<(u64, LeaseKey)>,
}

impl LeaseCounts {
    pub(super) fn add(&mut self, key: &LeaseKey, lease: &Lease) {
        *self.classes.entry(LeaseClass::of(key, lease)).or_default() += 1;
        if let LeaseState::Breaking { deadline_ms, .. } = lease.state {
            self.deadlines.insert((deadline_ms, *key));
        }
    }

    pub(super) fn remove(&mut self, key: &LeaseKey, lease: &Lease) {
        let class = LeaseClass::of(key, lease);
        if let Some(count) = self.classes.get_mut(&class) {
            *count -= 1;
            if *count == 0 {
                self.classes.remove(&class);
            }
        }
        if let LeaseState::Breaking { deadline_ms, .. } = lease.state {
            self.deadlines.remove(&(deadline_ms, *key));
        }
    }

    /// How many are of a class that meets a condition.
    pub(super) fn count(&self, wanted: impl Fn(&LeaseClass) -> bool) -> usize {
        self.classes.iter().filter(|(class, _)| wanted(class)).map(|(_, count)| count).sum()
    }

    /// All rights in a form, apart from one of a class.
    pub(super) fn rights_of(&self, form: LeaseForm, but_one: Option<&LeaseClass>) -> Rights {
        let is_other = |class: &LeaseClass, count: usize| count > usize::from(but_one == Some(class));
        let found = self.classes.iter().filter(|(class, count)| class.form == form && is_other(class, **count));
        found.fold(Rights::empty(), |rights, (class, _)| rights | class.rights)
    }

    /// Deadlines of the breaks under way, the first first.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = &(u64, LeaseKey)> {
        self.deadlines.iter()
    }
}

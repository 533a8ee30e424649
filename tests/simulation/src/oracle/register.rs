//! One thing that has a value: what it may be, given what was acknowledged.

use smallvec::SmallVec;

/// A point in the order of everything that clients saw.
pub(crate) type Moment = u64;
/// Which operation.
pub(crate) type OpNumber = u64;

/// From when on an operation could see and do something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: Moment,
    pub(crate) op: OpNumber,
}

/// A value that it has, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate<V> {
    value: V,
    op: OpNumber,
    /// When the operation ended that gave it this value; none while it is on its way.
    ended: Option<Moment>,
    /// Since when it can't be the value any more.
    gone: Option<Moment>,
    /// Whether it can't come back in a crash either.
    gone_durably: bool,
}

/// All values that it may have.
///
/// An operation that is acknowledged takes the place of those that had ended before it began; of operations that
/// overlap, any may be the last. What was taken the place of comes back in a crash, unless the newer is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Register<V> {
    candidates: SmallVec<[Candidate<V>; 2]>,
}

impl<V: Clone + PartialEq> Register<V> {
    /// It surely has this value.
    pub(crate) fn new(value: V) -> Register<V> {
        let certain = Candidate { value, op: 0, ended: Some(0), gone: None, gone_durably: false };
        Register { candidates: SmallVec::from_iter([certain]) }
    }

    /// Whether an operation may have given it its value, and another one as well.
    pub(crate) fn is_undecided_about(&self, op: OpNumber) -> bool {
        self.candidates.len() > 1 && self.candidates.iter().any(|candidate| candidate.op == op)
    }

    /// An operation may give it this value from now on.
    pub(crate) fn begin(&mut self, op: OpNumber, value: V) {
        self.candidates.push(Candidate { value, op, ended: None, gone: None, gone_durably: false });
    }

    /// An operation may change it as this says, whatever it is.
    pub(crate) fn begin_from(&mut self, op: OpNumber, change: impl Fn(&V) -> V) {
        let mut made: SmallVec<[Candidate<V>; 2]> = SmallVec::new();
        for old in self.candidates.iter().filter(|old| !(old.gone.is_some() && old.gone_durably)) {
            let new = Candidate { value: change(&old.value), op, ended: None, ..old.clone() };
            let known = |there: &Candidate<V>| there.value == new.value && there.op == op && there.gone == new.gone;
            if !made.iter().any(known) && !self.candidates.iter().any(known) {
                made.push(new);
            }
        }
        self.candidates.extend(made);
    }

    /// The operation is done; `beats` says which values of older ones it leaves no room for.
    pub(crate) fn acknowledge(&mut self, window: Window, now: Moment, beats: impl Fn(&V) -> bool) {
        for other in self.candidates.iter_mut().filter(|other| other.op != window.op) {
            if other.ended.is_some_and(|ended| ended < window.start) && beats(&other.value) {
                other.gone.get_or_insert(now);
            }
        }
        self.finish(window.op, now);
    }

    /// Notes that what the operation did survives a crash from now on.
    pub(crate) fn make_durable(&mut self, window: Window, now: Moment, beats: impl Fn(&V) -> bool) {
        for other in self.candidates.iter_mut().filter(|other| other.op != window.op) {
            if other.ended.is_some_and(|ended| ended < window.start) && beats(&other.value) {
                other.gone.get_or_insert(now);
                other.gone_durably = true;
            }
        }
    }

    /// The operation has ended, and nobody knows whether it happened.
    pub(crate) fn finish(&mut self, op: OpNumber, now: Moment) {
        for own in self.candidates.iter_mut().filter(|own| own.op == op) {
            own.ended.get_or_insert(now);
        }
    }

    /// Notes that the value which an operation gives it was not known, and is one of these.
    pub(crate) fn resolve(&mut self, op: OpNumber, unknown: &V, values: &[V]) {
        let (own, rest): (Vec<_>, Vec<_>) =
            self.candidates.drain(..).partition(|own| own.op == op && own.value == *unknown);
        self.candidates.extend(rest);
        if let Some(own) = own.first() {
            self.candidates.extend(values.iter().map(|value| Candidate { value: value.clone(), ..own.clone() }));
        }
    }

    /// Of the values that an operation gave it on its way, only these are left at its end.
    pub(crate) fn leave_own(&mut self, op: OpNumber, now: Moment, is_left: impl Fn(&V) -> bool) {
        for own in self.candidates.iter_mut().filter(|own| own.op == op && !is_left(&own.value)) {
            own.ended.get_or_insert(now);
            own.gone.get_or_insert(now);
            own.gone_durably = true;
        }
    }

    /// The operation has not happened.
    pub(crate) fn refuse(&mut self, op: OpNumber) {
        self.candidates.retain(|own| own.op != op);
    }

    /// Notes a crash. A value that is not durable may be gone, and an operation on its way may have happened.
    pub(crate) fn crash(&mut self, now: Moment) {
        self.candidates.retain(|candidate| !candidate.gone_durably);
        self.lose();
        for candidate in &mut self.candidates {
            candidate.ended.get_or_insert(now);
        }
    }

    /// Notes that values which are not durable may be gone. Whoever reads since before may still see what is gone for
    /// ever.
    pub(crate) fn lose(&mut self) {
        for candidate in self.candidates.iter_mut().filter(|candidate| !candidate.gone_durably) {
            candidate.gone = None;
        }
    }

    /// The values that it may have had at some moment since.
    pub(crate) fn since(&self, start: Moment) -> impl Iterator<Item = &V> {
        let there = move |candidate: &&Candidate<V>| candidate.gone.is_none_or(|gone| gone > start);
        self.candidates.iter().filter(there).map(|candidate| &candidate.value)
    }

    /// The same, but for what an operation itself makes of it.
    pub(crate) fn others(&self, op: OpNumber, start: Moment) -> impl Iterator<Item = &V> {
        let there =
            move |candidate: &&Candidate<V>| candidate.op != op && candidate.gone.is_none_or(|gone| gone > start);
        self.candidates.iter().filter(there).map(|candidate| &candidate.value)
    }

    /// The value that it surely had all the while since, if there is one.
    pub(crate) fn certain(&self, start: Moment) -> Option<&V> {
        let mut values = self.since(start);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// Renames the value `old` to `new`.
    pub(crate) fn replace(&mut self, old: &V, new: &V) {
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.value == *old) {
            candidate.value = new.clone();
        }
    }

    /// It surely has this value, and keeps it in a crash: seen after a recovery, when nothing was on its way.
    pub(crate) fn pin(&mut self, value: V) {
        *self = Register::new(value);
    }

    /// Forgets what no question can be about any more.
    pub(crate) fn forget(&mut self, oldest: Moment) {
        self.candidates.retain(|candidate| {
            !(candidate.gone_durably && candidate.gone.is_some_and(|gone| gone < oldest) && candidate.ended.is_some())
        });
    }
}

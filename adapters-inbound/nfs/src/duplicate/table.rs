use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use dittofs_transport::ClientNetwork;

use super::{DuplicateKey, DuplicateLimits};

/// The rules of the cache, without locks or clocks. A call is running, then answered, then forgotten.
///
/// If there are too many calls, the table forgets those of the client that holds most, oldest first. So no client can
/// flush the calls of another, however many it sends: it only pushes out its own.
#[derive(Debug)]
pub struct DuplicateTable {
    limits: DuplicateLimits,
    entries: HashMap<DuplicateKey, Entry>,
    /// The answered calls in the order of their answers.
    answered: BTreeMap<u64, (Instant, DuplicateKey)>,
    next: u64,
    holders: HashMap<ClientNetwork, Held>,
    /// The same holders by what they hold.
    by_weight: BTreeSet<(usize, ClientNetwork)>,
    bytes: usize,
}

#[derive(Debug)]
enum Entry {
    Running,
    Answered(Bytes),
}

/// The answered calls of one client.
#[derive(Debug, Default)]
struct Held {
    /// Oldest first: keys of `DuplicateTable::answered`.
    answered: VecDeque<u64>,
    weight: usize,
}

/// The way to treat a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Carry it out, then say [`DuplicateTable::answered`] or [`DuplicateTable::abandon`].
    First,
    /// Say nothing: its first copy is still running, and will be answered.
    Running,
    /// Answer with these bytes, the first copy's reply.
    Answered(Bytes),
    /// Carry it out; the table is full of running calls and does not remember this one.
    Untracked,
}

/// About what an entry takes beside its reply, so that a client with many short replies counts as one that holds much.
const ENTRY_WEIGHT: usize = 192;

impl DuplicateTable {
    /// An empty table.
    pub fn new(limits: DuplicateLimits) -> Self {
        Self {
            limits,
            entries: HashMap::new(),
            answered: BTreeMap::new(),
            next: 0,
            holders: HashMap::new(),
            by_weight: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// A call has come in.
    pub fn begin(&mut self, key: DuplicateKey, now: Instant) -> Begin {
        self.expire(now);
        match self.entries.get(&key) {
            Some(Entry::Running) => return Begin::Running,
            Some(Entry::Answered(reply)) => return Begin::Answered(reply.clone()),
            None => {}
        }
        while self.entries.len() >= self.limits.entries_max {
            if !self.forget_one() {
                return Begin::Untracked;
            }
        }
        self.entries.insert(key, Entry::Running);
        Begin::First
    }

    /// The first copy has been carried out. `None`, or a reply that is too long, is not kept.
    pub fn answered(&mut self, key: DuplicateKey, reply: Option<Bytes>, now: Instant) {
        let kept = reply.filter(|reply| reply.len() <= self.limits.reply_bytes_max.min(self.limits.bytes_max));
        let Some(reply) = kept else { return self.abandon(&key) };
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if matches!(entry, Entry::Answered(_)) {
            return;
        }
        let bytes = reply.len();
        *entry = Entry::Answered(reply);
        self.bytes += bytes;
        let number = self.next;
        self.next += 1;
        self.answered.insert(number, (now, key));
        self.change(key.holder(), |held| {
            held.answered.push_back(number);
            held.weight += bytes + ENTRY_WEIGHT;
        });
        while self.bytes > self.limits.bytes_max && self.forget_one() {}
    }

    /// The first copy won't be answered.
    pub fn abandon(&mut self, key: &DuplicateKey) {
        if matches!(self.entries.get(key), Some(Entry::Running)) {
            self.entries.remove(key);
        }
    }

    /// The number of calls that are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no call is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of the replies that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn expire(&mut self, now: Instant) {
        while let Some((_, (answered, key))) = self.answered.first_key_value()
            && now.saturating_duration_since(*answered) >= self.limits.age_max
        {
            // The oldest of all is the oldest of its holder.
            self.forget_oldest_of(key.holder());
        }
    }

    /// Forgets the oldest answered call of who holds most; `false` if there is none.
    fn forget_one(&mut self) -> bool {
        let Some((_, holder)) = self.by_weight.last() else { return false };
        self.forget_oldest_of(*holder);
        true
    }

    fn forget_oldest_of(&mut self, holder: ClientNetwork) {
        let oldest = self.holders.get(&holder).and_then(|held| held.answered.front().copied());
        let Some((_, key)) = oldest.and_then(|number| self.answered.remove(&number)) else { return };
        let bytes = match self.entries.remove(&key) {
            Some(Entry::Answered(reply)) => reply.len(),
            Some(Entry::Running) | None => 0,
        };
        self.bytes -= bytes;
        self.change(holder, |held| {
            held.answered.pop_front();
            held.weight -= bytes + ENTRY_WEIGHT;
        });
    }

    /// Changes what a holder has, and its place among the others.
    fn change(&mut self, holder: ClientNetwork, change: impl FnOnce(&mut Held)) {
        let held = self.holders.entry(holder).or_default();
        self.by_weight.remove(&(held.weight, holder));
        change(held);
        if held.answered.is_empty() {
            self.holders.remove(&holder);
        } else {
            self.by_weight.insert((held.weight, holder));
        }
    }
}

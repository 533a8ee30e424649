use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::{ClientNetwork, MemoryBudget, State};

/// One connection's hand in a budget. Its drop leaves the line; what charges still hold they give back themselves.
#[derive(Debug)]
pub struct Account {
    pub(super) core: Arc<Core>,
}

/// Bytes of a connection that are spoken for until this is dropped.
#[derive(Debug)]
pub struct Charge {
    core: Arc<Core>,
    bytes: u64,
}

#[derive(Debug)]
pub(super) struct Core {
    budget: Arc<MemoryBudget>,
    network: ClientNetwork,
    /// Locked alone, or after the budget's state.
    local: Mutex<Local>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Local {
    /// The bytes that the charges hold.
    used: u64,
    /// The bytes that were taken of the budget beyond the connection's own, in multiples of [`GRAIN`]: never less than
    /// the charges, and one that was granted, need.
    taken: u64,
    request: Request,
}

/// The charge that there was no room for at once.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Request {
    #[default]
    None,
    /// It waits for so many bytes.
    Waiting(u64),
    /// There is room for so many bytes now, to be fetched.
    Granted(u64),
}

/// The budget is taken in multiples of this, so that small calls rarely come to it. A large record is as much or more.
pub(super) const GRAIN: u64 = 16 << 10;
/// A connection that is at work keeps so much more than it needs, for the same reason; one that waits keeps nothing. As
/// much as its receive buffer.
const SLACK_MAX: u64 = 64 << 10;

impl Account {
    pub(super) fn new(budget: Arc<MemoryBudget>, network: ClientNetwork) -> Account {
        let (local, waker) = (Mutex::default(), AtomicWaker::new());
        Account { core: Arc::new(Core { budget, network, local, waker }) }
    }

    /// Takes room for so many bytes, if there is some without waiting. More than the whole budget counts as that.
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        self.charge(bytes as u64, false)
    }

    /// Takes room for so many bytes, in line with others. More than the whole budget counts as that: it has its turn
    /// when nobody else holds anything. One call waits at a time: the last one's context is woken, and another number
    /// of bytes takes the place of the last one.
    pub fn poll_charge(&self, bytes: usize, context: &mut Context<'_>) -> Poll<Charge> {
        self.core.waker.register(context.waker());
        self.charge(bytes as u64, true).map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves the line; what was granted meanwhile is given back.
    pub fn forgo(&self) {
        if self.core.local.lock().request != Request::None {
            self.core.withdraw(&mut self.core.budget.state.lock());
        }
    }

    /// Whether another connection waits for room in its budget.
    pub fn is_short(&self) -> bool {
        let state = self.core.budget.state.lock();
        state.waiting.iter().any(|waiting| !Arc::ptr_eq(waiting, &self.core))
    }

    fn charge(&self, bytes: u64, may_wait: bool) -> Option<Charge> {
        let core = &self.core;
        let bytes = bytes.min(core.budget.charge_bytes_max());
        let charge = || Some(Charge { core: Arc::clone(core), bytes });
        if core.local.lock().use_taken(bytes, may_wait) {
            return charge();
        }
        let mut state = core.budget.state.lock();
        {
            let mut local = core.local.lock();
            // It may have been granted meanwhile.
            if local.use_taken(bytes, may_wait) {
                return charge();
            }
            if may_wait && local.request == Request::Waiting(bytes) {
                return None;
            }
        }
        if may_wait {
            core.withdraw(&mut state);
        }
        let mut local = core.local.lock();
        let missing = local.missing(bytes);
        if missing == 0 || (state.hungry == 0 && state.may_take(core.network, local.taken, missing)) {
            state.take(core.network, missing);
            local.taken += missing;
            local.used += bytes;
            return charge();
        }
        if !may_wait {
            return None;
        }
        local.request = Request::Waiting(bytes);
        drop(local);
        // Others may be waiting for what it would only keep at hand.
        core.trim(&mut state);
        state.waiting.push_back(Arc::clone(core));
        // Where its client holds nothing, it may be that it only must not pass others.
        state.serve_waiting();
        if core.local.lock().use_taken(bytes, may_wait) { charge() } else { None }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.forgo();
    }
}

impl Charge {
    /// The bytes that it holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Holds so many from now on. It may become more than there is room for: what is there already must be counted.
    pub fn set(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.core.force(bytes - self.bytes);
        } else {
            self.core.release(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// Holds what another one of the same account held, too.
    pub fn merge(&mut self, mut other: Charge) {
        debug_assert!(Arc::ptr_eq(&self.core, &other.core), "charges of one account");
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.core.release(self.bytes);
        }
    }
}

impl Core {
    pub(super) fn network(&self) -> ClientNetwork {
        self.network
    }

    /// Grants the bytes that it waits for, if it may have all that it lacks now: since it came its charges may have
    /// become more or less. One that is barred may only have what is its own.
    pub(super) fn grant(&self, state: &mut State, is_barred: bool) -> bool {
        let mut local = self.local.lock();
        let Request::Waiting(bytes) = local.request else { return true };
        let missing = local.missing(bytes);
        if missing > 0 && (is_barred || !state.may_take(self.network, local.taken, missing)) {
            return false;
        }
        state.take(self.network, missing);
        local.taken += missing;
        local.request = Request::Granted(bytes);
        drop(local);
        self.waker.wake();
        true
    }

    /// Gives up the charge that waits, or that was granted.
    fn withdraw(self: &Arc<Self>, state: &mut State) {
        let request = std::mem::take(&mut self.local.lock().request);
        match request {
            Request::None => return,
            Request::Waiting(_) => state.leave(self),
            Request::Granted(_) => {}
        }
        self.trim(state);
        state.serve_waiting();
    }

    fn force(&self, bytes: u64) {
        let mut state = self.budget.state.lock();
        let mut local = self.local.lock();
        let missing = local.missing(bytes);
        state.take(self.network, missing);
        local.taken += missing;
        local.used += bytes;
        drop(local);
        // Another one of its client may be in line, which held nothing until now and so kept others waiting.
        if missing > 0 {
            state.serve_waiting();
        }
    }

    fn release(&self, bytes: u64) {
        let is_waiting = {
            let mut local = self.local.lock();
            local.used = local.used.saturating_sub(bytes);
            let is_waiting = local.is_waiting();
            if !is_waiting && local.surplus() == 0 {
                return;
            }
            is_waiting
        };
        let mut state = self.budget.state.lock();
        // One that waits lacks less now.
        if self.trim(&mut state) || is_waiting {
            state.serve_waiting();
        }
    }

    /// Gives back what is not needed.
    fn trim(&self, state: &mut State) -> bool {
        let mut local = self.local.lock();
        let surplus = local.surplus();
        local.taken -= surplus;
        drop(local);
        state.give_back(self.network, surplus);
        surplus > 0
    }
}

impl Local {
    fn is_waiting(&self) -> bool {
        matches!(self.request, Request::Waiting(_))
    }

    /// Uses bytes of what was taken already. Who waits gets what was granted, and nothing else before; others leave
    /// that.
    fn use_taken(&mut self, bytes: u64, may_wait: bool) -> bool {
        let fits = match self.request {
            Request::Waiting(_) if may_wait => false,
            Request::Granted(granted) if may_wait => granted == bytes,
            Request::None | Request::Waiting(_) | Request::Granted(_) => self.missing(bytes) == 0,
        };
        if fits {
            self.used += bytes;
            if may_wait {
                self.request = Request::None;
            }
        }
        fits
    }

    /// Returns the bytes that the charges need of the budget, with one that was granted and so many bytes more.
    fn needed(&self, bytes: u64) -> u64 {
        let granted = if let Request::Granted(granted) = self.request { granted } else { 0 };
        (self.used + granted + bytes).saturating_sub(MemoryBudget::OWN_CALL_BYTES).next_multiple_of(GRAIN)
    }

    /// Returns the bytes that must be taken in addition for so many bytes.
    fn missing(&self, bytes: u64) -> u64 {
        self.needed(bytes).saturating_sub(self.taken)
    }

    /// Returns the bytes that were taken and are not needed any more. These are all of them once the connection's own
    /// suffice.
    fn surplus(&self) -> u64 {
        let needed = self.needed(0);
        let surplus = self.taken.saturating_sub(needed);
        if needed == 0 || self.is_waiting() || surplus > SLACK_MAX { surplus } else { 0 }
    }
}

#[cfg(test)]
impl Core {
    /// Panics unless what was taken suffices for what was promised, and nothing is kept while it waits.
    pub(super) fn assert_sound(&self) {
        let local = self.local.lock();
        assert!(local.taken >= local.needed(0), "less than what was promised: {local:?}");
        assert!(!local.is_waiting() || local.taken == local.needed(0), "it waits and keeps some: {local:?}");
    }

    /// Whether it waits for bytes that it might have.
    pub(super) fn waits_in_vain(&self, state: &State) -> bool {
        let local = self.local.lock();
        let Request::Waiting(bytes) = local.request else { return true };
        let missing = local.missing(bytes);
        missing == 0 || state.may_take(self.network, local.taken, missing)
    }
}

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::{MemoryBudget, State, Waiting};

/// One connection's hand in a budget. Its drop leaves the line; what charges still hold they give back themselves.
#[derive(Debug)]
pub struct Account {
    core: Arc<Core>,
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
    address: IpAddr,
    /// Locked alone, or after the budget's state.
    local: Mutex<Local>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Local {
    /// What the charges hold.
    used: u64,
    /// What was taken of the budget for them, beyond the connection's own.
    taken: u64,
    /// What a charge asks for that stands in line.
    asked: u64,
    /// What a charge asked for that was granted meanwhile, and is to be fetched.
    granted: u64,
    is_waiting: bool,
}

/// The budget is taken in multiples of this, so that small calls rarely come to it.
const GRAIN: u64 = 16 << 10;
/// A connection that is at work keeps so much more than it needs, for the same reason.
const SLACK_MAX: u64 = 64 << 10;

impl Account {
    pub(super) fn new(budget: Arc<MemoryBudget>, address: IpAddr) -> Account {
        let (local, waker) = (Mutex::default(), AtomicWaker::new());
        Account { core: Arc::new(Core { budget, address, local, waker }) }
    }

    /// Takes room for so many bytes, if there is some without waiting.
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        self.charge(bytes as u64, false)
    }

    /// Takes room for so many bytes, in line with others. One call waits at a time: the last one's context is woken.
    pub fn poll_charge(&self, bytes: usize, context: &mut Context<'_>) -> Poll<Charge> {
        self.core.waker.register(context.waker());
        self.charge(bytes as u64, true).map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves the line; what was granted meanwhile is given back.
    pub fn forgo(&self) {
        let mut state = self.core.budget.state.lock();
        let was_waiting = {
            let mut local = self.core.local.lock();
            local.granted = 0;
            std::mem::take(&mut local.is_waiting)
        };
        self.core.trim(&mut state);
        if was_waiting {
            state.leave(&self.core);
        }
        state.serve_waiting();
    }

    /// Whether somebody waits for room in its budget.
    pub fn is_short(&self) -> bool {
        self.core.budget.is_short()
    }

    /// Bytes that are spoken for.
    pub fn used(&self) -> u64 {
        self.core.local.lock().used
    }

    fn charge(&self, bytes: u64, may_wait: bool) -> Option<Charge> {
        let core = &self.core;
        let charge = || Some(Charge { core: Arc::clone(core), bytes });
        {
            let mut local = core.local.lock();
            let stands_in_line = may_wait && local.is_waiting;
            if !stands_in_line && local.use_taken(bytes, may_wait) {
                return charge();
            }
        }
        let mut state = core.budget.state.lock();
        let mut local = core.local.lock();
        // It may have been granted meanwhile, or become free among what this account has.
        if local.use_taken(bytes, may_wait) {
            if may_wait && std::mem::take(&mut local.is_waiting) {
                drop(local);
                state.leave(core);
            }
            return charge();
        }
        if local.is_waiting {
            return None;
        }
        let wanted = local.wanted(bytes);
        if state.hungry == 0 && state.may_take(core.address, local.taken, wanted) {
            state.take(core.address, wanted);
            local.taken += wanted;
            local.used += bytes;
            return charge();
        }
        if may_wait {
            (local.is_waiting, local.asked) = (true, bytes);
            drop(local);
            state.waiting.push_back(Waiting { account: Arc::clone(core), bytes: wanted });
            // Where its address holds nothing, it may be that it only must not pass others.
            state.serve_waiting();
        }
        None
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
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    pub(super) fn taken(&self) -> u64 {
        self.local.lock().taken
    }

    /// Hands over what was waited for; it is taken already.
    pub(super) fn grant(&self, bytes: u64) {
        {
            let mut local = self.local.lock();
            local.taken += bytes;
            local.granted = local.asked;
            local.is_waiting = false;
        }
        self.waker.wake();
    }

    fn force(&self, bytes: u64) {
        let mut state = self.budget.state.lock();
        let mut local = self.local.lock();
        let wanted = local.wanted(bytes);
        if wanted > 0 {
            state.take(self.address, wanted);
            local.taken += wanted;
        }
        local.used += bytes;
    }

    fn release(&self, bytes: u64) {
        {
            let mut local = self.local.lock();
            local.used = local.used.saturating_sub(bytes);
            if local.surplus() == 0 {
                return;
            }
        }
        let mut state = self.budget.state.lock();
        if self.trim(&mut state) {
            state.serve_waiting();
        }
    }

    /// Gives back what is not needed.
    fn trim(&self, state: &mut State) -> bool {
        let mut local = self.local.lock();
        let surplus = local.surplus();
        local.taken -= surplus;
        drop(local);
        state.give_back(self.address, surplus);
        surplus > 0
    }
}

impl Local {
    /// Uses bytes of what was taken already; what was granted is for who waited.
    fn use_taken(&mut self, bytes: u64, may_wait: bool) -> bool {
        let granted = if may_wait { 0 } else { self.granted };
        let fits = self.used + granted + bytes <= MemoryBudget::OWN_CALL_BYTES + self.taken;
        if fits {
            self.used += bytes;
            if may_wait {
                self.granted = 0;
            }
        }
        fits
    }

    /// What more must be taken for so many bytes.
    fn wanted(&self, bytes: u64) -> u64 {
        let needed = (self.used + self.granted + bytes).saturating_sub(MemoryBudget::OWN_CALL_BYTES);
        needed.next_multiple_of(GRAIN).saturating_sub(self.taken)
    }

    /// What was taken and is not needed any more. All of it once the connection's own suffices.
    fn surplus(&self) -> u64 {
        let needed = (self.used + self.granted).saturating_sub(MemoryBudget::OWN_CALL_BYTES).next_multiple_of(GRAIN);
        let surplus = self.taken.saturating_sub(needed);
        if needed == 0 || surplus > SLACK_MAX { surplus } else { 0 }
    }
}

//! How many connections there are, and which one goes when there are too many.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Control, Wish};

/// The connections of all protocols.
#[derive(Debug)]
pub struct Connections {
    bounds: ConnectionBounds,
    started: Instant,
    state: Mutex<State>,
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// In all.
    pub all_max: usize,
    /// Of one address.
    pub address_max: usize,
    /// Of those that no share has answered a call of yet.
    pub strangers_max: usize,
}

/// Why there is no place for a connection: all that count against this bound are carrying out calls, or are strangers that have
/// hardly had time to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// [`ConnectionBounds::all_max`].
    All,
    /// [`ConnectionBounds::address_max`].
    Address,
    /// [`ConnectionBounds::strangers_max`].
    Strangers,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<u64, Open>,
    by_address: HashMap<IpAddr, usize>,
    strangers: usize,
    next: u64,
    /// Connections that were closed to make room.
    displaced: u64,
}

#[derive(Debug)]
struct Open {
    address: IpAddr,
    control: Arc<Control>,
    activity: Arc<Activity>,
    is_stranger: bool,
}

/// When a connection was last active, in milliseconds since the start; [`BUSY`] while it carries out calls.
#[derive(Debug, Default)]
struct Activity(AtomicU64);

const BUSY: u64 = u64::MAX;
/// A stranger is not displaced for so long. Clients that all connect at once, as after a restart, would else displace each
/// other before any of them has been heard.
const STRANGER_GRACE: Duration = Duration::from_secs(1);

/// A connection's place, given back by its drop.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<Connections>,
    id: u64,
    activity: Arc<Activity>,
    is_stranger: bool,
}

impl Default for ConnectionBounds {
    /// An address may have half of them, so that one client leaves room for others. Of strangers there may be 64, as
    /// knfsd has it.
    fn default() -> Self {
        ConnectionBounds { all_max: 1024, address_max: 512, strangers_max: 64 }
    }
}

impl Connections {
    /// No connections yet.
    pub fn new(bounds: ConnectionBounds) -> Arc<Connections> {
        Arc::new(Connections { bounds, started: Instant::now(), state: Mutex::default() })
    }

    /// The bounds.
    pub fn bounds(&self) -> ConnectionBounds {
        self.bounds
    }

    /// A place for one more, which comes now. Where a bound is reached, the idlest of those that count against it is asked
    /// by its `control` to end, and counts no more.
    ///
    /// # Errors
    /// The bound at which all connections are busy. Of [`Full::Strangers`] a moment later is worth a try.
    pub fn take(self: &Arc<Self>, address: IpAddr, control: Arc<Control>, now: Instant) -> Result<Seat, Full> {
        let since = self.now(now);
        let mut state = self.state.lock();
        let of_address = state.by_address.get(&address).copied().unwrap_or_default();
        if of_address >= self.bounds.address_max
            && !state.displace(since, Duration::ZERO, |open| open.address == address)
        {
            return Err(Full::Address);
        }
        if state.strangers >= self.bounds.strangers_max
            && !state.displace(since, STRANGER_GRACE, |open| open.is_stranger)
        {
            return Err(Full::Strangers);
        }
        if state.open.len() >= self.bounds.all_max && !state.displace(since, Duration::ZERO, |_| true) {
            return Err(Full::All);
        }
        let id = state.next;
        state.next += 1;
        let activity = Arc::new(Activity(AtomicU64::new(since)));
        state.open.insert(id, Open { address, control, activity: Arc::clone(&activity), is_stranger: true });
        *state.by_address.entry(address).or_default() += 1;
        state.strangers += 1;
        Ok(Seat { connections: Arc::clone(self), id, activity, is_stranger: true })
    }

    /// Closes the idlest connection, for want of something that is not counted here, such as descriptors. False where
    /// all are busy.
    pub fn make_room(&self) -> bool {
        self.state.lock().displace(self.now(Instant::now()), Duration::ZERO, |_| true)
    }

    /// Connections that count.
    pub fn open(&self) -> usize {
        self.state.lock().open.len()
    }

    /// Connections that were closed to make room.
    pub fn displaced(&self) -> u64 {
        self.state.lock().displaced
    }

    fn now(&self, now: Instant) -> u64 {
        // Half a billion years from the end of the range.
        now.saturating_duration_since(self.started).as_millis() as u64
    }
}

impl State {
    /// Asks the idlest of some connections to end, if it has been idle for so long.
    fn displace(&mut self, now: u64, at_least: Duration, among: impl Fn(&Open) -> bool) -> bool {
        let at_least = at_least.as_millis() as u64;
        let idle = self.open.iter().filter(|(_, open)| among(open));
        let idle = idle
            .map(|(id, open)| (open.activity.0.load(Ordering::Relaxed), *id))
            .filter(|(at, _)| at.saturating_add(at_least) <= now);
        // Of those that are equally idle, the oldest.
        let Some((_, id)) = idle.min() else { return false };
        if let Some(open) = self.remove(id) {
            self.displaced += 1;
            open.control.ask(Wish::Drain);
        }
        true
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.strangers -= usize::from(open.is_stranger);
        if let Some(count) = self.by_address.get_mut(&open.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&open.address);
            }
        }
        Some(open)
    }
}

impl Seat {
    /// The connection carries out calls, and won't be closed to make room.
    pub fn busy(&self) {
        self.activity.0.store(BUSY, Ordering::Relaxed);
    }

    /// The connection carries out nothing, and was last active then.
    pub fn idle_since(&self, at: Instant) {
        self.activity.0.store(self.connections.now(at), Ordering::Relaxed);
    }

    /// A share has answered a call of it.
    pub fn admit(&mut self) {
        if !std::mem::take(&mut self.is_stranger) {
            return;
        }
        let mut state = self.connections.state.lock();
        if let Some(open) = state.open.get_mut(&self.id)
            && std::mem::take(&mut open.is_stranger)
        {
            state.strangers -= 1;
        }
    }

    /// Whether no share has answered a call of it yet.
    pub fn is_stranger(&self) -> bool {
        self.is_stranger
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.state.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests;

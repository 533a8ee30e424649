//! How many connections there are, and which one goes when there are too many.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{ClientNetwork, Control, Wish};

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
    /// Of one client: see [`ClientNetwork`].
    pub address_max: usize,
    /// Of those that no share has answered a call of yet. One client may have half of them.
    pub unadmitted_max: usize,
}

/// Why there is no place for a connection: all that count against this bound are carrying out calls, or are unadmitted
/// and have hardly had time to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// [`ConnectionBounds::all_max`].
    All,
    /// [`ConnectionBounds::address_max`].
    Address,
    /// [`ConnectionBounds::unadmitted_max`].
    Unadmitted,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<u64, Open>,
    /// Those of them that no share has answered a call of.
    unadmitted: BTreeSet<u64>,
    /// Only clients that have some.
    by_network: HashMap<ClientNetwork, Count>,
    next: u64,
    /// Connections that were closed to make room.
    displaced: u64,
}

/// Connections of one client.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    open: usize,
    unadmitted: usize,
}

#[derive(Debug)]
struct Open {
    network: ClientNetwork,
    control: Arc<Control>,
    /// When it began, in milliseconds since the start.
    since: u64,
    activity: Arc<Activity>,
}

/// When a connection was last active, in milliseconds since the start; [`BUSY`] while it carries out calls.
#[derive(Debug, Default)]
struct Activity(AtomicU64);

const BUSY: u64 = u64::MAX;
/// A connection that no share has admitted is not displaced for so long from its beginning, whatever it does: calls
/// that no share answers cost nothing, and must keep no place. Clients that all connect at once, as after a restart,
/// would else displace each other before any of them has been heard.
const UNADMITTED_GRACE: Duration = Duration::from_secs(1);
/// The part of the places of unadmitted connections that one client may have, so that none locks out all others.
const UNADMITTED_PART: usize = 2;

/// A connection's place, given back by its drop.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<Connections>,
    id: u64,
    activity: Arc<Activity>,
    is_unadmitted: bool,
}

impl Default for ConnectionBounds {
    /// A client may have half of them, so that it leaves room for others. Of unadmitted ones there may be 64, as
    /// knfsd has it.
    fn default() -> Self {
        ConnectionBounds { all_max: 1024, address_max: 512, unadmitted_max: 64 }
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

    /// A place for one more, which comes now. Where a bound is reached, one of those that count against it is asked by
    /// its `control` to end, and counts no more: the idlest; of unadmitted ones, one of the client that has most of
    /// them.
    ///
    /// # Errors
    /// The bound at which all connections are busy. Of [`Full::Unadmitted`] a moment later is worth a try.
    pub fn take(self: &Arc<Self>, network: ClientNetwork, control: Arc<Control>, now: Instant) -> Result<Seat, Full> {
        let since = self.now(now);
        let mut state = self.state.lock();
        for id in state.making_room(&self.bounds, network, since)? {
            state.displace(id);
        }
        let id = state.next;
        state.next += 1;
        let activity = Arc::new(Activity(AtomicU64::new(since)));
        state.open.insert(id, Open { network, control, since, activity: Arc::clone(&activity) });
        state.unadmitted.insert(id);
        let count = state.by_network.entry(network).or_default();
        (count.open, count.unadmitted) = (count.open + 1, count.unadmitted + 1);
        Ok(Seat { connections: Arc::clone(self), id, activity, is_unadmitted: true })
    }

    /// Closes the idlest connection, for want of something that is not counted here, such as descriptors. False where
    /// all are busy.
    pub fn make_room(&self) -> bool {
        let mut state = self.state.lock();
        let idlest = state.idlest(|_, _| true);
        idlest.inspect(|id| state.displace(*id)).is_some()
    }

    /// Connections that count.
    pub fn open(&self) -> usize {
        self.state.lock().open.len()
    }

    /// Connections of a client that no share has answered a call of yet.
    pub fn unadmitted_of(&self, network: ClientNetwork) -> usize {
        self.state.lock().of(network).unadmitted
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

impl ConnectionBounds {
    /// Newcomers that may wait at one listener for a place: see [`super::Newcomers`]. Each has a file descriptor,
    /// beside those of connections. Twice the unadmitted connections that there may be: a burst of clients after a
    /// restart.
    pub const NEWCOMERS_MAX: usize = 128;

    /// Unadmitted connections of one client.
    fn unadmitted_of_one_max(&self) -> usize {
        self.unadmitted_max.div_ceil(UNADMITTED_PART)
    }
}

impl State {
    fn of(&self, network: ClientNetwork) -> Count {
        self.by_network.get(&network).copied().unwrap_or_default()
    }

    /// Who has to go so that there is a place for one more connection of a client.
    fn making_room(&self, bounds: &ConnectionBounds, network: ClientNetwork, now: u64) -> Result<Vec<u64>, Full> {
        let mut leaving = Vec::new();
        let of_it = self.of(network);
        let at_own_bound = of_it.unadmitted >= bounds.unadmitted_of_one_max();
        if at_own_bound || self.unadmitted.len() >= bounds.unadmitted_max {
            let unadmitted = self.unadmitted_to_displace(network, at_own_bound, now);
            leaving.push(unadmitted.ok_or(Full::Unadmitted)?);
        }
        let is_own = |open: &Open| open.network == network;
        let own_leaving = leaving.iter().filter_map(|id| self.open.get(id)).filter(|open| is_own(open)).count();
        if of_it.open - own_leaving >= bounds.address_max {
            let own = self.idlest(|id, open| is_own(open) && !leaving.contains(&id));
            leaving.push(own.ok_or(Full::Address)?);
        }
        if self.open.len() - leaving.len() >= bounds.all_max {
            let any = self.idlest(|id, _| !leaving.contains(&id));
            leaving.push(any.ok_or(Full::All)?);
        }
        Ok(leaving)
    }

    /// Of unadmitted connections that have had their grace, one of the client that has most, but none of a client that
    /// has fewer than the newcomer's. One that is busy goes too if no other does: what it has asked for is still
    /// answered.
    fn unadmitted_to_displace(&self, newcomer: ClientNetwork, only_own: bool, now: u64) -> Option<u64> {
        let grace = UNADMITTED_GRACE.as_millis() as u64;
        let own = self.of(newcomer).unadmitted;
        let unadmitted = self.unadmitted.iter().filter_map(|id| Some((*id, self.open.get(id)?)));
        let may_go = unadmitted.filter(|(_, open)| open.since.saturating_add(grace) <= now).filter_map(|(id, open)| {
            let of_its_client = self.of(open.network).unadmitted;
            let is_eligible = if only_own { open.network == newcomer } else { of_its_client >= own };
            is_eligible.then(|| (Reverse(of_its_client), open.activity.at(), id))
        });
        may_go.min().map(|(.., id)| id)
    }

    /// The connection that has been idle for longest, of those that are not busy; of some that are equally idle the
    /// oldest. An unadmitted one has been idle from its beginning: what no share answers does not count.
    fn idlest(&self, among: impl Fn(u64, &Open) -> bool) -> Option<u64> {
        let open = self.open.iter().filter(|(id, open)| among(**id, open) && open.activity.at() != BUSY);
        let idle = open.map(|(id, open)| {
            let at = if self.unadmitted.contains(id) { open.since } else { open.activity.at() };
            (at, *id)
        });
        idle.min().map(|(_, id)| id)
    }

    /// Asks a connection to end.
    fn displace(&mut self, id: u64) {
        if let Some(open) = self.remove(id) {
            self.displaced += 1;
            open.control.ask(Wish::Drain);
        }
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        self.admit(id);
        let open = self.open.remove(&id)?;
        if let Some(count) = self.by_network.get_mut(&open.network) {
            count.open -= 1;
            if count.open == 0 {
                self.by_network.remove(&open.network);
            }
        }
        Some(open)
    }

    /// Counts a connection among the unadmitted no more.
    fn admit(&mut self, id: u64) {
        if self.unadmitted.remove(&id)
            && let Some(open) = self.open.get(&id)
            && let Some(count) = self.by_network.get_mut(&open.network)
        {
            count.unadmitted -= 1;
        }
    }
}

impl Activity {
    fn at(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// The connection carries out calls, and won't be closed to make room unless it is unadmitted.
    pub fn busy(&self) {
        self.activity.0.store(BUSY, Ordering::Relaxed);
    }

    /// The connection carries out nothing, and was last active then.
    pub fn idle_since(&self, at: Instant) {
        self.activity.0.store(self.connections.now(at), Ordering::Relaxed);
    }

    /// A share has answered a call of it.
    pub fn admit(&mut self) {
        if std::mem::take(&mut self.is_unadmitted) {
            self.connections.state.lock().admit(self.id);
        }
    }

    /// Whether no share has answered a call of it yet.
    pub fn is_unadmitted(&self) -> bool {
        self.is_unadmitted
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.state.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests;

//! Newcomers that wait for a place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ClientNetwork, ConnectionBounds, Connections, Control, Full, Seat};

/// Those that one listener has accepted, and that wait for a [`Seat`] because too many have not been heard yet. What
/// stands for a newcomer outside, such as its socket, is a `T`. Time is an argument.
///
/// The listener goes on meanwhile, so that one machine's newcomers delay nobody else's: when places become free, the
/// client that would have fewest unadmitted connections comes first, and where too many wait the newest goes of the
/// client that has most.
#[derive(Debug)]
pub struct Newcomers<T> {
    /// In the order in which they came.
    line: Vec<Newcomer<T>>,
}

#[derive(Debug)]
struct Newcomer<T> {
    network: ClientNetwork,
    control: Arc<Control>,
    since: Instant,
    socket: T,
}

/// The outcome for a newcomer.
#[derive(Debug)]
pub enum Received<T> {
    /// It has a place.
    Seated(T, Seat),
    /// It is to be closed.
    Refused(T, Full),
}

/// How long a newcomer waits. Most are heard within a few milliseconds; the others may be displaced after a
/// second.
const PATIENCE: Duration = Duration::from_secs(2);

impl<T> Newcomers<T> {
    /// Takes one in. It has a place at once or waits, perhaps instead of another one, which is answered.
    pub fn receive(
        &mut self,
        connections: &Arc<Connections>,
        (network, control): (ClientNetwork, Arc<Control>),
        socket: T,
        now: Instant,
    ) -> Option<Received<T>> {
        // Nobody passes those that wait.
        if self.line.is_empty() {
            match connections.take(network, Arc::clone(&control), now) {
                Ok(seat) => return Some(Received::Seated(socket, seat)),
                Err(Full::Unadmitted) => {}
                Err(full) => return Some(Received::Refused(socket, full)),
            }
        }
        self.line.push(Newcomer { network, control, since: now, socket });
        if self.line.len() <= ConnectionBounds::NEWCOMERS_MAX { None } else { self.turn_away() }
    }

    /// Gives the places that there are to those that wait, and returns the outcomes; also of those that have waited
    /// for too long.
    pub fn serve(&mut self, connections: &Arc<Connections>, now: Instant) -> Vec<Received<T>> {
        let mut taken: HashMap<usize, Result<Seat, Full>> = HashMap::new();
        let mut barred = HashSet::new();
        for index in self.fairest_first(connections) {
            let Some(Newcomer { network, control, since, .. }) = self.line.get(index) else { continue };
            let is_too_late = now.saturating_duration_since(*since) >= PATIENCE;
            // Where one of its client finds no place, the next one does not either.
            let result = if barred.contains(network) {
                Err(Full::Unadmitted)
            } else {
                connections.take(*network, Arc::clone(control), now)
            };
            if let Err(Full::Unadmitted) = result {
                barred.insert(*network);
                if !is_too_late {
                    continue;
                }
            }
            taken.insert(index, result);
        }
        let mut received = Vec::with_capacity(taken.len());
        for (index, newcomer) in std::mem::take(&mut self.line).into_iter().enumerate() {
            match taken.remove(&index) {
                Some(Ok(seat)) => received.push(Received::Seated(newcomer.socket, seat)),
                Some(Err(full)) => received.push(Received::Refused(newcomer.socket, full)),
                None => self.line.push(newcomer),
            }
        }
        received
    }

    /// Refuses the newest of the client that has most; none where nobody waits.
    pub fn turn_away(&mut self) -> Option<Received<T>> {
        let mut of_client: HashMap<ClientNetwork, usize> = HashMap::new();
        for newcomer in &self.line {
            *of_client.entry(newcomer.network).or_default() += 1;
        }
        let waiting = self.line.iter().enumerate();
        let (index, _) = waiting.max_by_key(|(index, newcomer)| (of_client.get(&newcomer.network), *index))?;
        Some(Received::Refused(self.line.remove(index).socket, Full::Unadmitted))
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Places in line, by how many unadmitted connections its client would have with each and those before it.
    fn fairest_first(&self, connections: &Connections) -> Vec<usize> {
        let mut of_client: HashMap<ClientNetwork, usize> = HashMap::new();
        let waiting = self.line.iter().map(|Newcomer { network, .. }| {
            let unadmitted = of_client.entry(*network).or_insert_with(|| connections.unadmitted_of(*network));
            *unadmitted += 1;
            *unadmitted
        });
        let mut order: Vec<(usize, usize)> = waiting.zip(0..).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, index)| index).collect()
    }
}

impl<T> Default for Newcomers<T> {
    fn default() -> Self {
        Newcomers { line: Vec::new() }
    }
}

#[cfg(test)]
mod tests;

//! Who may cache, and how it is told that it may no longer (MS-SMB2, 3.3.4.6 and 3.3.4.7).
//!
//! The services decide what may be cached. Here it is noted to which open an oplock belongs, and to which
//! opens a lease, so that a break finds a connection to go out on.

mod leases;
mod notice;
mod oplocks;

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use dittofs_domain::{
    NodeId, ShareId,
    opens::{Break, LeaseForm, LeaseKey, OpenToken},
};
use dittofs_ports::NodeRef;
use parking_lot::Mutex;

use crate::{
    open::{Open, OpenKind},
    session::Session,
};
use leases::Leases;
pub(crate) use leases::{LeaseGiven, LeaseTaken, asked_rights};
use notice::LeaseNotice;
pub(crate) use notice::level;
use oplocks::Oplocks;

/// An open that caches, and its session.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) token: OpenToken,
    pub(crate) session: Weak<Session>,
    pub(crate) open: Weak<Open>,
}

impl Holder {
    pub(crate) fn new(token: OpenToken, session: &Arc<Session>, open: &Arc<Open>) -> Holder {
        Holder { token, session: Arc::downgrade(session), open: Arc::downgrade(open) }
    }
}

/// The outcome of a break.
pub(crate) enum Told {
    /// Its holder is told, or there is none any more.
    Yes,
    /// The holder has no connection: what it cached is lost.
    Unreachable(Holder),
}

/// All that may be cached by clients of the server.
#[derive(Default)]
pub(crate) struct Caching(Mutex<State>);

#[derive(Default)]
struct State {
    oplocks: Oplocks,
    leases: Leases,
    /// CREATEs under way, in the order in which they began. What they are granted can be broken before they know of it.
    opening: BTreeSet<u64>,
    next: u64,
    /// Breaks of what nobody knows yet, and which CREATE would have been the next then.
    early: Vec<(u64, Break)>,
}

/// A CREATE that may be granted something, as long as it has not noted it.
pub(crate) struct Opening<'c> {
    of: &'c Caching,
    number: u64,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut state = self.of.0.lock();
        state.opening.remove(&self.number);
        // Those that began later were granted nothing by then.
        let oldest = state.opening.first().copied().unwrap_or(u64::MAX);
        state.early.retain(|(next, _)| *next > oldest);
    }
}

impl Caching {
    /// Has breaks kept that come before their rights are noted. To be called before they are asked for.
    pub(crate) fn opening(&self) -> Opening<'_> {
        let mut state = self.0.lock();
        let number = state.next;
        state.next += 1;
        state.opening.insert(number);
        Opening { of: self, number }
    }

    /// The node that a lease is on, if its key is in use.
    pub(crate) fn lease_node(&self, key: &LeaseKey) -> Option<NodeRef> {
        self.0.lock().leases.node(key)
    }

    /// Notes an oplock. Its breaks are kept until [`Caching::answered`]: the client must hear of the open first.
    pub(crate) fn note_oplock(&self, key: &LeaseKey, holder: Holder) {
        let mut state = self.0.lock();
        state.oplocks.add(holder.clone());
        for early in state.take_early(key) {
            state.oplocks.tell(holder.token, early.to);
        }
    }

    /// The client is being told of an open.
    pub(crate) fn answered(&self, token: OpenToken) {
        self.0.lock().oplocks.answered(token);
    }

    /// Notes one more open of a lease. Returns what its client is told of it; none if the key is in use for another
    /// file.
    pub(crate) fn note_lease(&self, taken: &LeaseTaken, holder: Holder) -> Option<LeaseGiven> {
        let mut state = self.0.lock();
        let given = state.leases.add(taken, holder)?;
        for early in state.take_early(&taken.key) {
            state.leases.tell(&early);
        }
        Some(given)
    }

    /// An open that caches under a key is gone.
    pub(crate) fn forget(&self, key: &LeaseKey, token: OpenToken) {
        let mut state = self.0.lock();
        match key.form {
            LeaseForm::Oplock => state.oplocks.remove(token),
            LeaseForm::Lease => state.leases.remove(key, token),
            LeaseForm::Delegation => {}
        }
    }

    /// Tells the holder of rights that are being taken away.
    pub(crate) fn tell(&self, request: &Break) -> Told {
        let mut state = self.0.lock();
        let told = match request.key.form {
            LeaseForm::Oplock => state.oplocks.tell(OpenToken(request.key.id as u64), request.to),
            LeaseForm::Lease => state.leases.tell(request),
            LeaseForm::Delegation => return Told::Yes,
        };
        match told {
            Some(told) => told,
            None => {
                if !state.opening.is_empty() {
                    let next = state.next;
                    state.early.push((next, *request));
                }
                Told::Yes
            }
        }
    }

    /// The nodes below a directory that clients have open and cache.
    pub(crate) fn nodes_below(&self, share: ShareId, directory: NodeId) -> Vec<NodeId> {
        let opens: Vec<Arc<Open>> = {
            let state = self.0.lock();
            state.leases.holders().chain(state.oplocks.holders()).filter_map(|holder| holder.open.upgrade()).collect()
        };
        let nodes = opens.iter().filter_map(|open| match &open.kind {
            OpenKind::Node(node) if node.place.lock().is_below(share, directory) => Some(node.node),
            OpenKind::Node(_) | OpenKind::Pipe(_) => None,
        });
        nodes.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A lease has lost its rights, as its holder did not answer.
    pub(crate) fn revoked(&self, key: &LeaseKey) {
        self.0.lock().leases.revoked(key);
    }
}

impl State {
    fn take_early(&mut self, key: &LeaseKey) -> Vec<Break> {
        self.early.extract_if(.., |(_, early)| early.key == *key).map(|(_, early)| early).collect()
    }
}

#[cfg(test)]
mod tests;

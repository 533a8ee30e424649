//! The opens of a node, and how many of them there are of each kind.

use std::collections::BTreeMap;

use crate::{
    client::ClientId,
    id::NodeId,
    opens::{LeaseForm, LeaseKey, OpenToken, Requester, ShareAccess, ShareMode, share_mode::ShareCounts},
};

/// Whose rules an open's reads and writes follow where there are locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locking {
    /// POSIX's: locks of POSIX owners do not stop it, those of opens do. So it is, too, where there is no open at all.
    Advisory,
    /// MS-FSA's: all locks but its own exclusive ones stop it.
    Mandatory,
}

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// Who has it.
    pub client: ClientId,
    /// The access that it is for, and the access that it denies.
    pub share: ShareMode,
    /// How it meets locks.
    pub locking: Locking,
    /// Under which key it caches.
    pub lease: Option<LeaseKey>,
    /// Of a stream: the file that it is of, which is held by an open with the same token for as long as this one lasts.
    pub file: Option<NodeId>,
}

impl Open {
    /// Who has it, and under which key.
    pub(super) fn requester(&self) -> Requester {
        Requester { client: self.client, lease: self.lease }
    }
}

/// As many opens are looked at one by one; an index of them would take more memory than they do.
const FEW: usize = 4;

/// The opens under one key of a client, or under no key, or of a client in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Holding {
    opens: usize,
    shares: ShareCounts,
}

impl Holding {
    fn add(&mut self, open: &Open) {
        self.opens += 1;
        self.shares.add(open.share);
    }

    fn remove(&mut self, open: &Open) {
        self.opens -= 1;
        self.shares.remove(open.share);
    }
}

/// The opens of a node, by token. Counts answer what would otherwise need a look at each: a node may have 65,536.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct OpenFiles {
    opens: BTreeMap<OpenToken, Open>,
    all: Holding,
    /// By requester; empty while there are few.
    holdings: BTreeMap<Requester, Holding>,
}

impl OpenFiles {
    /// Puts an open in, in the place of one with the same token.
    pub(super) fn insert(&mut self, token: OpenToken, open: Open) {
        self.remove(token);
        self.opens.insert(token, open);
        self.all.add(&open);
        if self.is_indexed() && self.holdings.is_empty() {
            for open in self.opens.values() {
                self.holdings.entry(open.requester()).or_default().add(open);
            }
        } else if self.is_indexed() {
            self.holdings.entry(open.requester()).or_default().add(&open);
        }
    }

    pub(super) fn remove(&mut self, token: OpenToken) -> Option<Open> {
        let open = self.opens.remove(&token)?;
        self.all.remove(&open);
        if !self.is_indexed() {
            self.holdings.clear();
        } else if let Some(holding) = self.holdings.get_mut(&open.requester()) {
            holding.remove(&open);
            if holding.opens == 0 {
                self.holdings.remove(&open.requester());
            }
        }
        Some(open)
    }

    pub(super) fn remove_client(&mut self, client: ClientId) {
        if !self.has_client(client) {
            return;
        }
        let of_client = self.opens.iter().filter(|(_, open)| open.client == client);
        let tokens: Vec<OpenToken> = of_client.map(|(token, _)| *token).collect();
        for token in tokens {
            self.remove(token);
        }
    }

    /// Whether there can be an open other than `own` that conflicts with a share mode.
    pub(super) fn may_conflict(&self, own: Option<OpenToken>, share: ShareMode) -> bool {
        let mut others = self.all.shares;
        if let Some(open) = own.and_then(|token| self.opens.get(&token)) {
            others.remove(open.share);
        }
        others.may_conflict(share)
    }

    /// Returns the access of the opens whose requester does not own a key.
    pub(super) fn access_of_others(&self, key: &LeaseKey) -> ShareAccess {
        let own = match key.form {
            LeaseForm::Delegation => self.of_client(key.client),
            LeaseForm::Lease | LeaseForm::Oplock => self.under(key),
        };
        let mut others = self.all.shares;
        others.subtract(&own.shares);
        others.access()
    }

    /// Whether there is an open under a key.
    pub(super) fn has_key(&self, key: &LeaseKey) -> bool {
        self.under(key).opens > 0
    }

    pub(super) fn has_client(&self, client: ClientId) -> bool {
        match self.is_indexed() {
            true => self.holdings_of(client).next().is_some(),
            false => self.opens.values().any(|open| open.client == client),
        }
    }

    pub(super) fn get(&self, token: OpenToken) -> Option<&Open> {
        self.opens.get(&token)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&OpenToken, &Open)> {
        self.opens.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.opens.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.opens.is_empty()
    }

    fn under(&self, key: &LeaseKey) -> Holding {
        let by = Requester { client: key.client, lease: Some(*key) };
        match self.is_indexed() {
            true => self.holdings.get(&by).copied().unwrap_or_default(),
            false => self.look(|open| open.requester() == by),
        }
    }

    /// Adds up the opens of a client under all of its keys. A client with delegations has few keys.
    fn of_client(&self, client: ClientId) -> Holding {
        if !self.is_indexed() {
            return self.look(|open| open.client == client);
        }
        let mut sum = Holding::default();
        for holding in self.holdings_of(client) {
            sum.opens += holding.opens;
            sum.shares.merge(&holding.shares);
        }
        sum
    }

    fn holdings_of(&self, client: ClientId) -> impl Iterator<Item = &Holding> {
        // The least requester of a client is the one without a key.
        let least = Requester { client, lease: None };
        self.holdings.range(least..).take_while(move |(by, _)| by.client == client).map(|(_, holding)| holding)
    }

    fn look(&self, wanted: impl Fn(&Open) -> bool) -> Holding {
        let mut found = Holding::default();
        self.opens.values().filter(|open| wanted(open)).for_each(|open| found.add(open));
        found
    }

    fn is_indexed(&self) -> bool {
        self.opens.len() > FEW
    }
}

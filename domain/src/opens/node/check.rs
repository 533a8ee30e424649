//! The check before an operation: first without a change, which is all that most operations need.

use std::collections::BTreeSet;

use super::NodeOpens;
use crate::{
    client::ClientId,
    opens::{
        Denied, LeaseKey, Locking, OpenToken, Operation, Outcome, Requester, Rights, ShareAccess, ShareMode, Trigger,
    },
};

/// The verdict of the share modes of other opens.
enum Sharing {
    /// None is in the way.
    Free,
    /// This open is in the way for good.
    Denied(OpenToken),
    /// Opens are in the way that may be closed on their clients already: the first of them, and their keys.
    Cached(OpenToken, BTreeSet<LeaseKey>),
}

impl NodeOpens {
    /// Whether an operation may go on, by `opener` or without an open (NFSv3, or a special stateid), as far as that can
    /// be said without a change: without a break to be sent or waited for. `None` where it can't:
    /// [`NodeOpens::check`] decides. To be asked right before the operation is done, after rights that are overdue were
    /// revoked ([`NodeOpens::expire`]).
    ///
    /// An open that has gone meanwhile counts as none.
    ///
    /// Takes time that does not grow with the opens and rights of others, unless share modes conflict: asked for every
    /// read and write.
    ///
    /// # Errors
    /// In the answer: `Share` or `Locked`.
    pub fn admits(
        &self,
        client: ClientId,
        opener: Option<OpenToken>,
        operation: Operation,
    ) -> Option<Result<(), Denied>> {
        let own = opener.and_then(|token| self.opens.get(token).map(|open| (token, *open)));
        let by = Requester { client, lease: own.and_then(|(_, open)| open.lease) };
        let share = ShareMode { access: operation.access(), deny: ShareAccess::empty() };
        if !own.is_some_and(|(_, open)| open.share.access.contains(share.access)) {
            match self.sharing(opener, share, &by) {
                Sharing::Free => {}
                Sharing::Denied(token) => return Some(Err(Denied::Share(token))),
                Sharing::Cached(..) => return None,
            }
        }
        if let Some(range) = operation.range() {
            let mandatory = own.filter(|(_, open)| open.locking == Locking::Mandatory).map(|(token, _)| token);
            let write = operation.access() == ShareAccess::WRITE;
            if let Some(lock) = self.locks.io_conflict(mandatory, range, write) {
                return Some(Err(Denied::Locked(lock.clone())));
            }
        }
        (!self.leases.concerns(operation.trigger(), &by)).then_some(Ok(()))
    }

    /// Whether an operation may go on, as [`NodeOpens::admits`] says; where that can't be said without a change, takes
    /// away from others what is in the way.
    ///
    /// `Denied`: `Share` or `Locked`.
    pub fn check(
        &mut self,
        client: ClientId,
        opener: Option<OpenToken>,
        operation: Operation,
        deadline_ms: u64,
    ) -> Outcome {
        match self.admits(client, opener, operation) {
            Some(Ok(())) => return Outcome::Granted(Vec::new()),
            Some(Err(denied)) => return Outcome::Denied(denied),
            None => {}
        }
        let own = opener.and_then(|token| self.opens.get(token));
        let by = Requester { client, lease: own.and_then(|open| open.lease) };
        let share = ShareMode { access: operation.access(), deny: ShareAccess::empty() };
        if !own.is_some_and(|open| open.share.access.contains(share.access))
            && let Some(outcome) = self.share_conflict(opener, share, &by, deadline_ms)
        {
            return outcome;
        }
        self.leases.demand(operation.trigger(), &by, deadline_ms).into_outcome()
    }

    /// The answer if share modes of others are in the way. Those that may be closed on their clients already are
    /// asked back, unless one is in the way that is surely open.
    pub(super) fn share_conflict(
        &mut self,
        own: Option<OpenToken>,
        share: ShareMode,
        by: &Requester,
        deadline_ms: u64,
    ) -> Option<Outcome> {
        match self.sharing(own, share, by) {
            Sharing::Free => None,
            Sharing::Denied(token) => Some(Outcome::Denied(Denied::Share(token))),
            Sharing::Cached(first, keys) => {
                let demand = self.leases.demand_of(Trigger::ShareConflict, keys, deadline_ms);
                Some(match demand.into_outcome() {
                    Outcome::Granted(_) => Outcome::Denied(Denied::Share(first)),
                    outcome => outcome,
                })
            }
        }
    }

    fn sharing(&self, own: Option<OpenToken>, share: ShareMode, by: &Requester) -> Sharing {
        if !self.opens.may_conflict(own, share) {
            return Sharing::Free;
        }
        let mut cached = BTreeSet::new();
        let mut first = None;
        for (token, open) in self.opens.iter() {
            if Some(*token) == own || !open.share.conflicts(share) {
                continue;
            }
            let key = open.lease.filter(|key| !by.owns(key));
            match key.filter(|key| self.leases.find(key).is_some_and(|l| l.rights.contains(Rights::HANDLE))) {
                Some(key) => {
                    cached.insert(key);
                }
                None => return Sharing::Denied(*token),
            }
            first.get_or_insert(*token);
        }
        first.map_or(Sharing::Free, |first| Sharing::Cached(first, cached))
    }
}

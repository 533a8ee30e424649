//! How a start becomes the owner of a share's objects, and how it stays the owner.
//!
//! A state machine without clock or store: [`Tenure::step`] says what is to be done, and takes the answer. Where a
//! store puts a mark only in the place of the one that was seen, the first of two claims wins. Where it can't, a claim
//! counts only if it was sent soon after its holder had looked, and is still there after longer than that.

use std::time::Duration;

use super::{Holder, Lease, Lineage, Mark, Part, Phase, Standing, Start, Terms};
use crate::time::Timestamp;

/// The time after which a watched mark is read again: one small request a second, and only while somebody waits for the
/// share.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon a request that was not answered is sent again. An outage costs a request a second, and its end is seen a
/// second late.
const RETRY: Duration = Duration::from_secs(1);

/// Who wants to be the owner.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// The metadata store's name for its objects.
    pub owner: u128,
    /// The start.
    pub start: Start,
    /// Which starts its metadata know, this one included.
    pub lineage: Lineage,
    /// Where it runs.
    pub holder: Holder,
    /// The times of its lease.
    pub terms: Terms,
    /// Whether there are objects, so that a store without a mark is not the share's.
    pub must_be_there: bool,
    /// Whether it takes the objects though another one holds them.
    pub takes_over: bool,
}

/// Why a claimant is not the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The objects are of another metadata store.
    Foreign(Mark),
    /// There is no mark, though there must be objects.
    Gone,
    /// The mark is of a start that these metadata did not give.
    Ahead(Mark),
    /// The mark is older than the one that was there.
    Older(Mark),
    /// The holder lives: it renews its mark.
    Living(Mark),
    /// The holder lives: it keeps the store locked.
    Locked(Mark),
}

/// The next step of a tenure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read the mark.
    Read,
    /// Put a mark in the place of the one that was seen, or where none was.
    Write,
    /// Nothing before this time of the monotonic clock.
    Wait(Duration),
    /// Nothing, for good.
    Nothing,
}

#[derive(Clone, Debug)]
enum State {
    Looking,
    /// Another one may hold the objects: reads show whether the mark changes.
    Watching {
        since: Duration,
        look_at: Duration,
    },
    /// To be written; it was looked at then.
    Taking {
        looked: Duration,
    },
    /// Written over what may have come meanwhile; to be read again.
    Settling {
        sent: Duration,
        look_at: Duration,
    },
    Holding {
        lease: Lease,
        renew_at: Duration,
    },
    /// As `Holding`, where the store can't compare: it was looked just now.
    Renewing {
        lease: Lease,
        looked: Duration,
    },
    Refused(Refusal),
    /// It was the owner. The mark is that of the next one; none where it gave the objects back.
    Over(Option<Mark>),
}

/// One start's way to the objects of a share.
#[derive(Clone, Debug)]
pub struct Tenure {
    claimant: Claimant,
    state: State,
    /// The mark that was seen last.
    seen: Option<Mark>,
    /// Whether the objects were found to be those of its metadata.
    is_own: bool,
    /// Tags of marks that were sent, the newest last: all since the store last answered, as any of them may be the one
    /// that it has, and those that may still arrive.
    tried: Vec<u64>,
    /// Whether the store puts a mark only over the one that was seen; not known before the first was written.
    is_atomic: Option<bool>,
    retry_at: Duration,
    /// How long requests of a holder that may still live can have an effect after its mark was replaced.
    predecessor: Duration,
    /// None can have one after this time.
    quiet_from: Duration,
    /// When the store was last heard of, or not.
    heard: Duration,
}

impl Tenure {
    /// One that has not looked yet.
    pub fn new(claimant: Claimant) -> Tenure {
        Tenure {
            claimant,
            state: State::Looking,
            seen: None,
            is_own: false,
            tried: Vec::new(),
            is_atomic: None,
            retry_at: Duration::ZERO,
            predecessor: Duration::ZERO,
            quiet_from: Duration::ZERO,
            heard: Duration::ZERO,
        }
    }

    /// Returns the next step.
    pub fn step(&self, now: Duration) -> Step {
        let at = match &self.state {
            State::Looking | State::Taking { .. } | State::Renewing { .. } => now,
            State::Watching { look_at, .. } | State::Settling { look_at, .. } => *look_at,
            State::Holding { renew_at, .. } => *renew_at,
            State::Refused(_) | State::Over(_) => return Step::Nothing,
        };
        let at = at.max(self.retry_at);
        match &self.state {
            _ if now < at => Step::Wait(at),
            // The mark that it saw may be gone by now, and it would write over a living holder's mark.
            State::Taking { looked } if self.is_too_slow(*looked, now) => Step::Read,
            State::Taking { .. } | State::Renewing { .. } => Step::Write,
            State::Holding { .. } if self.is_atomic == Some(true) => Step::Write,
            _ => Step::Read,
        }
    }

    /// Returns the phase of its lease; none before it has a lease.
    pub fn phase(&self, now: Duration) -> Option<Phase> {
        match &self.state {
            State::Over(_) => Some(Phase::Lost),
            _ => self.lease().map(|lease| lease.phase(now)),
        }
    }

    /// Goes on as a newer start of the same metadata: marks that are sent from now on have it.
    pub fn renew_start(&mut self, start: Start, lineage: Lineage) {
        (self.claimant.start, self.claimant.lineage) = (start, lineage);
    }

    /// Its lease, if it has one.
    pub fn lease(&self) -> Option<&Lease> {
        match &self.state {
            State::Holding { lease, .. } | State::Renewing { lease, .. } => Some(lease),
            _ => None,
        }
    }

    /// Whether the objects were found to be those of its metadata.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Whether its mark was written, even if another claimant's mark may have replaced it.
    pub fn has_claimed(&self) -> bool {
        self.lease().is_some() || matches!(self.state, State::Settling { .. })
    }

    /// The metadata store's name for its objects.
    pub fn owner(&self) -> u128 {
        self.claimant.owner
    }

    /// Why it is not the owner, and will not be.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let State::Refused(refusal) = &self.state { Some(refusal) } else { None }
    }

    /// The mark of the next owner, if it had the objects and has lost them.
    pub fn lost_to(&self) -> Option<&Mark> {
        if let State::Over(Some(mark)) = &self.state { Some(mark) } else { None }
    }

    /// The mark that it saw last.
    pub fn seen(&self) -> Option<&Mark> {
        self.seen.as_ref()
    }

    /// The mark that is about to be sent, with a new random tag. It says how long requests of an earlier owner have to
    /// be waited for, too: the next start must not forget that.
    pub fn write(&mut self, tag: u64, share: &str, at: Timestamp) -> Mark {
        self.tried.push(tag);
        let Claimant { owner, start, holder, terms, .. } = &self.claimant;
        let (owner, start, holder) = (*owner, Some(*start), holder.clone());
        let (lease, request_max) = (terms.lease, terms.request_max + self.left());
        Mark { owner, start, tag, lease, request_max, share: share.to_owned(), holder, at }
    }

    /// How long requests of an earlier owner may still have an effect.
    fn left(&self) -> Duration {
        let claimed = if self.lease().is_some() { Duration::ZERO } else { self.predecessor };
        self.quiet_from.saturating_sub(self.heard).max(claimed)
    }

    /// Returns the mark that gives the objects back, if they are held. From then on, nothing may be done with them.
    pub fn release(&mut self, tag: u64, share: &str, at: Timestamp) -> Option<Mark> {
        let has_claimed = self.has_claimed();
        let request_max = self.left();
        let given_back = has_claimed.then(|| Mark { lease: Duration::ZERO, request_max, ..self.write(tag, share, at) });
        if self.refusal().is_none() && self.lost_to().is_none() {
            self.state = State::Over(None);
        }
        given_back
    }

    /// A mark was read, or there was none. The question was sent at `sent`.
    pub fn has_read(&mut self, sent: Duration, now: Duration, found: Option<Mark>) {
        self.heard = now;
        let tag = found.as_ref().map(|mark| mark.tag);
        let is_mine = tag.is_some_and(|tag| self.tried.contains(&tag));
        self.state = match std::mem::replace(&mut self.state, State::Looking) {
            State::Settling { sent, .. } if is_mine && tag == self.newest() => {
                if now >= sent + self.claimant.terms.lease {
                    // It stood still for so long that this may be a second copy of the request, over another's mark.
                    self.follows(found.as_ref(), now);
                }
                // The holder that was taken for dead may have renewed its mark until this one replaced it.
                self.quiet_from = self.quiet_from.max(now + self.predecessor);
                self.hold(sent)
            }
            State::Holding { lease, .. } if is_mine && lease.phase(now) == Phase::Expired => {
                // Another claimant may have become the owner in the meantime, and a late request of ours has replaced
                // its mark.
                self.follows(found.as_ref(), now);
                State::Taking { looked: sent }
            }
            State::Holding { lease, .. } if is_mine || found.is_none() || self.is_echo(found.as_ref()) => {
                State::Renewing { lease, looked: sent }
            }
            State::Holding { .. } => State::Over(found.clone()),
            State::Watching { since, .. } => self.watched(since, sent, now, found.as_ref()),
            state @ (State::Refused(_) | State::Over(_)) => state,
            _ => self.looked(sent, now, found.as_ref()),
        };
        self.seen = found;
        self.forget_tried();
    }

    /// The mark was written by a request that was sent at `sent`; whether it can't have replaced another one than that
    /// which was seen.
    pub fn has_written(&mut self, sent: Duration, now: Duration, mark: Mark, is_atomic: bool) {
        (self.heard, self.is_atomic) = (now, Some(is_atomic));
        self.seen = Some(mark);
        self.forget_tried();
        let settle = self.claimant.terms.settle();
        self.state = match std::mem::replace(&mut self.state, State::Looking) {
            State::Taking { .. } if is_atomic => self.hold(sent),
            State::Taking { looked } if self.is_too_slow(looked, now) => State::Looking,
            State::Taking { .. } => State::Settling { sent, look_at: now + settle },
            // Another claimant may have come between.
            State::Renewing { lease, looked } if self.is_too_slow(looked, now) => {
                State::Holding { lease, renew_at: now }
            }
            State::Holding { mut lease, .. } | State::Renewing { mut lease, .. } => {
                lease.renewed(sent);
                State::Holding { lease, renew_at: sent + self.claimant.terms.renew }
            }
            other => other,
        };
    }

    /// The mark was not written: in its place was another one than was seen.
    pub fn was_not_written(&mut self, sent: Duration, now: Duration, found: Option<Mark>) {
        self.heard = now;
        let tag = found.as_ref().map(|mark| mark.tag);
        if let Some(mark) = found.clone().filter(|mark| Some(mark.tag) == self.newest()) {
            // It was: the answer to an earlier sending of the same request was lost.
            return self.has_written(sent, now, mark, true);
        }
        let is_mine = tag.is_some_and(|tag| self.tried.contains(&tag));
        let is_same = tag.is_some() && tag == self.seen.as_ref().map(|mark| mark.tag);
        self.state = match (std::mem::replace(&mut self.state, State::Looking), &found) {
            (State::Holding { lease, .. } | State::Renewing { lease, .. }, found)
                if is_mine || found.is_none() || self.is_echo(found.as_ref()) =>
            {
                State::Holding { lease, renew_at: now }
            }
            (State::Holding { .. } | State::Renewing { .. }, _) => State::Over(found.clone()),
            // The store itself keeps others out: another process has the folder locked.
            (State::Taking { .. }, Some(mark)) if is_same && !is_mine => State::Refused(Refusal::Locked(mark.clone())),
            (State::Taking { .. }, _) => State::Looking,
            (other, _) => other,
        };
        self.seen = found;
        self.forget_tried();
    }

    /// The store has said which mark it has: of the others only those count that were sent so lately that they may
    /// still arrive. One is sent after each [`RETRY`] at most.
    fn forget_tried(&mut self) {
        let kept = self.claimant.terms.request_max.as_secs().div_ceil(RETRY.as_secs()) as usize + 1;
        let surplus = self.tried.len().saturating_sub(kept);
        let seen = self.seen.as_ref().map(|mark| mark.tag);
        let is_seen = self.tried.drain(..surplus).any(|tag| Some(tag) == seen);
        if let (true, Some(tag)) = (is_seen, seen) {
            self.tried.insert(0, tag);
        }
    }

    /// A request was not answered, and may have an effect or not.
    pub fn was_not_answered(&mut self, now: Duration) {
        (self.heard, self.retry_at) = (now, now + RETRY);
        self.state = match std::mem::replace(&mut self.state, State::Looking) {
            State::Taking { .. } => State::Looking,
            State::Renewing { lease, .. } => State::Holding { lease, renew_at: now },
            other => other,
        };
    }

    /// Whether another claimant may have come between a look and the request that followed, unnoticed.
    fn is_too_slow(&self, looked: Duration, now: Duration) -> bool {
        self.is_atomic != Some(true) && now.saturating_sub(looked) > self.claimant.terms.settle() / 2
    }

    fn newest(&self) -> Option<u64> {
        self.tried.last().copied()
    }

    fn hold(&self, sent: Duration) -> State {
        let terms = self.claimant.terms;
        State::Holding { lease: Lease::taken(terms, sent, self.quiet_from), renew_at: sent + terms.renew }
    }

    /// The holder of a mark may still live: its requests have to be waited for, and those that it waits for. Behind a
    /// mark of its own there may be another's, about which nothing more is known.
    fn follows(&mut self, found: Option<&Mark>, now: Duration) {
        let wait = found.map_or(Duration::ZERO, |mark| {
            let is_mine = self.tried.contains(&mark.tag);
            let requests = if is_mine { Terms::requests_of(mark.lease) } else { mark.request_max };
            mark.lease + requests + self.claimant.terms.margin
        });
        self.predecessor = self.predecessor.max(wait);
        self.quiet_from = self.quiet_from.max(now + wait);
    }

    /// The holder of a mark has ended, but it may have waited for requests of an earlier holder.
    fn goes_on_waiting(&mut self, mark: &Mark, now: Duration) {
        // Nothing of those of a holder that gave the objects back.
        let left = mark.request_max.saturating_sub(Terms::requests_of(mark.lease));
        self.predecessor = self.predecessor.max(left);
        self.quiet_from = self.quiet_from.max(now + left);
    }

    /// Whether a mark is one of an earlier start of these metadata, sent long ago and arrived late.
    fn is_echo(&self, found: Option<&Mark>) -> bool {
        let Claimant { lineage, start: own, .. } = &self.claimant;
        let start = found.and_then(|mark| mark.start);
        start.is_some_and(|start| start.epoch < own.epoch && lineage.knows(start))
    }

    fn looked(&mut self, sent: Duration, now: Duration, found: Option<&Mark>) -> State {
        let Claimant { owner, lineage, must_be_there, takes_over, holder, .. } = &self.claimant;
        let Some(mark) = found else {
            let is_gone = *must_be_there && self.tried.is_empty();
            self.is_own |= !is_gone;
            return if is_gone { State::Refused(Refusal::Gone) } else { State::Taking { looked: sent } };
        };
        if mark.owner != *owner {
            return State::Refused(Refusal::Foreign(mark.clone()));
        }
        match lineage.judge(Part::Content, mark.start) {
            Standing::New | Standing::Known => self.is_own = true,
            Standing::Older => return State::Refused(Refusal::Older(mark.clone())),
            Standing::Ahead => return State::Refused(Refusal::Ahead(mark.clone())),
        }
        let is_mine = self.tried.contains(&mark.tag);
        // The holder before it on this seat has ended, and its late requests concern what these metadata gave up.
        let is_free = mark.is_released() || mark.start.is_none() || mark.holder.seat == holder.seat;
        if is_mine && self.is_atomic != Some(true) {
            // A request that was not answered, or not in time, may have replaced the mark of a present holder.
            self.follows(found, now);
            return State::Taking { looked: sent };
        }
        let takes_over = *takes_over;
        if is_free && !is_mine {
            self.goes_on_waiting(mark, now);
        }
        match (is_mine || is_free, takes_over) {
            (true, _) => State::Taking { looked: sent },
            (false, true) => {
                self.follows(found, now);
                State::Taking { looked: sent }
            }
            (false, false) => State::Watching { since: now, look_at: now + LOOK_EVERY },
        }
    }

    fn watched(&mut self, since: Duration, sent: Duration, now: Duration, found: Option<&Mark>) -> State {
        let (Some(before), Some(mark)) = (&self.seen, found) else { return self.looked(sent, now, found) };
        if mark.tag == before.tag {
            if now < since + Terms::watch(before.lease) {
                return State::Watching { since, look_at: now + LOOK_EVERY };
            }
            self.follows(found, now);
            return State::Taking { looked: sent };
        }
        match self.looked(sent, now, found) {
            State::Watching { .. } => State::Refused(Refusal::Living(mark.clone())),
            other => other,
        }
    }
}

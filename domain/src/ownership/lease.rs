//! The right to change a share's objects for a while.

use std::time::Duration;

/// Parts of a lease: it is renewed after each, so that several renewals may fail before it ends.
const RENEWALS: u32 = 6;
/// The least margin between two owners, for clocks that do not run alike: 1 s is 5 % of the shortest lease.
const MARGIN_MIN: Duration = Duration::from_secs(1);
/// The longest time that two claims without conditional puts give each other to be seen: longer than a put of a few
/// hundred bytes takes where a store works at all.
const SETTLE_MAX: Duration = Duration::from_secs(6);

/// The times of a lease. They all follow from how long a request may take: a removal is sent only if the lease surely
/// outlasts it, so a lease is twice as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a lease is, from the moment before its mark was sent.
    pub lease: Duration,
    /// After how long it is renewed.
    pub renew: Duration,
    /// How long a request can have an effect after it was sent.
    pub request_max: Duration,
    /// The time that the next owner waits in addition.
    pub margin: Duration,
}

impl Terms {
    /// For a store whose requests end within this time.
    pub fn of_requests_within(request_max: Duration) -> Terms {
        let lease = request_max * 2;
        Terms { lease, renew: lease / RENEWALS, request_max, margin: (lease / 10).max(MARGIN_MIN) }
    }

    /// How long a request of a holder with such a lease can have an effect.
    pub fn requests_of(lease: Duration) -> Duration {
        lease / 2
    }

    /// How long a mark is watched for a change before its holder is taken for dead: more than its renewals are apart.
    pub fn watch(lease: Duration) -> Duration {
        lease / RENEWALS + lease / RENEWALS / 2
    }

    /// How long a claim waits before it reads again, where the store lets two claims replace each other. The claim that
    /// was sent longer than half of that after it had looked does not count.
    pub fn settle(&self) -> Duration {
        self.renew.min(SETTLE_MAX)
    }
}

/// The phase of a lease: what it allows at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Requests of an earlier owner may still have an effect until then.
    Waiting {
        /// The time on the monotonic clock.
        until: Duration,
    },
    /// Everything.
    Held,
    /// Nothing: it was not renewed in time.
    Expired,
    /// Nothing: another owner has the objects.
    Lost,
}

/// A lease. All times are of the holder's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    terms: Terms,
    from: Duration,
    until: Duration,
    is_lost: bool,
}

impl Lease {
    /// The lease of a mark that was sent at `sent`. No request of an earlier owner has an effect after `from`.
    pub fn taken(terms: Terms, sent: Duration, from: Duration) -> Lease {
        Lease { terms, from, until: sent + terms.lease, is_lost: false }
    }

    /// Extends the lease: its mark was written again, by a request that was sent at `sent`.
    pub fn renewed(&mut self, sent: Duration) {
        self.until = self.until.max(sent + self.terms.lease);
    }

    /// Ends the lease: the mark is another owner's.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Returns the phase of the lease now.
    pub fn phase(&self, now: Duration) -> Phase {
        match self {
            Lease { is_lost: true, .. } => Phase::Lost,
            Lease { until, .. } if now >= *until => Phase::Expired,
            Lease { from, .. } if now < *from => Phase::Waiting { until: *from },
            _ => Phase::Held,
        }
    }

    /// Whether an object may be put now.
    pub fn allows_put(&self, now: Duration) -> bool {
        self.phase(now) == Phase::Held
    }

    /// Whether an object may be removed by a request that is sent now: the lease outlasts it.
    pub fn allows_delete(&self, now: Duration) -> bool {
        self.allows_put(now) && now + self.terms.request_max <= self.until
    }
}

//! The mark beside the objects of a share. It names their owner.

use std::time::Duration;

use super::Start;
use crate::time::Timestamp;

/// Who holds the objects of a share, for people; but `seat` is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The machine's name.
    pub host: String,
    /// The process.
    pub process: u32,
    /// Its data folder.
    pub folder: String,
    /// The place that only one process at a time can hold: a locked folder on a running machine. A process on the same
    /// seat knows that the one before it has ended. A copy of the folder is another seat.
    pub seat: u64,
}

/// The mark of the owner of a share's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The metadata store's name for its objects: 128 random bits.
    pub owner: u128,
    /// The start that holds them; none in a mark of a release that knew no starts.
    pub start: Option<Start>,
    /// Random and new in each mark that is written.
    pub tag: u64,
    /// How long the holder uses the objects without renewing the mark; nothing where it has let them go.
    pub lease: Duration,
    /// How long a request of the holder can have an effect after it was sent: half of the lease. To this is added the
    /// time that the holder itself still had to wait for requests of an earlier holder.
    pub request_max: Duration,
    /// The share's name.
    pub share: String,
    /// Who holds them.
    pub holder: Holder,
    /// When it was written, by the holder's time of day: for people only.
    pub at: Timestamp,
}

/// The owner in marks of shares that were removed: nobody.
const NOBODY: u128 = 0;

/// The suffix of the names of shares that are being restored. No share's name has spaces at such a place by accident.
const RESTORED: &str = " (restored, not served yet)";

impl Mark {
    /// The mark of a share that was removed: nobody with metadata of it may use what is left of its objects.
    pub fn nobodys(share: &str, tag: u64, at: Timestamp) -> Mark {
        let (lease, request_max, holder) = (Duration::ZERO, Duration::ZERO, Holder::default());
        Mark { owner: NOBODY, start: None, tag, lease, request_max, share: share.to_owned(), holder, at }
    }

    /// Returns the name in the mark of a share while a backup of it is restored, until it is served for the first time.
    pub fn name_while_restored(share: &str) -> String {
        format!("{share}{RESTORED}")
    }

    /// Whether a backup of the share with this name was being restored here, and nothing has served it since.
    pub fn is_of_restore(&self, share: &str) -> bool {
        self.share.strip_suffix(RESTORED) == Some(share)
    }

    /// Whether the share was removed.
    pub fn is_nobodys(&self) -> bool {
        self.owner == NOBODY
    }

    /// Whether nobody holds the objects.
    pub fn is_released(&self) -> bool {
        self.lease.is_zero()
    }
}

//! The faults, how often they are to happen, and how often they did.

use crate::random::Random;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $rate:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            /// All kinds.
            pub const ALL: &[Fault] = &[$(Fault::$name,)*];

            /// In how many of a million cases it happens, usually.
            fn usual(self) -> u32 {
                match self { $(Fault::$name => $rate,)* }
            }
        }
    };
}

kinds! {
    /// The machine stopped, and everything in memory was gone. Decided by the run, as are the next four.
    Crash = 0,
    /// One of those while the share was being opened.
    CrashDuringRecovery = 0,
    /// Journal records that no sync had covered were all gone after a crash.
    UnsyncedVanished = 0,
    /// Some of them were there, up to a torn one.
    UnsyncedTorn = 0,
    /// All of them were there.
    UnsyncedSurvived = 0,
    /// A released record was there again after a crash.
    ReleasedCameBack = 300_000,
    /// A sync failed, and all its records were written elsewhere.
    SyncFailedMoved = 12_000,
    /// A sync failed, and records were lost.
    SyncFailedLost = 8_000,
    /// After a second failure the journal took nothing any more. A disk that failed once is likely to fail again.
    JournalStopped = 120_000,
    /// The journal had no room.
    JournalFull = 6_000,
    /// A read of the journal had to wait.
    JournalReadWaited = 250_000,
    /// A put failed, and the object is not there.
    PutNotDone = 60_000,
    /// A put was answered as failed, but the object is there.
    PutAnswerLost = 60_000,
    /// The content store was full for a while.
    ContentFull = 20_000,
    /// A get was not answered.
    GetUnavailable = 30_000,
    /// A get answered with a bit flipped.
    GetFlippedBit = 20_000,
    /// A get answered with bytes of another object, or of another place.
    GetOtherBytes = 20_000,
    /// A deletion failed.
    DeleteNotDone = 80_000,
    /// A deletion was answered as failed, but the object is gone.
    DeleteAnswerLost = 80_000,
    /// The metadata store did not answer a question.
    ReadUnavailable = 3_000,
    /// A read was shown a map with a row missing.
    RowMissing = 15_000,
    /// It answered nothing for some seconds.
    MetadataAway = 500,
    /// A plan was not taken.
    ApplyUnavailable = 8_000,
    /// A plan was applied, and nobody said so.
    ApplyAnswerLost = 8_000,
    /// The answer to a plan did not come, and the plan was applied later, or never: the session in which it ran lived on.
    ApplyLate = 6_000,
    /// One of those was applied after all.
    LateApplied = 0,
    /// A plan was refused without reason.
    ApplyConflict = 20_000,
    /// A crash came when a plan was on its way.
    ApplyCutBefore = 0,
    /// A crash came when a plan was applied and not answered.
    ApplyCutAfter = 0,
    /// Numbers were not handed out.
    AllocateUnavailable = 30_000,
    /// The time of day jumped back.
    ClockBack = 2_000,
    /// The time of day jumped ahead.
    ClockAhead = 2_000,
    /// The cache forgot a frame that was asked for.
    CacheForgot = 200_000,
    /// The content store was gone for a while, an hour at most.
    StoreGone = 2_000,
    /// It refused most calls for some seconds.
    StoreThrottled = 5_000,
    /// It took seconds for each call, for a minute or two.
    StoreSlow = 5_000,
    /// A put was answered as failed, and was done later.
    PutLate = 20_000,
    /// A put was done, and once more later.
    PutTwice = 20_000,
    /// A deletion was answered as failed, and was done later.
    DeleteLate = 40_000,
    /// A new key replaced the one that sealed frames.
    KeyRotated = 20_000,
    /// The disk cache forgot a frame that was asked for.
    DiskCacheForgot = 100_000,
    /// Somebody wiped the disk cache.
    DiskCacheWiped = 10_000,
    /// Nobody waited any more for the answer of a call.
    CallDropped = 10_000,
    /// A sync failed that nobody waited for, and records were lost.
    EarlySyncFailed = 2_000,
}

/// How often each kind of fault happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultCounts(Vec<u64>);

impl Default for FaultCounts {
    fn default() -> FaultCounts {
        FaultCounts(vec![0; Fault::ALL.len()])
    }
}

impl FaultCounts {
    /// How often this one did.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &FaultCounts) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum += more;
        }
    }

    pub(crate) fn note(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }
}

/// The rates of one run, each scaled by its seed: some runs are calm in one respect and wild in another.
pub(crate) struct Faults {
    rates: Vec<u32>,
    random: Random,
    enabled: bool,
    pub(crate) counts: FaultCounts,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        let mut random = Random::stream(seed, 1);
        let calm = random.percent(10);
        let rates = Fault::ALL.iter().map(|fault| {
            let tenths = random.of(&[0, 3, 10, 10, 30]);
            if calm { 0 } else { (fault.usual() / 10 * tenths).min(600_000) }
        });
        let rates = rates.collect();
        Faults { rates, random, enabled: true, counts: FaultCounts::default() }
    }

    /// Whether it happens now; then it is counted.
    pub(crate) fn happens(&mut self, fault: Fault) -> bool {
        let happens = self.enabled && self.random.happens(self.rates[fault as usize]);
        if happens {
            self.counts.note(fault);
        }
        happens
    }

    /// From now on nothing goes wrong, or things do again.
    pub(crate) fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }
}

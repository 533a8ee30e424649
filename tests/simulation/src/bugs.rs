//! Seeded bugs: wrappers around ports that break one rule each. The simulation must find every one of them, or it proves
//! nothing.

mod content;
mod journal;
mod metadata;

pub(crate) use content::RiggedContent;
pub(crate) use journal::RiggedJournal;
pub(crate) use metadata::RiggedMetadata;

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The journal answers a sync before it happens.
    SyncAnsweredEarly,
    /// The journal forgets a record some appends later.
    ReleasedEarly,
    /// An object is stored after its put was answered.
    PutAnsweredEarly,
    /// A row that a map should have and has not is taken for a hole.
    MissingRowIsHole,
    /// A byte of a frame is changed, and its checksum with it.
    ChecksumUseless,
    /// An object is deleted with the first reference to it that goes.
    DeletedAtFirstDereference,
    /// Plans lose what they say of times that clients set.
    TimesSeqStripped,
    /// Plans lose what they say of records that are in extents.
    ContentSeqStripped,
    /// Plans lose what they say of bytes that a truncation removed.
    ExclusionsStripped,
    /// Plans lose what they say of bytes that were punched, or that a clone took the place of.
    PunchesNotExcluded,
    /// A clone adds no reference to the objects that it shares.
    CloneUnreferenced,
    /// Plans that add names expect that nothing else about the directory has changed.
    CountIsThreshold,
    /// Stamps are given again after a crash.
    StampsReused,
    /// Ids are given again after a crash.
    IdsReused,
    /// Plans are applied without a note of their operation.
    OperationsForgotten,
    /// The write verifier is always the same.
    ConstantVerifier,
    /// A key seals before it stands in the share's row.
    KeysNotNoted,
    /// A flush takes parts of regions, and puts what it copied over whatever stands there by then.
    RegionsSplit,
    /// A commit is answered although the newest record is not in the map.
    CommittedEarly,
}

impl Bug {
    /// The rule of the domain that is broken, where it is one of those.
    pub(crate) fn of_the_rules(self) -> Option<dittofs_domain::bugs::Bug> {
        match self {
            Bug::RegionsSplit => Some(dittofs_domain::bugs::Bug::RegionsSplit),
            Bug::CommittedEarly => Some(dittofs_domain::bugs::Bug::CommittedEarly),
            _ => None,
        }
    }
}

/// A seeded bug, and the invariant that must find it.
#[derive(Clone, Copy, Debug)]
pub struct SeededBug {
    /// Its name.
    pub name: &'static str,
    /// The rule that it breaks.
    pub bug: Bug,
    /// The invariant of `docs/architecture.md` that this is about: its number there if it has one, and its words.
    pub invariant: &'static str,
}

macro_rules! bugs {
    ($($name:literal $bug:ident $invariant:literal)*) => {
        /// All of them.
        pub const BUGS: &[SeededBug] =
            &[$(SeededBug { name: $name, bug: Bug::$bug, invariant: $invariant },)*];
    };
}

bugs! {
    "sync-answered-early" SyncAnsweredEarly "what was answered as durable is there after a crash"
    "released-early" ReleasedEarly "what was answered as durable is there after a crash"
    "put-answered-early" PutAnsweredEarly "what was answered as durable is there after a crash"
    "missing-row-is-hole" MissingRowIsHole "6: a missing row is an error, not zeros"
    "checksum-useless" ChecksumUseless "8: a frame that fails its checksum is never served"
    "deleted-at-first-dereference" DeletedAtFirstDereference "9: no object is deleted while an extent reaches it"
    "times-seq-stripped" TimesSeqStripped "7: restored times are never overwritten by older writes"
    "content-seq-stripped" ContentSeqStripped "7: overwritten bytes never come back"
    "exclusions-stripped" ExclusionsStripped "7: truncated bytes never come back"
    "punches-not-excluded" PunchesNotExcluded "7: punched bytes never come back"
    "clone-unreferenced" CloneUnreferenced "9: no object is deleted while an extent reaches it"
    "count-is-threshold" CountIsThreshold "4: creates of different names never conflict"
    "stamps-reused" StampsReused "13: change never goes back"
    "ids-reused" IdsReused "5: ids are never given twice"
    "operations-forgotten" OperationsForgotten "14: a call that changes something is carried out once"
    "constant-verifier" ConstantVerifier "the write verifier is new at every start"
    "keys-not-noted" KeysNotNoted "23: a key that seals something stands in the share's row"
    "regions-split" RegionsSplit "no two batches of a flush touch one region; publishing never goes back"
    "committed-early" CommittedEarly "what was answered as durable is there after a crash"
}

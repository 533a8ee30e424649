//! Which starts of a server a share's metadata have given.

use crate::id::Epoch;

/// Starts that are remembered in addition to those that journal and content are known to have.
const GIVEN_MAX: usize = 128;
/// The oldest of these that are not known to be in the past of both. The starts that a part has from before an outage
/// are among them, because a start is renewed only while the objects are held.
const OLDEST_MAX: usize = GIVEN_MAX / 2;

/// One start of a server on a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Start {
    /// Rises with each start.
    pub epoch: Epoch,
    /// Random, so that of two copies of the metadata each knows its own starts from the other's.
    pub nonce: u64,
}

/// Where a start leaves its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The share's journal.
    Journal,
    /// The mark of the owner of its objects.
    Content,
}

/// How a trace stands to the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is none, and none is expected.
    New,
    /// These metadata gave that start.
    Known,
    /// It is of an earlier time than what is known to have been there.
    Older,
    /// These metadata never gave it. They are an older copy, or another server went on from them.
    Ahead,
}

/// The starts that a share's metadata have given, and the last of them that the other parts are known to have noted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    given: Vec<Start>,
    journal: Option<Start>,
    content: Option<Start>,
}

impl Lineage {
    /// One that was stored.
    pub fn new(given: Vec<Start>, journal: Option<Start>, content: Option<Start>) -> Lineage {
        Lineage { given, journal, content }
    }

    /// The starts that were given, in their order.
    pub fn given(&self) -> &[Start] {
        &self.given
    }

    /// The last start that a part is known to have noted.
    pub fn noted(&self, part: Part) -> Option<Start> {
        match part {
            Part::Journal => self.journal,
            Part::Content => self.content,
        }
    }

    /// The newest start.
    pub fn last(&self) -> Option<Start> {
        self.given.last().copied()
    }

    /// Adds a start. It must be stored before any other part sees it.
    ///
    /// Too many are remembered only where starts follow each other in an outage. What the parts may have then is of
    /// before it, or new: those between are given up.
    pub fn give(&mut self, start: Start) {
        self.given.push(start);
        let is_past = |start: &Start, noted: Option<Start>| noted.is_some_and(|noted| start.epoch < noted.epoch);
        while self.given.len() > GIVEN_MAX {
            let is_over =
                self.given.first().is_some_and(|one| is_past(one, self.journal) && is_past(one, self.content));
            self.given.remove(if is_over { 0 } else { OLDEST_MAX });
        }
    }

    /// A part has noted this start, or was accepted with it.
    pub fn note(&mut self, part: Part, start: Option<Start>) {
        match part {
            Part::Journal => self.journal = start,
            Part::Content => self.content = start,
        }
    }

    /// How what was found in a part stands to these metadata.
    pub fn judge(&self, part: Part, found: Option<Start>) -> Standing {
        let noted = self.noted(part);
        let is_before = |found: Start| noted.is_some_and(|noted| found.epoch < noted.epoch);
        match found {
            None if noted.is_none() => Standing::New,
            None => Standing::Older,
            Some(found) if noted == Some(found) => Standing::Known,
            Some(found) if is_before(found) => Standing::Older,
            Some(found) if self.knows(found) => Standing::Known,
            Some(_) => Standing::Ahead,
        }
    }

    /// Whether these metadata gave a start, or had accepted it.
    pub fn knows(&self, start: Start) -> bool {
        self.given.contains(&start) || self.journal == Some(start) || self.content == Some(start)
    }
}

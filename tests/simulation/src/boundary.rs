//! The boundaries at which files are divided, and how often a run crossed each of them: a proof at sizes that never
//! meet proves nothing.

use std::collections::BTreeSet;

use dittofs_domain::{
    NodeId, ObjectId, Scale,
    content::MapRow,
    plan::{Change, MapQuery, ObjectState, Plan},
};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A boundary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Boundary { $($(#[doc = $doc])* $name,)* }

        impl Boundary {
            /// All of them.
            pub const ALL: &[Boundary] = &[$(Boundary::$name,)*];
        }
    };
}

kinds! {
    /// A write went over the end of a page.
    Page,
    /// A write went over the end of a region.
    Region,
    /// A write went over the end of a chunk.
    Chunk,
    /// An object was so full that a region might not have fitted any more.
    Object,
    /// Several objects were on their way at once.
    UploadsTogether,
    /// An object arrived before one that was sent earlier.
    UploadOvertook,
    /// One object of a file was published in more than one plan.
    PublishInParts,
    /// A page got as many extents as it may have.
    PageFull,
    /// A page got more extents than a flush leaves, by punches or clones.
    PageOverfull,
    /// A plan had more than a quarter of the steps that it may have: where the reaper ends one.
    PlanFull,
    /// A map had more rows than one plan looks at.
    PlanRows,
    /// A map had more rows than one step looks at.
    StepRows,
    /// A truncation was left pending, as it had too many rows behind it.
    PendingTruncation,
    /// The journal went on in the next segment.
    Segment,
}

/// How often each boundary was crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossings(Vec<u64>);

impl Default for Crossings {
    fn default() -> Crossings {
        Crossings(vec![0; Boundary::ALL.len()])
    }
}

impl Crossings {
    /// How often this one was.
    pub fn of(&self, boundary: Boundary) -> u64 {
        self.0[boundary as usize]
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Crossings) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum += more;
        }
    }

    fn note(&mut self, boundary: Boundary, crossed: bool) {
        self.0[boundary as usize] += u64::from(crossed);
    }
}

/// Watches what goes to the stores.
pub(crate) struct Watch {
    scale: Scale,
    pub(crate) crossings: Crossings,
    /// Objects on their way, in the order in which they were sent.
    uploads: Vec<ObjectId>,
    /// The objects that plans have published, each with its file, where the file's last plan is still missing.
    published: BTreeSet<(ObjectId, NodeId)>,
}

impl Watch {
    pub(crate) fn new(scale: &Scale) -> Watch {
        let (crossings, published) = (Crossings::default(), BTreeSet::new());
        Watch { scale: *scale, crossings, uploads: Vec::new(), published }
    }

    pub(crate) fn write(&mut self, start: u64, end: u64) {
        let crosses = |unit: u64| start / unit != end.saturating_sub(1) / unit;
        let Scale { chunk_bytes, .. } = self.scale;
        self.crossings.note(Boundary::Page, crosses(self.scale.page()));
        self.crossings.note(Boundary::Region, crosses(self.scale.region()));
        self.crossings.note(Boundary::Chunk, crosses(chunk_bytes));
    }

    pub(crate) fn append(&mut self, is_next_segment: bool) {
        self.crossings.note(Boundary::Segment, is_next_segment);
    }

    pub(crate) fn upload(&mut self, object: ObjectId, bytes: u64) {
        let is_full = bytes + self.scale.region() > self.scale.object_bytes;
        self.crossings.note(Boundary::Object, is_full);
        self.uploads.push(object);
        self.crossings.note(Boundary::UploadsTogether, self.uploads.len() > 1);
    }

    pub(crate) fn uploaded(&mut self, object: ObjectId) {
        if let Some(at) = self.uploads.iter().position(|other| *other == object) {
            self.crossings.note(Boundary::UploadOvertook, at > 0);
            self.uploads.remove(at);
        }
    }

    /// Everything that was on its way is forgotten.
    pub(crate) fn crash(&mut self) {
        self.uploads.clear();
        self.published.clear();
    }

    pub(crate) fn view(&mut self, query: &MapQuery, complete: bool) {
        let is_cut = |rows: usize| query.rows_max == rows && !complete;
        self.crossings.note(Boundary::PlanRows, is_cut(self.scale.plan_rows as usize));
        self.crossings.note(Boundary::StepRows, is_cut(self.scale.step_rows()));
    }

    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.crossings.note(Boundary::PlanFull, plan.steps() > self.scale.plan_steps as usize / 4);
        let live = plan.changes.iter().find_map(|change| match change {
            Change::PutObject(object) if object.state == ObjectState::Live => Some(object.id),
            _ => None,
        });
        for change in &plan.changes {
            match change {
                Change::PutRow { row: MapRow::Page { extents, .. }, .. } => {
                    let most = self.scale.page_extents as usize;
                    self.crossings.note(Boundary::PageFull, extents.len() >= most);
                    self.crossings.note(Boundary::PageOverfull, extents.len() > most);
                }
                Change::UpdateNode(node, update) => {
                    self.crossings
                        .note(Boundary::PendingTruncation, matches!(update.pending_truncation, Some(Some(_))));
                    if let Some(object) = live {
                        self.publish(object, *node, update.content_seq.is_some());
                    }
                }
                _ => {}
            }
        }
    }

    fn publish(&mut self, object: ObjectId, node: NodeId, is_last: bool) {
        if is_last {
            let was_begun = self.published.remove(&(object, node));
            self.crossings.note(Boundary::PublishInParts, was_begun);
        } else {
            self.published.insert((object, node));
        }
    }
}

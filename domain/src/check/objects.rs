//! The facts that a check keeps of every object of a share: 48 bytes each.

use crate::{
    id::ObjectId,
    plan::{ObjectRecord, ObjectState},
};

/// The facts that a check keeps of an object.
#[derive(Clone, Copy, Debug)]
pub struct ObjectFacts {
    /// The object.
    pub id: ObjectId,
    /// Its length, as its row says.
    pub bytes: u64,
    /// Its length in the content store, if it is there.
    pub found: Option<u64>,
    /// Its state.
    pub state: ObjectState,
    /// Whether a reference leads to it.
    pub is_referenced: bool,
}

impl ObjectFacts {
    /// Whether the content store has it as its row says.
    pub fn is_whole(&self) -> bool {
        self.found == Some(self.bytes)
    }
}

/// All objects of a share that have a row.
#[derive(Debug, Default)]
pub struct ObjectTable(Vec<ObjectFacts>);

impl ObjectTable {
    /// Adds an object, whose id is above all others'.
    pub fn push(&mut self, record: &ObjectRecord) {
        let ObjectRecord { id, state, bytes, .. } = *record;
        self.0.push(ObjectFacts { id, bytes, found: None, state, is_referenced: false });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An object.
    pub fn find(&self, id: ObjectId) -> Option<&ObjectFacts> {
        self.0.get(self.0.binary_search_by_key(&id, |facts| facts.id).ok()?)
    }

    /// An object, to be changed.
    pub fn find_mut(&mut self, id: ObjectId) -> Option<&mut ObjectFacts> {
        let index = self.0.binary_search_by_key(&id, |facts| facts.id).ok()?;
        self.0.get_mut(index)
    }

    /// All of them in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &ObjectFacts> {
        self.0.iter()
    }
}

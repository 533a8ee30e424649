//! The changes of a plan, until watchers are told.

use dittofs_domain::{
    plan::Applied,
    watch::{ChangeKinds, PlannedChanges},
};

use super::Watches;

/// The changes of a plan that was sent to the metadata store. Where nobody finds out what became of it, or the call is
/// given up, all watchers have to list anew.
pub(in crate::volume) struct Telling<'w> {
    watches: &'w Watches,
    planned: Option<PlannedChanges>,
}

impl<'w> Telling<'w> {
    pub(super) fn new(watches: &'w Watches, planned: PlannedChanges) -> Telling<'w> {
        Telling { watches, planned: Some(planned) }
    }

    /// There is nothing to tell.
    pub(in crate::volume) fn was_not_applied(mut self) {
        self.planned = None;
    }

    /// Tells of what has changed.
    pub(in crate::volume) async fn tell(mut self, applied: &Applied) {
        let Some(planned) = &self.planned else { return };
        for directory in planned.removed_directories(applied) {
            self.watches.table.set_removed(directory, true);
        }
        self.watches.tell_all(planned.applied(applied)).await;
        self.planned = None;
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.planned.is_some() {
            self.watches.table.overflow(ChangeKinds::all());
        }
    }
}

//! The changes of a plan, until those are told whom they concern.

use dittofs_domain::{
    opens::Requester,
    plan::Applied,
    watch::{ChangeKinds, PlannedChanges},
};

use super::Watches;

/// The changes of a plan that was sent to the metadata store. Where nobody finds out what became of it, or the call is
/// given up, all watchers have to list anew, and nobody goes on to cache a listing.
pub(in crate::volume) struct Telling<'w> {
    watches: &'w Watches,
    /// The changes, if anybody asked for them before the plan was sent, and whether watchers do.
    planned: Option<(PlannedChanges, bool)>,
    /// Who may have changed listings; none once nothing is left to tell.
    by: Option<Requester>,
}

impl<'w> Telling<'w> {
    pub(super) fn new(
        watches: &'w Watches,
        planned: Option<(PlannedChanges, bool)>,
        by: Option<Requester>,
    ) -> Telling<'w> {
        Telling { watches, planned, by }
    }

    /// There is nothing to tell.
    pub(in crate::volume) fn was_not_applied(mut self) {
        (self.planned, self.by) = (None, None);
    }

    /// Tells of what has changed.
    pub(in crate::volume) async fn tell(mut self, applied: &Applied) {
        // A lease may have been granted since the plan was sent.
        if let Some(by) = &self.by
            && self.watches.directory_leases().are_any()
        {
            let planned = self.planned.as_ref().map(|(planned, _)| planned);
            self.watches.tell_leases(planned, applied, by).await;
        }
        self.by = None;
        if let Some((planned, true)) = &self.planned {
            for directory in planned.removed_directories(applied) {
                self.watches.table.set_removed(directory, true);
            }
            self.watches.tell_all(planned.applied(applied)).await;
        }
        self.planned = None;
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.by.is_some() {
            self.watches.directory_leases().fall_behind();
        }
        if let Some((_, true)) = self.planned {
            self.watches.table.overflow(ChangeKinds::all());
        }
    }
}

//! The suite of metadata stores finds faults: each of these stores breaks one promise, and a case says so.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, NodeId, OpId, ShareId,
    plan::{Applied, Change, Expectation, Folded, Plan, Query, Reference, Space, View},
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{ApplyError, Counter, Listing, MetadataError, MetadataStore, ShareMetadata};
use dittofs_tests::conformance::metadata as suite;

/// How a store is broken.
#[derive(Clone, Copy)]
enum Fault {
    /// Some expectations are not checked.
    Unchecked(fn(&Expectation) -> bool),
    /// Some changes are not made as asked.
    Changed(fn(&mut Change)),
    /// Changes are applied one by one.
    OneByOne,
    /// Expectations are checked at another instant than that of the changes.
    CheckedBefore,
    /// A change of a directory demands that nobody else has changed it.
    DirectoryIsLocked,
    /// Numbers are given twice.
    NumbersRepeat,
    /// Listings go on one entry too late.
    ListingSkips,
    /// What a view brings of names in any case is not all, or not in its order.
    Folded(fn(&mut Folded)),
}

struct FaultyStore(MemoryMetadataStore, Fault);

struct FaultyShare(Arc<dyn ShareMetadata>, Fault);

#[async_trait]
impl MetadataStore for FaultyStore {
    dittofs_ports::forward!(MetadataStore of 0: survives, shares, create_share, remove_share, restore_rows,
        restore_share, users);

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let share = self.0.share(id).await?;
        Ok(share.map(|share| Arc::new(FaultyShare(share, self.1)) as Arc<dyn ShareMetadata>))
    }
}

impl FaultyShare {
    async fn apply_one_by_one(&self, plan: Plan) -> Result<Applied, ApplyError> {
        let mut all = Applied::default();
        let mut expectations = plan.expectations;
        for change in plan.changes {
            let one = Plan { expectations: std::mem::take(&mut expectations), ..Plan::at(plan.now) };
            let one = Plan { changes: [change].into_iter().collect(), ..one };
            all.nodes.extend(self.0.apply(one, None).await?.nodes);
            tokio::task::yield_now().await;
        }
        Ok(all)
    }

    async fn check_then_apply(&self, mut plan: Plan) -> Result<Applied, ApplyError> {
        let expectations = std::mem::take(&mut plan.expectations);
        self.0.apply(Plan { expectations, ..Plan::at(plan.now) }, None).await?;
        tokio::task::yield_now().await;
        self.0.apply(plan, None).await
    }

    async fn apply_locked(&self, mut plan: Plan) -> Result<Applied, ApplyError> {
        let expected = plan.expectations.iter().filter_map(|expectation| match expectation {
            Expectation::Linked(node) => Some(*node),
            _ => None,
        });
        let nodes = expected.collect();
        let view = self.0.view(&Query { nodes, ..Query::default() }).await.map_err(|_| ApplyError::Conflict)?;
        tokio::task::yield_now().await;
        for node in view.nodes {
            plan.require(Expectation::ChangeIs { node: node.id, change: node.change });
        }
        self.0.apply(plan, None).await
    }
}

#[async_trait]
impl ShareMetadata for FaultyShare {
    dittofs_ports::forward!(
        ShareMetadata of 0:
        record, put_record, name_of, has_ended, unlinked, pending_truncations, objects, references, nodes, node_ids,
        references_after, xattr_bytes, statistics, snapshot
    );

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let mut view = self.0.view(query).await?;
        if let Fault::Folded(change) = self.1 {
            view.folded.iter_mut().for_each(change);
        }
        Ok(view)
    }

    async fn apply(&self, mut plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        match self.1 {
            Fault::Unchecked(unchecked) => plan.expectations.retain(|expectation| !unchecked(expectation)),
            Fault::Changed(change) => plan.changes.iter_mut().for_each(change),
            Fault::OneByOne => return self.apply_one_by_one(plan).await,
            Fault::CheckedBefore => return self.check_then_apply(plan).await,
            Fault::DirectoryIsLocked => return self.apply_locked(plan).await,
            Fault::NumbersRepeat | Fault::ListingSkips | Fault::Folded(_) => {}
        }
        self.0.apply(plan, op).await
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        let skips = matches!(self.1, Fault::ListingSkips) && after != Cookie::START;
        let after = if skips { Cookie(after.0 + 2) } else { after };
        self.0.list(directory, space, after, entries_max, records).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let range = self.0.allocate(counter, count).await?;
        let repeats = matches!(self.1, Fault::NumbersRepeat) && range.start > 150_000;
        Ok(if repeats { range.start - 1..range.end - 1 } else { range })
    }
}

/// Asserts that a case passes on a good store and fails on one with the fault.
macro_rules! finds {
    ($($name:ident: $case:ident, $fault:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let run = || {
                    // One thread: what meets is decided by where the faulty store waits, not by chance.
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(suite::$case(async || {
                        Arc::new(FaultyStore(MemoryMetadataStore::new(), $fault)) as Arc<dyn MetadataStore>
                    }));
                };
                assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "the fault was not found");
            }
        )*
    };
}

finds! {
    permission_that_changed_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::PermissionVersion { .. }));
    links_that_changed_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::LinksAre { .. }));
    directories_moved_into_each_other: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::Topology(_)));
    a_directory_removed_with_entries: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::Empty(_) | Expectation::ChangeIs { .. }));
    an_entry_added_to_a_removed_directory: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::Linked(_)));
    an_entry_that_came_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::EntryAbsent(_)));
    a_name_of_another_case_that_came_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::FoldedAbsent(_)));
    two_names_that_differ_in_case: of_concurrent_creates_of_one_name_in_any_case_one_succeeds,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::FoldedAbsent(_)));
    names_of_another_case_that_are_not_found: a_name_in_any_case_brings_all_that_fold_alike,
        Fault::Folded(|folded| folded.entries.retain(|alike| alike.name == folded.name));
    a_folded_name_that_is_not_found_itself: a_name_in_any_case_brings_all_that_fold_alike,
        Fault::Folded(|folded| folded.entries.retain(|alike| alike.name != folded.name));
    names_of_another_case_out_of_order: a_name_in_any_case_brings_all_that_fold_alike,
        Fault::Folded(|folded| folded.entries.sort_by(|one, two| one.name.cmp(&two.name)));
    names_of_another_case_of_which_the_newest_come: of_many_names_that_fold_alike_the_oldest_are_brought,
        Fault::Folded(|folded| folded.entries.reverse());
    an_entry_that_went_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::EntryIs { .. }));
    a_file_changed_meanwhile: every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
        Fault::Unchecked(|expectation| matches!(expectation, Expectation::ChangeIs { .. }));
    expectations_checked_at_another_instant: of_concurrent_creates_of_one_name_one_succeeds, Fault::CheckedBefore;
    a_create_that_missed_a_removal: a_removal_of_a_directory_and_a_create_in_it_meet, Fault::CheckedBefore;
    half_a_plan_in_a_view: a_view_never_sees_half_a_plan, Fault::OneByOne;
    a_refused_plan_that_left_something: plans_that_contradict_themselves_are_refused, Fault::OneByOne;
    creates_that_wait_for_each_other: creates_of_different_names_in_one_directory_never_conflict,
        Fault::DirectoryIsLocked;
    a_cookie_that_changed_with_the_name: a_renamed_entry_keeps_its_cookie_inside_its_directory,
        Fault::Changed(|change| if let Change::InsertEntry { cookie, .. } = change { cookie.0 += 1_000_000 });
    a_page_that_skips_an_entry: what_is_there_all_the_while_is_listed_exactly_once, Fault::ListingSkips;
    a_clock_that_is_believed: ctime_and_change_rise_under_a_clock_that_runs_backwards,
        Fault::Changed(|change| if let Change::UpdateNode(_, update) = change { update.ctime = Default::default() });
    numbers_given_twice: allocated_numbers_never_overlap, Fault::NumbersRepeat;
    a_row_that_was_lost: a_file_of_1_eib_with_three_bytes_takes_less_than_10_rows,
        Fault::Changed(|change| if let Change::PutRow { page, .. } = change { *page |= 1 });
    references_left_behind: a_huge_file_is_removed_in_small_plans_while_creates_go_on,
        Fault::Changed(|change| if let Change::DeleteReference(Reference { chunk, .. }) = change { *chunk |= 1 });
}

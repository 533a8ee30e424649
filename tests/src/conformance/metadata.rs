//! Metadata stores: plans are applied all or nothing, one after another, and views are of one instant.

mod apply;
mod clock;
mod commute;
mod dump;
mod expectation;
mod fixture;
mod folded;
mod huge;
mod interleaving;
mod leases;
mod listing;
mod object;
mod operations;
mod request;
mod share;
mod snapshot;
mod sparse;
mod trees;
mod view;
mod xattrs;

pub use apply::*;
pub use clock::*;
pub use commute::*;
pub use expectation::*;
pub use folded::*;
pub use huge::*;
pub use interleaving::*;
pub use leases::*;
pub use listing::*;
pub use object::*;
pub use operations::*;
pub use share::*;
pub use snapshot::*;
pub use sparse::*;
pub use trees::*;
pub use view::*;
pub use xattrs::{
    extended_attributes_are_all_or_nothing_with_their_plan, extended_attributes_are_put_replaced_and_removed,
    extended_attributes_come_and_go_with_their_node, extended_attributes_stand_until_others_are_put,
    nodes_with_extended_attributes_are_listed_in_pages,
};

use fixture::Fixture;

/// Stamps the suite of metadata stores on an adapter; the factory is an `async || -> Arc<dyn MetadataStore>`.
#[macro_export]
macro_rules! metadata_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                metadata, $open;
                // Plans.
                a_conflict_changes_nothing_whatever_the_plan_holds,
                a_plan_answers_each_node_touched_once_before_and_after,
                an_inserted_node_is_stored_as_given,
                an_update_changes_what_it_names_and_nothing_else,
                times_are_kept_advanced_set_or_raised,
                a_plan_may_have_as_many_steps_as_the_bound,
                plans_that_contradict_themselves_are_refused,
                a_known_entry_or_node_is_never_inserted_over,
                // Operations.
                a_plan_with_a_known_operation_is_not_applied_twice,
                two_plans_under_one_operation_are_one,
                a_view_with_an_operation_brings_what_came_of_it,
                a_plan_that_is_refused_leaves_nothing_of_its_operation,
                operations_of_shares_do_not_mix,
                operations_survive_what_the_store_survives,
                // Expectations.
                an_entry_is_absent_until_it_is_added,
                an_entry_is_where_it_leads_and_its_cookie,
                a_node_exists_with_or_without_a_name,
                links_are_an_exact_number,
                a_directory_is_empty_until_an_entry_is_added,
                a_parent_is_the_one_directory,
                topology_stands_until_it_is_raised,
                versions_of_a_node_stand_until_they_are_raised,
                an_object_is_usable_while_live_or_written_by_the_same_epoch,
                an_object_is_unreferenced_until_a_chunk_refers_to_it,
                expectations_are_checked_before_the_first_change,
                // Times.
                ctime_and_change_rise_under_a_clock_that_runs_backwards,
                a_directorys_mtime_rises_under_a_clock_that_runs_backwards,
                change_rises_with_ctime_and_to_what_is_asked,
                what_a_client_does_not_see_leaves_ctime_and_change,
                concurrent_changes_of_a_node_each_get_a_change_and_time_of_their_own,
                // Concurrency.
                creates_of_different_names_in_one_directory_never_conflict,
                creates_in_a_directory_commute_with_removals_and_changes_of_attributes,
                of_concurrent_creates_of_one_name_one_succeeds,
                a_removal_of_a_directory_and_a_create_in_it_meet,
                every_pair_of_plans_in_every_interleaving_equals_a_serial_order,
                every_pair_of_requests_at_once_equals_a_serial_order,
                a_storm_of_requests_leaves_a_tree,
                // Views.
                nodes_that_do_not_exist_are_left_out,
                entries_are_answered_in_the_order_of_the_query,
                ancestors_go_from_the_directory_to_the_root,
                a_map_begins_with_the_row_that_covers_its_first_page,
                rows_are_put_replaced_and_removed,
                a_view_sees_every_plan_that_has_returned,
                a_view_never_sees_half_a_plan,
                // Names in any case.
                a_name_in_any_case_brings_all_that_fold_alike,
                names_in_any_case_are_answered_in_the_order_of_the_query_with_their_nodes,
                of_many_names_that_fold_alike_the_oldest_are_brought,
                a_folded_name_goes_and_comes_with_its_entry,
                no_name_folds_alike_until_one_is_added,
                of_concurrent_creates_of_one_name_in_any_case_one_succeeds,
                a_share_keeps_the_table_by_which_it_folds_names,
                // Listings.
                a_listing_comes_in_the_order_of_cookies_in_pages_of_any_size,
                the_last_page_says_that_it_is_the_last,
                a_cookie_goes_on_after_its_entry_is_gone,
                a_renamed_entry_keeps_its_cookie_inside_its_directory,
                what_is_there_all_the_while_is_listed_exactly_once,
                a_listing_with_records_has_each_entrys_node,
                a_listing_with_records_never_misses_a_node,
                streams_and_children_of_a_node_are_apart,
                // Files.
                a_file_of_1_eib_with_three_bytes_takes_less_than_10_rows,
                a_file_that_grows_by_a_write_far_behind_its_end_has_no_gap,
                a_huge_file_is_removed_in_small_plans_while_creates_go_on,
                a_huge_file_is_truncated_in_small_plans_while_creates_go_on,
                a_removal_or_truncation_of_a_huge_file_is_a_small_plan,
                // Objects.
                objects_come_in_the_order_of_their_ids_in_pages,
                references_are_a_set,
                a_reference_of_a_tree_that_ended_is_another_one,
                an_object_is_pending_delete_or_referred_to_but_never_both,
                // Trees.
                a_node_says_in_which_tree_it_was_last_written,
                what_a_plan_says_of_a_new_nodes_tree_does_not_count,
                // Extended attributes.
                extended_attributes_are_put_replaced_and_removed,
                extended_attributes_are_all_or_nothing_with_their_plan,
                extended_attributes_stand_until_others_are_put,
                extended_attributes_come_and_go_with_their_node,
                nodes_with_extended_attributes_are_listed_in_pages,
                // Shares.
                a_share_is_made_once,
                of_concurrent_makers_of_a_share_one_wins,
                a_shares_row_is_replaced,
                a_share_that_is_removed_leaves_nothing_and_others_keep_everything,
                shares_of_one_store_do_not_mix,
                allocated_numbers_never_overlap,
                ids_of_nodes_are_those_of_the_nodes_in_pages,
                unlinked_nodes_come_in_the_order_of_their_ids_in_pages,
                nodes_with_a_pending_truncation_are_listed,
                statistics_are_sums_of_concurrent_differences,
                everything_survives_what_the_store_says,
            }
        }
    };
}

/// The cases of stores that one process has for itself; the factory as above.
#[macro_export]
macro_rules! sole_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                metadata, $open;
                one_instance_keeps_no_leases,
            }
        }
    };
}

/// The cases of stores that several instances share; the factory as above.
#[macro_export]
macro_rules! leasing_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                metadata, $open;
                a_view_brings_the_lease_of_each_node,
                a_lease_comes_with_its_node_in_one_plan_and_goes_with_it,
                a_plan_under_a_lease_that_changed_hands_is_a_conflict,
                of_concurrent_grants_under_one_lease_one_is_applied,
            }
        }
    };
}

/// The cases of stores that can be configured how many operations they remember, and for how long; the factory is an
/// `async |OperationsKept| -> Arc<dyn MetadataStore>`.
#[macro_export]
macro_rules! remembering_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                metadata, $open;
                operations_are_bounded_in_number,
                operations_are_bounded_in_age,
            }
        }
    };
}

/// The cases of stores whose shares can be backed up; the factory is that of the suite of all.
#[macro_export]
macro_rules! snapshot_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                metadata, $open;
                a_share_comes_back_as_its_snapshot_was,
                a_snapshot_comes_in_pages_of_any_size,
                what_no_file_refers_to_is_in_no_snapshot_nor_are_pins,
                a_share_is_there_once_it_is_restored_and_not_before,
            }
        }
    };
}

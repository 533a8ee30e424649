//! Content stores: objects are whole or not there, never replaced, and listed once.

mod capacity;
mod claim;
mod discard;
mod listing;
mod object;

pub use capacity::*;
pub use claim::*;
pub use discard::*;
pub use listing::*;
pub use object::*;

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{ContentError, ContentStore};

use super::payload::{bytes, join};

const SHARE: ShareId = ShareId(0x5EED);
const OTHER_SHARE: ShareId = ShareId(0x5EEE);

/// Stamps the suite of content stores on an adapter; the factory is an `async || -> Arc<dyn ContentStore>`.
#[macro_export]
macro_rules! content_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                content, $open;
                an_object_reads_back_as_it_was_put,
                any_range_of_an_object_reads_back,
                a_range_beyond_the_end_is_not_found,
                an_unknown_object_is_not_found,
                putting_the_same_bytes_again_succeeds,
                other_bytes_under_a_known_id_change_nothing,
                of_concurrent_puts_of_one_object_one_is_left_whole,
                nobody_reads_a_part_of_an_object,
                an_abandoned_put_leaves_all_or_nothing,
                an_object_of_64_mib_in_many_parts_reads_back,
                a_deleted_object_is_gone_and_can_be_deleted_again,
                deleting_an_object_keeps_the_others,
                what_was_put_survives_what_the_store_says,
                a_listing_has_all_objects_in_order_with_their_lengths,
                a_listing_goes_on_after_an_object_that_is_gone,
                a_listing_shorter_than_its_limit_is_the_last,
                a_listing_has_what_is_there_all_the_while_exactly_once,
                shares_do_not_see_each_others_objects,
                a_mark_is_read_as_it_was_written,
                a_mark_is_put_only_over_the_one_that_was_seen,
                shares_are_claimed_one_by_one,
                one_of_concurrent_claims_wins,
                discarding_keeps_everything_else,
                the_room_of_a_store_makes_sense,
            }
        }
    };
}

/// Stamps the suite of content stores with a bound on an adapter; the factory is an
/// `async |bytes: u64| -> Arc<dyn ContentStore>`.
#[macro_export]
macro_rules! content_capacity_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                content, $open;
                a_full_store_refuses_and_changes_nothing,
                a_deletion_makes_room,
                room_is_what_objects_leave,
            }
        }
    };
}

fn object(number: u128) -> ObjectId {
    // Spread over all 128 bits, ascending.
    ObjectId(number << 100 | number << 50 | number)
}

async fn read_all(store: &Arc<dyn ContentStore>, share: ShareId, id: ObjectId, len: usize) -> Vec<u8> {
    join(&store.get(share, id, 0..len as u64).await.unwrap())
}

/// Cuts bytes into parts of growing lengths.
fn parts(data: &Bytes) -> Vec<Bytes> {
    let (mut at, mut step, mut parts) = (0, 1, Vec::new());
    while at < data.len() {
        let end = (at + step).min(data.len());
        parts.push(data.slice(at..end));
        (at, step) = (end, step * 3 + 1);
    }
    parts
}

async fn assert_not_found(store: &Arc<dyn ContentStore>, share: ShareId, id: ObjectId, range: std::ops::Range<u64>) {
    let answer = store.get(share, id, range.clone()).await;
    assert!(matches!(answer, Err(ContentError::NotFound)), "{range:?} of {id}: {answer:?}");
}

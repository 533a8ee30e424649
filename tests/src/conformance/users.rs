//! Users beside the shares of a metadata store: found by name, changed by one at a time, and still there afterwards.

mod concurrent;
mod kept;
mod states;

pub use concurrent::*;
pub use kept::*;
pub use states::*;

use dittofs_domain::users::{SealedSecret, User, UserName};
use dittofs_ports::{Revision, StoredUser};

/// Stamps the suite of users on a metadata store; the factory is an `async || -> Arc<dyn MetadataStore>`.
#[macro_export]
macro_rules! users_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                users, $open;
                the_machine_is_made_once,
                a_user_is_found_whatever_the_case_of_its_name,
                users_are_listed_page_by_page_in_their_order,
                everything_that_a_user_can_be_is_kept,
                users_survive_what_their_store_does,
                users_stay_when_a_share_goes,
                a_user_is_added_once,
                a_state_is_put_in_the_place_of_the_one_that_was_read,
                the_same_change_again_is_no_error,
                a_user_is_removed_in_the_state_that_was_read,
                of_many_who_add_a_user_at_once_one_does,
                changes_at_once_lose_nothing,
                of_many_machines_that_are_proposed_at_once_one_is_kept,
            }
        }
    };
}

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn user(text: &str, uid: u32, revision: u64) -> StoredUser {
    let secret = SealedSecret::new(&[7; 36]).unwrap();
    let user = User { name: name(text), uid, gid: 100, groups: vec![4, 5], disabled: false, secret };
    StoredUser { user, revision: Revision(revision) }
}

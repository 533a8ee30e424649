use std::sync::Arc;

use dittofs_smb_wire::NtStatus;

use super::demand_trust;
use crate::session::tests::{message, session};

#[test]
fn a_signature_is_not_enough_for_other_requests_where_encryption_is_demanded() {
    let own = session(1, (false, true));
    assert_eq!(
        demand_trust(&own, || Some(Arc::clone(&own.keys.signer)), &message(Some(&own)), &None),
        Err(NtStatus::ACCESS_DENIED)
    );
    assert_eq!(demand_trust(&own, || None, &message(None), &Some(Arc::clone(&own))), Ok(()));
}

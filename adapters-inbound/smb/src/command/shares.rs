//! The shares that a user may enter. To who may not enter one it is not there: its name is in no listing, and is
//! answered as that of a share that there is not. So who guesses names learns none.

use dittofs_domain::users::Permitted;
use dittofs_ports::{Entered, Presented, ShareInfo};
use dittofs_smb_wire::NtStatus;

use crate::{calls::Call, session::User, share::is_same};

/// A share that its user may enter.
pub(super) struct Found {
    pub(super) share: ShareInfo,
    pub(super) who: Presented,
    pub(super) entered: Entered,
    /// More than nothing.
    pub(super) permitted: Permitted,
}

/// Finds a share by its name, in any case.
///
/// # Errors
/// `BAD_NETWORK_NAME` if there is none, or none for this user and this address.
pub(super) async fn find(call: &Call, name: &str) -> Result<Found, NtStatus> {
    let shares = call.link.server.services.admin.shares();
    let found = shares.into_iter().find(|share| is_same(&share.short_name, name));
    enter(call, found.ok_or(NtStatus::BAD_NETWORK_NAME)?).await.ok_or(NtStatus::BAD_NETWORK_NAME)
}

/// All shares that the user may enter.
pub(super) async fn all(call: &Call) -> Vec<ShareInfo> {
    let mut all = Vec::new();
    for share in call.link.server.services.admin.shares() {
        all.extend(enter(call, share).await.map(|found| found.share));
    }
    all
}

async fn enter(call: &Call, share: ShareInfo) -> Option<Found> {
    let user = call.session.user();
    let who = call.link.presented(call.session.client(), &user);
    let entered = call.link.server.services.entry.mount(share.name.as_bytes(), &who).await.ok()?;
    let User { name, credentials } = &*user;
    let permitted = entered.share.permitted(name, credentials);
    (permitted != Permitted::None).then_some(Found { share, who, entered, permitted })
}

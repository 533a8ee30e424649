//! The policy of a share: what it allows, and to whom.

use dittofs_application::{Atime, Network, SharePolicy};
use dittofs_domain::{credentials::IdentityPolicy, quota::Quota, users::AccessList};

/// Everything up to 1 GiB, for everybody on this machine.
pub(crate) fn policy(atime: Atime) -> SharePolicy {
    SharePolicy {
        short_name: "export".to_owned(),
        requires_encryption: false,
        clients: vec![Network::new([127, 0, 0, 1].into(), 8).unwrap()],
        identity: IdentityPolicy::default(),
        secure_ports: true,
        access: AccessList::Everybody,
        read_only: false,
        quota: Quota { bytes: 1 << 30, ..Quota::NONE },
        atime,
    }
}

//! A content store on a machine whose time passes faster than its processor works.

use std::{sync::Arc, time::Duration};

use dittofs_ports::ContentStore;

/// Requests take as long as ever, so the share's lease, which follows from that, is longer by as much as time is faster.
/// Otherwise a lease of 20 s would be 0.4 s on a machine that has other things to do.
pub(super) struct LongerRequests {
    pub(super) store: Arc<dyn ContentStore>,
    pub(super) speed: u32,
}

#[async_trait::async_trait]
impl ContentStore for LongerRequests {
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, shares, put, put_to_free, capacity, discard,
        get, delete, list);

    fn request_max(&self) -> Duration {
        self.store.request_max() * self.speed
    }
}

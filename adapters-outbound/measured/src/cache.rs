//! A cache, counted.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_ports::{BlockCache, FrameKey};

use crate::ShareMeters;

pub(crate) struct MeasuredCache {
    pub(crate) inner: Arc<dyn BlockCache>,
    pub(crate) meters: Arc<ShareMeters>,
}

impl BlockCache for MeasuredCache {
    dittofs_ports::forward!(BlockCache of inner: insert, usage);

    fn frame(&self, key: &FrameKey) -> Option<Bytes> {
        let frame = self.inner.frame(key);
        let counter = if frame.is_some() { &self.meters.hits } else { &self.meters.misses };
        counter.count();
        frame
    }
}

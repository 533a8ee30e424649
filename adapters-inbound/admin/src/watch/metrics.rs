//! All metrics, with their names.

mod bounds;
mod operations;
mod process;
mod shares;
mod stores;

use super::{Watch, exposition::Exposition};

impl Watch {
    /// The metrics as of now.
    pub(super) async fn exposition(&self) -> String {
        let mut out = Exposition::default();
        process::put(&mut out, self.started, self.started_at);
        let unready = self.unready_shares().await;
        let is_stopping = self.stopping.get().is_some();
        let mut ready =
            out.gauge("dittofs_share_ready", "Whether the share is open and its stores answer: 1, or 0 if not.");
        let shares = self.shares.lock().clone();
        for share in &shares {
            let is_ready = !is_stopping && unready.iter().all(|(unready, _)| unready != share);
            ready.sample(&[("share", share)], u8::from(is_ready));
        }
        if let Some(sources) = self.sources.get() {
            let protocols: Vec<_> = sources.protocols.iter().map(|protocol| protocol.protocol()).collect();
            operations::put(&mut out, &protocols);
            bounds::put(&mut out, &sources.bounds);
            shares::put(&mut out, &sources.statistics.counts());
            let counters = self.stores.lock().clone();
            let stores: Vec<_> = counters.iter().map(|(share, stores)| (share.as_str(), stores.stores())).collect();
            stores::put(&mut out, &stores, sources.cache.usage());
            stores::put_disk_cache(&mut out, sources.disk.as_ref().map(|disk| disk.usage()).unwrap_or_default());
        }
        out.into_text()
    }
}

//! A store behind a network.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use dittofs_domain::ShareId;
use opendal::{
    OperationContext, Operator,
    layers::{RetryEvent, RetryLayer},
};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::transport::Transport;
use crate::{OpenError, TransferOptions, without_passwords};

/// The first interval between two tries. A single failure costs hardly more than the request; later intervals grow.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);

/// The parts of a store behind a network, besides its operator.
pub(super) struct Remote {
    /// A description in words: a bucket and where that is.
    pub(super) place: String,
    pub(super) transport: Transport,
    /// How long somebody waits for an answer to a request that is not an upload, retries included.
    pub(super) answer_max: Duration,
    pub(super) multipart_above: u64,
    pub(super) part_bytes: usize,
    share_uploads: usize,
    shares: Mutex<HashMap<ShareId, Arc<Semaphore>>>,
}

impl Remote {
    pub(super) fn new(place: String, options: &TransferOptions) -> Result<Remote, OpenError> {
        Ok(Remote {
            // An endpoint may name a user.
            place: without_passwords(&place).into_owned(),
            transport: Transport::new(options)?,
            answer_max: options.timeout() + Duration::from_secs(10),
            multipart_above: options.multipart_above,
            part_bytes: options.part_bytes(),
            share_uploads: options.share_uploads.clamp(1, Semaphore::MAX_PERMITS),
            shares: Mutex::default(),
        })
    }

    /// An operator that sends by this store's transport, and again what failed.
    pub(super) fn equip(&self, operator: Operator, options: &TransferOptions) -> Operator {
        let context = OperationContext::new();
        let context = context.with_http_transport(opendal::HttpTransporter::new(self.transport.clone()));
        let retry = RetryLayer::new()
            .with_max_times(options.retries)
            .with_min_delay(RETRY_DELAY_MIN)
            .with_max_delay(options.retry_delay_max())
            .with_jitter()
            // Whoever wanted it reports what comes of it in the end.
            .with_notify(|retry: RetryEvent<'_>| {
                let (operation, error) = (retry.op, retry.err.to_string());
                let wait_ms = retry.retry_after.as_millis() as u64;
                tracing::debug!(%operation, attempt = retry.attempt, wait_ms, %error, "tried again");
            });
        operator.with_context(context).layer(retry)
    }

    /// The right of a share to so many uploads at once, or to half of what it may have. Whoever waited longest is next.
    pub(super) async fn uploads(&self, share: ShareId, wanted: usize) -> (usize, Option<OwnedSemaphorePermit>) {
        let room =
            Arc::clone(self.shares.lock().entry(share).or_insert_with(|| Arc::new(Semaphore::new(self.share_uploads))));
        let granted = wanted.clamp(1, self.share_uploads.div_ceil(2));
        // Never closed: without a permit the uploads would only not be counted.
        (granted, room.acquire_many_owned(granted as u32).await.ok())
    }
}

/// Sees that a file with credentials is there: the libraries would go on without it, and only say that there are none.
#[cfg(any(feature = "s3", feature = "gcs"))]
pub(super) async fn readable(path: &Path) -> Result<(), OpenError> {
    let owned = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(owned).map(drop)).await;
    let path = path.display();
    let unreadable = |error: std::io::Error| {
        OpenError::Unavailable(format!("{path} can't be read: {error}; correct credentials.path").into())
    };
    opened.map_err(|stopped| OpenError::Unavailable(Box::new(stopped)))?.map_err(unreadable)
}

/// Returns the error for options from which no operator can be made.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azblob"))]
pub(super) fn unusable(error: &opendal::Error) -> OpenError {
    OpenError::Unavailable(without_passwords(&error.to_string()).into_owned().into())
}

//! Reading whole objects.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{ContentError, ContentStore};
use futures_util::{StreamExt, stream};

use crate::volume::Machine;

/// Bytes of one request: no more than a slow network brings before a request is over.
const PART_BYTES: u64 = 8 << 20;
/// Requests on their way at once. They fill a common link, and leave requests for clients.
const PARTS_AT_ONCE: usize = 4;
/// How often a part is asked for while the store does not answer. With waits that double, some 15 s: a store that is
/// away for longer is reported to whoever makes the backup.
const TRIES: u32 = 6;
/// The wait before the second try; each later one is twice as long.
const WAIT: Duration = Duration::from_millis(500);

/// Why an object can't be read.
#[derive(Debug)]
pub(crate) struct ObjectError(pub(crate) ContentError);

/// An object of a known length.
pub(crate) async fn whole_object(
    content: &dyn ContentStore,
    share: ShareId,
    (object, bytes): (ObjectId, u64),
    machine: &Machine,
) -> Result<Vec<Bytes>, ObjectError> {
    let starts = (0..bytes).step_by(PART_BYTES as usize);
    let ranges = starts.map(|start| start..(start + PART_BYTES).min(bytes));
    let parts = stream::iter(ranges).map(|range| part(content, share, object, range, machine));
    let parts: Vec<_> = parts.buffered(PARTS_AT_ONCE).collect().await;
    let mut whole = Vec::new();
    for part in parts {
        whole.extend(part.map_err(ObjectError)?);
    }
    Ok(whole)
}

async fn part(
    content: &dyn ContentStore,
    share: ShareId,
    object: ObjectId,
    range: Range<u64>,
    machine: &Machine,
) -> Result<Vec<Bytes>, ContentError> {
    for attempt in 1..TRIES {
        match content.get(share, object, range.clone()).await {
            Err(ContentError::Unavailable(error)) => {
                tracing::debug!(%object, %error, "an object is asked for again");
                machine.clock.sleep(WAIT * (1 << (attempt - 1))).await;
            }
            answer => return answer,
        }
    }
    content.get(share, object, range).await
}

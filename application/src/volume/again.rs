//! A share goes on from older metadata: nothing that was given since then may be given again.

use dittofs_domain::{Epoch, HandleKey, ownership::Lineage};
use dittofs_ports::{Counter, MetadataError, ShareMetadata, ShareRecord};

use super::Machine;

/// How far ids, cookies and stamps jump: more than a share gives out in the time between a backup and its restore, at a
/// million files a second for twelve days. Numbers have 63 bits, which is enough for eight million restores.
pub(crate) const STRIDE: u64 = 1 << 40;

/// Lets ids and epochs go on above all that may have been given, and makes every handle stale: clients must not find
/// another file under one that they keep. `seen` is the highest epoch that any store knows.
///
/// # Errors
/// Those of the metadata store. It may be done again.
pub(crate) async fn begin_again(
    metadata: &dyn ShareMetadata,
    machine: &Machine,
    record: &mut ShareRecord,
    seen: Epoch,
) -> Result<(), MetadataError> {
    for counter in [Counter::Ids, Counter::Stamps] {
        metadata.allocate(counter, STRIDE).await?;
    }
    let next = metadata.allocate(Counter::Epochs, 1).await?.end;
    metadata.allocate(Counter::Epochs, seen.0.saturating_sub(next).saturating_add(STRIDE)).await?;
    record.handle_key = HandleKey(machine.randomness.bits128().to_be_bytes());
    record.lineage = Lineage::default();
    tracing::warn!(
        share = %record.name,
        "the share goes on from older metadata, as was accepted: clients have to mount it again"
    );
    Ok(())
}

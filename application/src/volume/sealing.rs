//! Frames that are sealed on their way to the content store, and opened on their way back.

mod keys;

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use dittofs_domain::{
    KeyId, NodeId, ObjectId,
    content::{
        BlockPlace, Stored,
        block::{self, BlockHead, BlockSpec, FrameEncoder, FrameSeal, FrameSealing, NONCE_BYTES},
        object::ObjectBuilder,
    },
    error::{FsError, FsResult},
};
use dittofs_ports::{CodecError, FrameCodec, FrameSealer, SealError, ShareMetadata};

use crate::volume::{nodes::Reported, row::ShareRow, share::Share};

/// Compresses, seals and opens the frames of a share.
pub(super) struct Sealing {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    row: Arc<ShareRow>,
    codec: Arc<dyn FrameCodec>,
    sealer: Arc<dyn FrameSealer>,
    /// The key that seals what is written now; it stands in the share's row.
    sealing: AtomicU64,
    /// Keys of which it was said that they are missing.
    reported: Reported<KeyId>,
}

impl Sealing {
    pub(super) fn new(
        share: Arc<Share>,
        metadata: Arc<dyn ShareMetadata>,
        row: Arc<ShareRow>,
        codec: Arc<dyn FrameCodec>,
        sealer: Arc<dyn FrameSealer>,
    ) -> Sealing {
        let (sealing, reported) = (AtomicU64::new(KeyId::NONE.0), Reported::default());
        Sealing { share, metadata, row, codec, sealer, sealing, reported }
    }

    /// Returns the sealer, which knows the keys.
    pub(super) fn sealer(&self) -> &Arc<dyn FrameSealer> {
        &self.sealer
    }

    /// Returns a frame as it was before it was compressed.
    pub(super) fn decoded(&self, codec: u8, frame: &Bytes, raw_len: usize) -> Result<Bytes, CodecError> {
        self.codec.decode(codec, frame, raw_len)
    }

    /// Puts a block into an object: frames that are compressed where that pays, and sealed with the key that was
    /// adopted.
    pub(super) fn push_block(
        &self,
        builder: &mut ObjectBuilder,
        spec: BlockSpec,
        payload: &[Bytes],
    ) -> FsResult<BlockPlace> {
        let (codec, sealer) = (&*self.codec, &*self.sealer);
        let encoder = FrameEncoder { codec: codec.id(), encode: &mut |frame| codec.encode(frame) };
        let pushed = match self.sealing_key() {
            KeyId::NONE => block::build_encoded(spec, payload, encoder).map(|built| builder.push(built)),
            key_id => {
                let mut seal = |seal: &FrameSeal, content: &[Bytes]| sealer.seal(seal, self.nonce(), content).ok();
                builder.push_sealed(spec, payload, encoder, FrameSealing { key_id, seal: &mut seal })
            }
        };
        pushed.map_err(|error| {
            tracing::error!(share = %self.share.name(), node = %spec.node, %error, "bytes of a file make no block");
            FsError::Io
        })
    }

    fn nonce(&self) -> [u8; NONCE_BYTES as usize] {
        let mut nonce = [0; NONCE_BYTES as usize];
        nonce.copy_from_slice(&self.share.machine().randomness.bits128().to_le_bytes()[..NONCE_BYTES as usize]);
        nonce
    }

    /// Refuses what can't be opened before it is fetched.
    pub(super) fn demand_key(&self, node: NodeId, from: &Stored) -> FsResult<()> {
        let demanded = self.sealer.demand(from.block.key_id);
        demanded.map_err(|error| self.not_opened(node, from.object, &error))
    }

    /// A frame as it is without a seal.
    pub(super) fn opened(
        &self,
        node: NodeId,
        from: &Stored,
        head: &BlockHead,
        index: u32,
        stored: Bytes,
    ) -> FsResult<Bytes> {
        if head.key_id.is_none() {
            return Ok(stored);
        }
        let seal = head.frame_seal(from.object, from.block.at, index);
        self.sealer.open(&seal, &stored).map_err(|error| self.not_opened(node, from.object, &error))
    }

    fn not_opened(&self, node: NodeId, object: ObjectId, error: &SealError) -> FsError {
        match error {
            SealError::Unknown { key_id, .. } | SealError::Wrong { key_id, .. } => {
                self.share.counters().keyless_reads.count();
                // All that a key seals is read by many.
                if self.reported.is_due(*key_id, self.share.monotonic()) {
                    tracing::error!(
                        share = %self.share.name(), %node, %object, %error,
                        "content can't be opened without its key: nothing of it is lost or damaged"
                    );
                }
            }
            SealError::Damaged => {
                self.share.counters().damaged_reads.count();
                tracing::error!(share = %self.share.name(), %node, %object, %error, "an object is damaged");
            }
        }
        FsError::Io
    }
}

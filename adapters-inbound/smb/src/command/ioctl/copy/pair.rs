//! The two files of a copy.

use bytes::Bytes;
use dittofs_domain::{
    Attributes,
    error::{FsError, FsResult},
};
use dittofs_ports::{CloneRange, Entered, Stability};
use dittofs_smb_wire::NtStatus;

use super::{super::enter, spans::Span};
use crate::{
    calls::Call,
    command::data::demand_changeable,
    failure::Failure,
    open::{Open, OpenNode},
};

/// Bytes that are in memory at once where they have to be moved.
const PIECE_BYTES: u32 = 256 << 10;

/// Both files, with their shares, which may be one or two.
pub(super) struct Pair<'o> {
    source: &'o OpenNode,
    target: &'o OpenNode,
    from: Entered,
    to: Entered,
}

impl<'o> Pair<'o> {
    /// Enters the shares of both.
    ///
    /// # Errors
    /// `NETWORK_NAME_DELETED` if one of them is left already.
    pub(super) fn enter(call: &Call, source: &'o Open, target: &'o Open) -> Result<Pair<'o>, NtStatus> {
        Ok(Pair {
            source: source.node()?,
            target: target.node()?,
            from: enter(call, &source.tree)?,
            to: enter(call, call.tree()?)?,
        })
    }

    pub(super) fn is_one_share(&self) -> bool {
        self.from.node.share == self.to.node.share
    }

    pub(super) fn is_one_file(&self) -> bool {
        self.is_one_share() && self.source.node == self.target.node
    }

    pub(super) async fn source_attributes(&self) -> FsResult<Attributes> {
        self.from.share.attributes(&self.source.caller, self.source.node).await
    }

    pub(super) async fn target_attributes(&self) -> FsResult<Attributes> {
        self.to.share.attributes(&self.target.caller, self.target.node).await
    }

    /// Copies a span. One that overlaps itself is copied as if it was read as a whole first.
    ///
    /// # Errors
    /// `INVALID_VIEW_SIZE` if the source does not have all of it; `ACCESS_DENIED` where bytes are there already and the
    /// target may only be appended to.
    pub(super) async fn copy(&self, span: Span) -> Result<(), Failure> {
        demand_changeable(&self.to, self.target, span.target).await?;
        if self.is_one_share() && !(self.is_one_file() && span.overlaps()) {
            self.clone_range(span).await
        } else {
            self.move_bytes(span).await
        }
    }

    /// Gives the target what the span of the source consists of. They may not overlap.
    pub(super) async fn clone_range(&self, span: Span) -> Result<(), Failure> {
        let request = CloneRange {
            source: self.source.node,
            source_opener: Some(self.source.token),
            offset: span.source,
            length: span.length,
            destination: self.target.node,
            at: span.target,
        };
        match self.to.share.clone_range(&self.target.caller, &request).await {
            Ok(_) => Ok(()),
            Err(FsError::Invalid) => Err(NtStatus::INVALID_VIEW_SIZE.into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn move_bytes(&self, span: Span) -> Result<(), Failure> {
        let size = self.source_attributes().await?.size;
        if span.source_end().is_none_or(|end| end > size) {
            return Err(NtStatus::INVALID_VIEW_SIZE.into());
        }
        if span.target_end().is_none() {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        for piece in span.pieces(PIECE_BYTES) {
            let length = piece.length as u32;
            let read = self.from.share.read(&self.source.caller, self.source.node, piece.source, length).await?;
            if read.data.iter().map(Bytes::len).sum::<usize>() as u64 != piece.length {
                // Truncated meanwhile.
                return Err(NtStatus::INVALID_VIEW_SIZE.into());
            }
            self.write(piece.target, read.data).await?;
        }
        Ok(())
    }

    async fn write(&self, mut at: u64, data: impl IntoIterator<Item = Bytes>) -> FsResult<()> {
        let stability = if self.target.is_write_through { Stability::File } else { Stability::Unstable };
        for part in data {
            let length = part.len() as u64;
            self.to.share.write(&self.target.caller, self.target.node, at, part, stability).await?;
            at += length;
        }
        Ok(())
    }
}

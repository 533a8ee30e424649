//! Frames on their way to the client.

use bytes::{Bytes, BytesMut};
use dittofs_smb_wire::frame;
use dittofs_transport::Charge;
use tokio::sync::mpsc::UnboundedSender;

use crate::counts::Requests;

/// A frame: its header, and the messages in it.
pub(crate) struct Frame {
    pub(crate) pieces: Vec<Bytes>,
    /// The memory that it takes, and that the requests took which it answers.
    pub(crate) charge: Option<Charge>,
    /// Whether it answers nothing: it goes behind the answers that are ready with it, as it may tell of what they give.
    pub(crate) is_notice: bool,
    /// The requests that it answers: they end with it.
    pub(crate) _requests: Option<Requests>,
}

impl Frame {
    /// A frame of these pieces; none if they are too long for one.
    pub(crate) fn new(mut pieces: Vec<Bytes>) -> Option<Frame> {
        let header = frame::header(pieces.iter().map(Bytes::len).sum())?;
        pieces.insert(0, Bytes::copy_from_slice(&header));
        Some(Frame { pieces, charge: None, is_notice: false, _requests: None })
    }

    /// A frame of one message that has room for the frame's header in front.
    pub(crate) fn of_one(mut message: BytesMut) -> Option<Frame> {
        let header = frame::header(message.len().checked_sub(frame::HEADER_SIZE)?)?;
        message.get_mut(..frame::HEADER_SIZE)?.copy_from_slice(&header);
        Some(Frame { pieces: vec![message.freeze()], charge: None, is_notice: false, _requests: None })
    }
}

/// Where requests put frames that the client gets before their answer, and breaks go. The connection takes them; there
/// is at most one for each request in flight, and one for each right that is taken away.
pub(crate) type Outbox = UnboundedSender<Frame>;

//! The bodies that carry nothing.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::layout::Body;
use crate::message::{Decode, Encode, OutgoingMessage};

/// A body of StructureSize 4 without content: the requests LOGOFF, TREE_DISCONNECT, CANCEL and ECHO, and the responses
/// to LOGOFF, TREE_DISCONNECT, FLUSH, LOCK and ECHO (MS-SMB2 2.2.7, 2.2.8, 2.2.11, 2.2.12, 2.2.18, 2.2.27 to 2.2.30).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EmptyBody;

impl Decode for EmptyBody {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        Body::open(message, 4).map(|_| Self)
    }
}

impl Encode for EmptyBody {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(4_u16);
        out.zeros(2);
    }
}

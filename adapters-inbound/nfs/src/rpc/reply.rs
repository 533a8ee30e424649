use bytes::{Bytes, BytesMut};
use dittofs_xdr::{Encode, Encoded, Encoder, XdrError};

use super::{AuthStat, RPC_VERSION};

/// The answer to a call: a whole message but for its record mark and xid, which the transport writes.
#[derive(Debug)]
pub struct Reply {
    message: Option<Encoded>,
    disconnects: bool,
}

/// Room for the record mark and the xid.
const MARK_AND_XID: [u32; 2] = [0; 2];
const MARK_BYTES: usize = 4;
const LAST_FRAGMENT: u32 = 1 << 31;
const REPLY: u32 = 1;
const MSG_ACCEPTED: u32 = 0;
const MSG_DENIED: u32 = 1;
/// `AUTH_NONE` and an empty body.
const NO_VERIFIER: [u32; 2] = [0; 2];

const SUCCESS: u32 = 0;
const PROG_UNAVAIL: u32 = 1;
const PROG_MISMATCH: u32 = 2;
const PROC_UNAVAIL: u32 = 3;
const GARBAGE_ARGS: u32 = 4;

const RPC_MISMATCH: u32 = 0;
const AUTH_ERROR: u32 = 1;

/// Holds every reply of NFSv3 but listings and data.
const CAPACITY: usize = 320;

impl Reply {
    /// SUCCESS, with the procedure's result.
    pub fn success(result: &impl Encode) -> Self {
        Self::success_with(CAPACITY, |encoder| result.encode(encoder))
    }

    /// SUCCESS, with a result that `write` appends; about `capacity` bytes are expected.
    pub fn success_with(capacity: usize, write: impl FnOnce(&mut Encoder)) -> Self {
        let mut encoder = accepted(SUCCESS, capacity);
        write(&mut encoder);
        Self::of(encoder)
    }

    /// PROG_UNAVAIL: nobody here serves the program.
    pub fn prog_unavail() -> Self {
        Self::of(accepted(PROG_UNAVAIL, CAPACITY))
    }

    /// PROG_MISMATCH: the program is served in the versions `low` to `high`.
    pub fn prog_mismatch(low: u32, high: u32) -> Self {
        let mut encoder = accepted(PROG_MISMATCH, CAPACITY);
        encoder.put_words([low, high]);
        Self::of(encoder)
    }

    /// PROC_UNAVAIL: the program has no such procedure.
    pub fn proc_unavail() -> Self {
        Self::of(accepted(PROC_UNAVAIL, CAPACITY))
    }

    /// GARBAGE_ARGS: the arguments can't be decoded.
    pub fn garbage_args() -> Self {
        Self::of(accepted(GARBAGE_ARGS, CAPACITY))
    }

    /// RPC_MISMATCH: only version 2 of RPC is spoken here.
    pub fn rpc_mismatch() -> Self {
        Self::denied([RPC_MISMATCH, RPC_VERSION, RPC_VERSION])
    }

    /// AUTH_ERROR: the credential won't do.
    pub fn auth_error(stat: AuthStat) -> Self {
        Self::denied([AUTH_ERROR, stat as u32])
    }

    /// No answer at all: the call is a duplicate of one that is still running.
    pub fn silence() -> Self {
        Self { message: None, disconnects: false }
    }

    /// No answer, and the end of the connection: the outcome of the call is not known. The client sends it again over
    /// another connection; silence alone would be taken for a call that is still running.
    pub fn disconnect() -> Self {
        Self { message: None, disconnects: true }
    }

    /// Whether the connection ends with it.
    pub fn disconnects(&self) -> bool {
        self.disconnects
    }

    /// A reply that was kept by [`Reply::to_bytes`].
    pub fn replay(kept: &[u8]) -> Self {
        Self { message: Some(Encoded { head: BytesMut::from(kept), rest: Vec::new() }), disconnects: false }
    }

    /// The whole reply in one piece, to be kept; `None` for [`Reply::silence`] and [`Reply::disconnect`].
    pub fn to_bytes(&self) -> Option<Bytes> {
        self.message.as_ref().map(Encoded::to_bytes)
    }

    /// The first segment of the message; `None` where there is none.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.message.as_ref().map(|message| &*message.head)
    }

    /// The length of the message, record mark included.
    pub fn bytes(&self) -> usize {
        self.message.as_ref().map_or(0, Encoded::len)
    }

    /// The message as it goes to a stream: with record mark and xid.
    pub fn into_stream_message(self, xid: u32) -> Option<Encoded> {
        let mut message = self.message?;
        let length = u32::try_from(message.len() - MARK_BYTES).unwrap_or(u32::MAX);
        debug_assert!(length < LAST_FRAGMENT, "a reply is far below 2 GiB");
        if let Some([mark, name]) = message.head.as_chunks_mut::<MARK_BYTES>().0.first_chunk_mut::<2>() {
            *mark = (length | LAST_FRAGMENT).to_be_bytes();
            *name = xid.to_be_bytes();
        }
        Some(message)
    }

    /// The message as it goes into a datagram: with xid, without record mark.
    pub fn into_datagram(self, xid: u32) -> Option<Bytes> {
        self.into_stream_message(xid).map(|message| message.to_bytes().slice(MARK_BYTES..))
    }

    fn denied<const N: usize>(words: [u32; N]) -> Self {
        let mut encoder = Encoder::with_capacity(CAPACITY);
        encoder.put_words(MARK_AND_XID);
        encoder.put_words([REPLY, MSG_DENIED]);
        encoder.put_words(words);
        Self::of(encoder)
    }

    fn of(encoder: Encoder) -> Self {
        Self { message: Some(encoder.finish()), disconnects: false }
    }
}

/// Arguments that don't decode are answered with GARBAGE_ARGS.
impl From<XdrError> for Reply {
    fn from(_: XdrError) -> Self {
        Self::garbage_args()
    }
}

fn accepted(stat: u32, capacity: usize) -> Encoder {
    let [flavour, length] = NO_VERIFIER;
    let [mark, xid] = MARK_AND_XID;
    let mut encoder = Encoder::with_capacity(capacity);
    encoder.put_words([mark, xid, REPLY, MSG_ACCEPTED, flavour, length, stat]);
    encoder
}

//! Calls that the server makes to its clients: over a connection of their own each, which is closed after the answer.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::BytesMut;
use dittofs_xdr::{Decode, Decoder, Encode, Encoder, XdrError};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{Credential, RPC_VERSION, RecordError, RecordReader};

/// A procedure of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Where it is.
    pub(crate) to: SocketAddr,
    /// The address of the server that the client knows: it takes calls of nobody else.
    pub(crate) from: IpAddr,
    pub(crate) program: u32,
    pub(crate) version: u32,
    pub(crate) procedure: u32,
}

/// Why a client could not be called.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    #[error("the client is not reached: {0}")]
    Unreached(#[source] io::Error),
    #[error("the connection with the client was lost: {0}")]
    Lost(#[from] io::Error),
    #[error("the client does not answer")]
    TimedOut,
    #[error("the client's answer makes no sense")]
    Nonsense,
    #[error("the client refuses the call")]
    Refused,
}

impl CallError {
    /// Whether the call may have been carried out all the same.
    pub(crate) fn may_have_arrived(&self) -> bool {
        match self {
            Self::Lost(_) | Self::TimedOut | Self::Nonsense => true,
            Self::Unreached(_) | Self::Refused => false,
        }
    }
}

impl From<XdrError> for CallError {
    fn from(_: XdrError) -> Self {
        Self::Nonsense
    }
}

impl From<RecordError> for CallError {
    fn from(_: RecordError) -> Self {
        Self::Nonsense
    }
}

/// How long a client may take, from the connection to its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer than any answer that is asked for.
const ANSWER_BYTES_MAX: usize = 8192;
const MARK_BYTES: usize = 4;
const LAST_FRAGMENT: u32 = 1 << 31;
const CALL: u32 = 0;
const REPLY: u32 = 1;
const MSG_ACCEPTED: u32 = 0;
const SUCCESS: u32 = 0;
/// `AUTH_NONE` and an empty body, as credential and as verifier.
const NOBODY: [u32; 4] = [0; 4];
/// Each connection has one call.
const XID: u32 = 1;

/// Calls a procedure.
pub(crate) async fn call<R: Decode>(target: Target, arguments: &impl Encode) -> Result<R, CallError> {
    let message = message(target, arguments);
    let answered = tokio::time::timeout(PATIENCE, async {
        let mut stream = connect(target).await.map_err(CallError::Unreached)?;
        stream.write_all(&message).await?;
        answer(&mut stream).await
    });
    answered.await.map_err(|_| CallError::TimedOut)?
}

fn message(target: Target, arguments: &impl Encode) -> Vec<u8> {
    let Target { program, version, procedure, .. } = target;
    let mut encoder = Encoder::default();
    encoder.put_words([0, XID, CALL, RPC_VERSION, program, version, procedure]);
    encoder.put_words(NOBODY);
    arguments.encode(&mut encoder);
    let mut message = encoder.finish().to_bytes().to_vec();
    let length = u32::try_from(message.len() - MARK_BYTES).unwrap_or(u32::MAX);
    if let Some(mark) = message.first_chunk_mut() {
        *mark = (length | LAST_FRAGMENT).to_be_bytes();
    }
    message
}

async fn connect(target: Target) -> io::Result<TcpStream> {
    let socket = if target.to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(target.from, 0))?;
    socket.connect(target.to).await
}

async fn answer<R: Decode>(stream: &mut TcpStream) -> Result<R, CallError> {
    let mut reader = RecordReader::new(ANSWER_BYTES_MAX);
    let mut input = BytesMut::new();
    loop {
        if let Some(record) = reader.next(&mut input)? {
            return result(&mut Decoder::new(record));
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

fn result<R: Decode>(decoder: &mut Decoder) -> Result<R, CallError> {
    if (decoder.u32()?, decoder.u32()?) != (XID, REPLY) {
        return Err(CallError::Nonsense);
    }
    if decoder.u32()? != MSG_ACCEPTED {
        return Err(CallError::Refused);
    }
    Credential::skip_verifier(decoder)?;
    if decoder.u32()? != SUCCESS {
        return Err(CallError::Refused);
    }
    Ok(decoder.get()?)
}

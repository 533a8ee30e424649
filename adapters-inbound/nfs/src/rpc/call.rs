use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, XdrError};

use super::{Credential, RPC_VERSION, Reply, call_line};

/// A call, with its arguments still undecoded.
#[derive(Debug)]
pub struct Call {
    /// Where it came from.
    pub peer: SocketAddr,
    /// The address of this server that it was sent to.
    pub local: IpAddr,
    /// The client's name for this call, the same in each of its retransmissions.
    pub xid: u32,
    /// The program called.
    pub program: u32,
    /// Its version.
    pub version: u32,
    /// The procedure called.
    pub procedure: u32,
    /// Who calls.
    pub credential: Credential,
    /// A decoder at the start of the arguments.
    pub arguments: Decoder,
    /// The length of the whole record.
    pub record_bytes: usize,
}

/// The outcome of parsing a record.
#[derive(Debug)]
pub enum Incoming {
    /// A call.
    Call(Call),
    /// A call that can't be carried out, with its answer.
    Refused {
        /// The call's xid.
        xid: u32,
        /// The answer.
        reply: Reply,
    },
    /// A reply. This server calls nobody over a forward channel, so it belongs to nothing.
    Ignored,
}

const CALL: u32 = 0;
const REPLY: u32 = 1;

impl Incoming {
    /// Reads a record's RPC header (RFC 5531 section 9). An error means that the record isn't RPC at all, so that there is nobody to
    /// answer: the stream should be closed. `peer` sent it, to `local`.
    pub fn parse(record: Bytes, (peer, local): (SocketAddr, IpAddr)) -> Result<Self, XdrError> {
        let record_bytes = record.len();
        let mut decoder = Decoder::new(record);
        let xid = decoder.u32()?;
        match decoder.u32()? {
            CALL => {}
            REPLY => return Ok(Self::Ignored),
            _ => return Err(XdrError::BadEnum),
        }
        if decoder.u32()? != RPC_VERSION {
            call_line::refused(peer, xid, "RPC_MISMATCH");
            return Ok(Self::Refused { xid, reply: Reply::rpc_mismatch() });
        }
        let program = decoder.u32()?;
        let version = decoder.u32()?;
        let procedure = decoder.u32()?;
        let credential = Credential::decode(&mut decoder)?;
        Credential::skip_verifier(&mut decoder)?;
        let arguments = decoder;
        Ok(Self::Call(Call { peer, local, xid, program, version, procedure, credential, arguments, record_bytes }))
    }
}

impl Call {
    /// Decodes the arguments. What follows them is not looked at, as other servers do, since some clients send more than they should.
    /// The error turns into GARBAGE_ARGS by [`Reply::from`].
    pub fn decode<T: Decode>(&mut self) -> Result<T, XdrError> {
        self.arguments.get()
    }
}

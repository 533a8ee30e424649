//! Negotiate contexts of SMB 3.1.1, MS-SMB2 2.2.3.1 and 2.2.4.1.

use bytes::Bytes;

use super::algorithms::{Cipher, CompressionAlgorithm, HashAlgorithm, RdmaTransform, SigningAlgorithm};
use crate::cursor::{Fields, Malformed, Reader, Writer, range};
use crate::header::Header;
use crate::layout::{Field, bit_set};
use crate::message::{OutgoingMessage, length_u16, length_u32};
use crate::text::Utf16Text;

bit_set! {
    /// The flags of a compression context.
    pub struct CompressionFlags(u32) {
        /// Chained compression.
        CHAINED = 0x0000_0001,
    }
}

bit_set! {
    /// The flags of a transport context.
    pub struct TransportFlags(u32) {
        /// The transport is secure, and messages need no encryption.
        ACCEPT_TRANSPORT_LEVEL_SECURITY = 0x0000_0001,
    }
}

/// One negotiate context. Each list of algorithms has one at least, in the sender's order of preference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NegotiateContext {
    /// Preauthentication integrity, 2.2.3.1.1.
    PreauthIntegrity {
        /// The hashes.
        hash_algorithms: Vec<HashAlgorithm>,
        /// Random bytes.
        salt: Bytes,
    },
    /// Encryption, 2.2.3.1.2.
    Encryption(Vec<Cipher>),
    /// Compression, 2.2.3.1.3.
    Compression {
        /// The kind of compression.
        flags: CompressionFlags,
        /// The algorithms.
        algorithms: Vec<CompressionAlgorithm>,
    },
    /// The server's name as the client knows it, 2.2.3.1.4.
    Netname(Utf16Text),
    /// Transport, 2.2.3.1.5.
    Transport(TransportFlags),
    /// RDMA transforms, 2.2.3.1.6.
    RdmaTransform(Vec<RdmaTransform>),
    /// Signing, 2.2.3.1.7.
    Signing(Vec<SigningAlgorithm>),
    /// The POSIX extensions of the Linux and Samba clients. The data is [`Self::POSIX_IDENTIFIER`].
    Posix(Bytes),
    /// Another context, which is to be ignored.
    Unknown {
        /// Its type.
        context_type: u16,
        /// Its data.
        data: Bytes,
    },
}

impl NegotiateContext {
    /// The data of the POSIX context.
    pub const POSIX_IDENTIFIER: [u8; 16] = crate::create::ContextName::POSIX_GUID;

    const PREAUTH_INTEGRITY: u16 = 0x0001;
    const ENCRYPTION: u16 = 0x0002;
    const COMPRESSION: u16 = 0x0003;
    const NETNAME: u16 = 0x0005;
    const TRANSPORT: u16 = 0x0006;
    const RDMA_TRANSFORM: u16 = 0x0007;
    const SIGNING: u16 = 0x0008;
    const POSIX: u16 = 0x0100;

    /// Reads one context's data.
    ///
    /// # Errors
    /// The data of a known type is too short, or has an empty list of algorithms.
    pub fn decode(context_type: u16, data: Bytes) -> Result<Self, Malformed> {
        let mut fields = Fields::new(&data);
        Ok(match context_type {
            Self::PREAUTH_INTEGRITY => {
                let count = fields.read()?;
                let salt_length: u16 = fields.read()?;
                let hash_algorithms: Vec<HashAlgorithm> = algorithms(&mut fields, count)?;
                let salt_offset = 4 + hash_algorithms.len() * HashAlgorithm::SIZE;
                Self::PreauthIntegrity { hash_algorithms, salt: range(&data, salt_offset as u64, salt_length.into())? }
            }
            Self::ENCRYPTION => {
                let count = fields.read()?;
                Self::Encryption(algorithms(&mut fields, count)?)
            }
            Self::COMPRESSION => {
                let count = fields.read()?;
                fields.skip(2)?;
                Self::Compression { flags: fields.read()?, algorithms: algorithms(&mut fields, count)? }
            }
            // A server has no use for the name, so one that is no text does no harm.
            Self::NETNAME => match Utf16Text::new(data.clone()) {
                Ok(name) => Self::Netname(name),
                Err(Malformed) => Self::Unknown { context_type, data },
            },
            Self::TRANSPORT => Self::Transport(fields.read()?),
            Self::RDMA_TRANSFORM => {
                let count = fields.read()?;
                fields.skip(6)?;
                Self::RdmaTransform(algorithms(&mut fields, count)?)
            }
            Self::SIGNING => {
                let count = fields.read()?;
                Self::Signing(algorithms(&mut fields, count)?)
            }
            Self::POSIX => Self::Posix(data),
            _ => Self::Unknown { context_type, data },
        })
    }

    /// Reads the list at `offset` from the header's first byte: each context begins on 8 bytes from the list's start.
    pub(super) fn decode_list(message: &Bytes, offset: u32, count: u16) -> Result<Vec<Self>, Malformed> {
        let offset = usize::try_from(offset).map_err(|_| Malformed)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        if offset < Header::SIZE || offset > message.len() {
            return Err(Malformed);
        }
        let mut reader = Reader::new(message.slice(offset..));
        let mut contexts = Vec::new();
        for index in 0..count {
            if index > 0 {
                reader.skip(reader.position().next_multiple_of(8) - reader.position())?;
            }
            let context_type = reader.u16()?;
            let data_length = reader.u16()?;
            reader.skip(4)?;
            contexts.push(Self::decode(context_type, reader.take(data_length.into())?)?);
        }
        Ok(contexts)
    }

    /// Where the list begins if the bytes before it end at `end`; zero if it is empty.
    pub(super) fn list_offset(contexts: &[Self], end: usize) -> u32 {
        if contexts.is_empty() { 0 } else { length_u32(end.next_multiple_of(8)) }
    }

    /// Appends the list: padding, contexts, and padding between them.
    pub(super) fn encode_list(contexts: &[Self], out: &mut OutgoingMessage) {
        let writer = out.head_writer();
        for context in contexts {
            writer.align(8);
            let (context_type, data) = context.encode();
            writer.u16(context_type);
            writer.u16(length_u16(data.len()));
            writer.zeros(4);
            writer.put(&data);
        }
    }

    /// The context's type and its data.
    #[must_use]
    pub fn encode(&self) -> (u16, Bytes) {
        let mut writer = Writer::default();
        let context_type = match self {
            Self::PreauthIntegrity { hash_algorithms, salt } => {
                writer.u16(length_u16(hash_algorithms.len()));
                writer.u16(length_u16(salt.len()));
                put_all(&mut writer, hash_algorithms);
                writer.put(salt);
                Self::PREAUTH_INTEGRITY
            }
            Self::Encryption(ciphers) => {
                writer.u16(length_u16(ciphers.len()));
                put_all(&mut writer, ciphers);
                Self::ENCRYPTION
            }
            Self::Compression { flags, algorithms } => {
                writer.u16(length_u16(algorithms.len()));
                writer.zeros(2);
                writer.field(*flags);
                put_all(&mut writer, algorithms);
                Self::COMPRESSION
            }
            Self::Netname(name) => return (Self::NETNAME, name.as_bytes().clone()),
            Self::Transport(flags) => {
                writer.field(*flags);
                Self::TRANSPORT
            }
            Self::RdmaTransform(transforms) => {
                writer.u16(length_u16(transforms.len()));
                writer.zeros(6);
                put_all(&mut writer, transforms);
                Self::RDMA_TRANSFORM
            }
            Self::Signing(algorithms) => {
                writer.u16(length_u16(algorithms.len()));
                put_all(&mut writer, algorithms);
                Self::SIGNING
            }
            Self::Posix(data) => return (Self::POSIX, data.clone()),
            Self::Unknown { context_type, data } => return (*context_type, data.clone()),
        };
        (context_type, writer.into_bytes().freeze())
    }
}

/// Reads so many algorithms, and one at least.
fn algorithms<T: Field>(fields: &mut Fields<'_>, count: u16) -> Result<Vec<T>, Malformed> {
    if count == 0 {
        return Err(Malformed);
    }
    (0..count).map(|_| fields.read()).collect()
}

fn put_all<T: Field>(writer: &mut Writer, values: &[T]) {
    for value in values {
        writer.field(*value);
    }
}

#[cfg(test)]
mod tests;

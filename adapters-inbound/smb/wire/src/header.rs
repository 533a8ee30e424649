//! The header of every SMB2 message, MS-SMB2 2.2.1.

use bytes::BufMut;

use crate::cursor::{Fields, Malformed};
use crate::layout::{Field, bit_set};
use crate::status::NtStatus;

pub use command::Command;

mod command;

/// The header, in its synchronous (2.2.1.2) and asynchronous (2.2.1.1) form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Credits that the request consumes, of which each stands for up to 64 KiB of payload. Zero counts as one.
    pub credit_charge: u16,
    /// The outcome of the request. In requests of SMB 3.x it holds [`Self::channel_sequence`].
    pub status: NtStatus,
    /// The operation, whose body follows the header.
    pub command: Command,
    /// Credits that the client asks for, or that the server grants.
    pub credits: u16,
    /// The flags but ASYNC_COMMAND, which [`Self::routing`] stands for: it is ignored here when a header is encoded.
    pub flags: HeaderFlags,
    /// Bytes from this header to the next of the compound; zero in the last.
    pub next_command: u32,
    /// The number of the request on its connection; all ones in a break notification.
    pub message_id: u64,
    /// The tree, or the asynchronous operation, that the message belongs to.
    pub routing: Routing,
    /// The session; zero before there is one.
    pub session_id: u64,
    /// The signature, if the flags have SIGNED, else zeros.
    pub signature: [u8; 16],
}

/// The eight bytes of the header that differ between its two forms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Routing {
    /// A message of a tree.
    Synchronous {
        /// Reserved since SMB 2.1; a server returns it as it came.
        process_id: u32,
        /// The tree connect; zero where there is none, and all ones in a related part of a compound.
        tree_id: u32,
    },
    /// An interim or final response of an operation that outlives its request, or a CANCEL of it.
    Asynchronous {
        /// The server's number of the operation.
        async_id: u64,
    },
}

bit_set! {
    /// The Flags field of the header.
    pub struct HeaderFlags(u32) {
        /// The message is a response.
        SERVER_TO_REDIR = 0x0000_0001,
        /// The header has its asynchronous form.
        ASYNC_COMMAND = 0x0000_0002,
        /// The part of a compound uses the session, tree and file of the part before.
        RELATED_OPERATIONS = 0x0000_0004,
        /// The message is signed.
        SIGNED = 0x0000_0008,
        /// The bits of the request's priority, since SMB 3.1.1.
        PRIORITY_MASK = 0x0000_0070,
        /// The path of the request is a DFS path.
        DFS_OPERATIONS = 0x1000_0000,
        /// The client sends the request again, because it lost the response (SMB 3.x).
        REPLAY_OPERATION = 0x2000_0000,
    }
}

impl Header {
    /// The length of a header.
    pub const SIZE: usize = 64;
    /// The first four bytes.
    pub const PROTOCOL_ID: [u8; 4] = *b"\xFESMB";
    /// The message identifier of a break notification, which answers no request (2.2.23).
    pub const UNSOLICITED_MESSAGE_ID: u64 = u64::MAX;

    pub(crate) const NEXT_COMMAND_OFFSET: usize = 20;
    pub(crate) const SIGNATURE_OFFSET: usize = 48;
    /// The StructureSize of the header itself.
    const STRUCTURE_SIZE: u16 = 64;

    /// Reads the header at the start of a message.
    ///
    /// # Errors
    /// The bytes are too few, or they begin with no SMB2 header: the connection is to be closed (3.3.5.2.6).
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(message);
        if fields.array()? != Self::PROTOCOL_ID || fields.read::<u16>()? != Self::STRUCTURE_SIZE {
            return Err(Malformed);
        }
        let credit_charge = fields.read()?;
        let status = fields.read()?;
        let command = fields.read()?;
        let credits = fields.read()?;
        let flags: HeaderFlags = fields.read()?;
        Ok(Self {
            credit_charge,
            status,
            command,
            credits,
            flags: flags - HeaderFlags::ASYNC_COMMAND,
            next_command: fields.read()?,
            message_id: fields.read()?,
            routing: if flags.contains(HeaderFlags::ASYNC_COMMAND) {
                Routing::Asynchronous { async_id: fields.read()? }
            } else {
                Routing::Synchronous { process_id: fields.read()?, tree_id: fields.read()? }
            },
            session_id: fields.read()?,
            signature: fields.read()?,
        })
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut out = bytes.as_mut_slice();
        out.put_slice(&Self::PROTOCOL_ID);
        out.put_u16_le(Self::STRUCTURE_SIZE);
        self.credit_charge.write(&mut out);
        self.status.write(&mut out);
        self.command.write(&mut out);
        self.credits.write(&mut out);
        let mut flags = self.flags;
        flags.set(HeaderFlags::ASYNC_COMMAND, matches!(self.routing, Routing::Asynchronous { .. }));
        flags.write(&mut out);
        self.next_command.write(&mut out);
        self.message_id.write(&mut out);
        match self.routing {
            Routing::Synchronous { process_id, tree_id } => {
                process_id.write(&mut out);
                tree_id.write(&mut out);
            }
            Routing::Asynchronous { async_id } => async_id.write(&mut out),
        }
        self.session_id.write(&mut out);
        self.signature.write(&mut out);
        bytes
    }

    /// The header of this request's response, MS-SMB2 3.3.4.1: the same command and identifiers, neither signed nor
    /// chained. The response of a related part of a compound keeps that flag.
    #[must_use]
    pub fn response(&self, status: NtStatus, credits: u16) -> Self {
        let kept = HeaderFlags::RELATED_OPERATIONS | HeaderFlags::PRIORITY_MASK | HeaderFlags::REPLAY_OPERATION;
        Self {
            status,
            credits,
            flags: (self.flags & kept) | HeaderFlags::SERVER_TO_REDIR,
            next_command: 0,
            signature: [0; 16],
            ..*self
        }
    }

    /// The header of a request outside of any session and tree: all further fields are zero. The answer to an SMB1
    /// NEGOTIATE is the response to such a NEGOTIATE with message identifier 0 (3.3.5.3.1).
    #[must_use]
    pub fn request(command: Command, message_id: u64) -> Self {
        Self {
            credit_charge: 0,
            status: NtStatus::SUCCESS,
            command,
            credits: 0,
            flags: HeaderFlags::empty(),
            next_command: 0,
            message_id,
            routing: Routing::Synchronous { process_id: 0, tree_id: 0 },
            session_id: 0,
            signature: [0; 16],
        }
    }

    /// The header of an oplock or lease break that the server sends on its own, MS-SMB2 3.3.4.6 and 3.3.4.7.
    #[must_use]
    pub fn break_notification() -> Self {
        Self::request(Command::OPLOCK_BREAK, Self::UNSOLICITED_MESSAGE_ID).response(NtStatus::SUCCESS, 0)
    }

    /// The ChannelSequence of a request of SMB 3.x: it grows when the client's channels fail.
    #[must_use]
    pub fn channel_sequence(&self) -> u16 {
        (self.status.0 & 0xFFFF) as u16
    }
}

#[cfg(test)]
mod tests;

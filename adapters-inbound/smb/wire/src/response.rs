//! A response to any command.

#[cfg(feature = "client")]
use bytes::Bytes;

use crate::close::CloseResponse;
use crate::create::CreateResponse;
use crate::empty::EmptyBody;
use crate::error::ErrorResponse;
use crate::ioctl::IoctlResponse;
use crate::message::{Encode, OutgoingMessage};
use crate::negotiate::NegotiateResponse;
use crate::oplock_break::{LeaseBreak, LeaseBreakNotification, OplockBreak};
use crate::output::OutputBufferResponse;
use crate::read::ReadResponse;
use crate::session_setup::SessionSetupResponse;
use crate::set_info::SetInfoResponse;
use crate::tree_connect::TreeConnectResponse;
use crate::write::WriteResponse;
#[cfg(feature = "client")]
use crate::{
    cursor::Malformed,
    header::{Command, Header},
    layout::Body,
    message::Decode,
    status::NtStatus,
};

#[cfg(all(test, feature = "client"))]
mod tests;

/// The body of a response or notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// To NEGOTIATE.
    Negotiate(NegotiateResponse),
    /// To SESSION_SETUP.
    SessionSetup(SessionSetupResponse),
    /// To TREE_CONNECT.
    TreeConnect(TreeConnectResponse),
    /// To CREATE.
    Create(CreateResponse),
    /// To CLOSE.
    Close(CloseResponse),
    /// To READ.
    Read(ReadResponse),
    /// To WRITE.
    Write(WriteResponse),
    /// To IOCTL.
    Ioctl(IoctlResponse),
    /// To QUERY_DIRECTORY, CHANGE_NOTIFY or QUERY_INFO.
    Output(OutputBufferResponse),
    /// To SET_INFO.
    SetInfo,
    /// To LOGOFF, TREE_DISCONNECT, FLUSH, LOCK or ECHO.
    Empty,
    /// An oplock break notification, or the response to its acknowledgment.
    OplockBreak(OplockBreak),
    /// A lease break notification.
    LeaseBreakNotification(LeaseBreakNotification),
    /// The response to the acknowledgment of a lease break.
    LeaseBreak(LeaseBreak),
    /// To any command, with the status of an error or STATUS_PENDING.
    Error(ErrorResponse),
}

impl Encode for Response {
    fn encode(&self, out: &mut OutgoingMessage) {
        match self {
            Self::Negotiate(body) => body.encode(out),
            Self::SessionSetup(body) => body.encode(out),
            Self::TreeConnect(body) => body.encode(out),
            Self::Create(body) => body.encode(out),
            Self::Close(body) => body.encode(out),
            Self::Read(body) => body.encode(out),
            Self::Write(body) => body.encode(out),
            Self::Ioctl(body) => body.encode(out),
            Self::Output(body) => body.encode(out),
            Self::SetInfo => SetInfoResponse.encode(out),
            Self::Empty => EmptyBody.encode(out),
            Self::OplockBreak(body) => body.encode(out),
            Self::LeaseBreakNotification(body) => body.encode(out),
            Self::LeaseBreak(body) => body.encode(out),
            Self::Error(body) => body.encode(out),
        }
    }
}

#[cfg(feature = "client")]
impl Response {
    /// Reads the body of the response with this header. `message` begins with that header.
    ///
    /// # Errors
    /// The body can't be read, or the command is unknown.
    pub fn decode(header: &Header, message: &Bytes) -> Result<Self, Malformed> {
        if is_error(header, Body::structure_size(message)?) {
            return Ok(Self::Error(Decode::decode(message)?));
        }
        Ok(match header.command {
            Command::NEGOTIATE => Self::Negotiate(Decode::decode(message)?),
            Command::SESSION_SETUP => Self::SessionSetup(Decode::decode(message)?),
            Command::TREE_CONNECT => Self::TreeConnect(Decode::decode(message)?),
            Command::CREATE => Self::Create(Decode::decode(message)?),
            Command::CLOSE => Self::Close(Decode::decode(message)?),
            Command::READ => Self::Read(Decode::decode(message)?),
            Command::WRITE => Self::Write(Decode::decode(message)?),
            Command::IOCTL => Self::Ioctl(Decode::decode(message)?),
            Command::QUERY_DIRECTORY | Command::CHANGE_NOTIFY | Command::QUERY_INFO => {
                Self::Output(Decode::decode(message)?)
            }
            Command::SET_INFO => SetInfoResponse::decode(message).map(|SetInfoResponse| Self::SetInfo)?,
            Command::LOGOFF | Command::TREE_DISCONNECT | Command::FLUSH | Command::LOCK | Command::ECHO => {
                EmptyBody::decode(message).map(|EmptyBody| Self::Empty)?
            }
            Command::OPLOCK_BREAK => match Body::structure_size(message)? {
                44 => Self::LeaseBreakNotification(Decode::decode(message)?),
                36 => Self::LeaseBreak(Decode::decode(message)?),
                _ => Self::OplockBreak(Decode::decode(message)?),
            },
            _ => return Err(Malformed),
        })
    }
}

/// Whether the body is an [`ErrorResponse`], and not the command's own (MS-SMB2 3.3.4.4). Where both are possible for
/// a status, StructureSize tells; it doesn't where the command's own is 9 too, and for these the status does.
#[cfg(feature = "client")]
fn is_error(header: &Header, structure_size: u16) -> bool {
    let own_body = matches!(
        (header.command, header.status),
        (_, NtStatus::SUCCESS)
            | (Command::SESSION_SETUP, NtStatus::MORE_PROCESSING_REQUIRED)
            | (Command::QUERY_INFO | Command::QUERY_DIRECTORY, NtStatus::BUFFER_OVERFLOW)
            | (Command::CHANGE_NOTIFY, NtStatus::NOTIFY_ENUM_DIR)
    );
    structure_size == 9 && !own_body
}

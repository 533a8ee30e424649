//! A request of any command.

use bytes::Bytes;
use thiserror::Error;

use crate::change_notify::ChangeNotifyRequest;
use crate::close::CloseRequest;
use crate::create::CreateRequest;
use crate::cursor::Malformed;
use crate::empty::EmptyBody;
use crate::flush::FlushRequest;
use crate::header::Command;
use crate::ioctl::IoctlRequest;
use crate::lock::LockRequest;
use crate::message::Decode;
#[cfg(feature = "client")]
use crate::message::{Encode, OutgoingMessage};
use crate::negotiate::NegotiateRequest;
use crate::oplock_break::BreakAcknowledgment;
use crate::query_directory::QueryDirectoryRequest;
use crate::query_info::QueryInfoRequest;
use crate::read::ReadRequest;
use crate::session_setup::SessionSetupRequest;
use crate::set_info::SetInfoRequest;
use crate::tree_connect::TreeConnectRequest;
use crate::write::WriteRequest;

/// The body of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// NEGOTIATE, MS-SMB2 2.2.3.
    Negotiate(NegotiateRequest),
    /// SESSION_SETUP, MS-SMB2 2.2.5.
    SessionSetup(SessionSetupRequest),
    /// LOGOFF, MS-SMB2 2.2.7.
    Logoff,
    /// TREE_CONNECT, MS-SMB2 2.2.9.
    TreeConnect(TreeConnectRequest),
    /// TREE_DISCONNECT, MS-SMB2 2.2.11.
    TreeDisconnect,
    /// CREATE, MS-SMB2 2.2.13.
    Create(CreateRequest),
    /// CLOSE, MS-SMB2 2.2.15.
    Close(CloseRequest),
    /// FLUSH, MS-SMB2 2.2.17.
    Flush(FlushRequest),
    /// READ, MS-SMB2 2.2.19.
    Read(ReadRequest),
    /// WRITE, MS-SMB2 2.2.21.
    Write(WriteRequest),
    /// LOCK, MS-SMB2 2.2.26.
    Lock(LockRequest),
    /// IOCTL, MS-SMB2 2.2.31.
    Ioctl(IoctlRequest),
    /// CANCEL, MS-SMB2 2.2.30.
    Cancel,
    /// ECHO, MS-SMB2 2.2.28.
    Echo,
    /// QUERY_DIRECTORY, MS-SMB2 2.2.33.
    QueryDirectory(QueryDirectoryRequest),
    /// CHANGE_NOTIFY, MS-SMB2 2.2.35.
    ChangeNotify(ChangeNotifyRequest),
    /// QUERY_INFO, MS-SMB2 2.2.37.
    QueryInfo(QueryInfoRequest),
    /// SET_INFO, MS-SMB2 2.2.39.
    SetInfo(SetInfoRequest),
    /// The acknowledgment of an oplock or lease break, MS-SMB2 2.2.24.
    OplockBreak(BreakAcknowledgment),
}

/// The reason for which a request can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RequestError {
    /// The body can't be read: the answer is STATUS_INVALID_PARAMETER.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No client sends such a command. MS-SMB2 3.3.5.2.6 says to close the connection; smbtorture's compound.invalid4
    /// expects the answer STATUS_INVALID_PARAMETER.
    #[error("{0:?} is not a command of a client")]
    UnknownCommand(Command),
}

impl Request {
    /// Reads the body of a request whose header has this command. `message` begins with that header.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn decode(command: Command, message: &Bytes) -> Result<Self, RequestError> {
        Ok(match command {
            Command::NEGOTIATE => Self::Negotiate(Decode::decode(message)?),
            Command::SESSION_SETUP => Self::SessionSetup(Decode::decode(message)?),
            Command::LOGOFF => EmptyBody::decode(message).map(|EmptyBody| Self::Logoff)?,
            Command::TREE_CONNECT => Self::TreeConnect(Decode::decode(message)?),
            Command::TREE_DISCONNECT => EmptyBody::decode(message).map(|EmptyBody| Self::TreeDisconnect)?,
            Command::CREATE => Self::Create(Decode::decode(message)?),
            Command::CLOSE => Self::Close(Decode::decode(message)?),
            Command::FLUSH => Self::Flush(Decode::decode(message)?),
            Command::READ => Self::Read(Decode::decode(message)?),
            Command::WRITE => Self::Write(Decode::decode(message)?),
            Command::LOCK => Self::Lock(Decode::decode(message)?),
            Command::IOCTL => Self::Ioctl(Decode::decode(message)?),
            Command::CANCEL => EmptyBody::decode(message).map(|EmptyBody| Self::Cancel)?,
            Command::ECHO => EmptyBody::decode(message).map(|EmptyBody| Self::Echo)?,
            Command::QUERY_DIRECTORY => Self::QueryDirectory(Decode::decode(message)?),
            Command::CHANGE_NOTIFY => Self::ChangeNotify(Decode::decode(message)?),
            Command::QUERY_INFO => Self::QueryInfo(Decode::decode(message)?),
            Command::SET_INFO => Self::SetInfo(Decode::decode(message)?),
            Command::OPLOCK_BREAK => Self::OplockBreak(Decode::decode(message)?),
            _ => return Err(RequestError::UnknownCommand(command)),
        })
    }

    /// The command that the request's header must have.
    #[must_use]
    pub fn command(&self) -> Command {
        match self {
            Self::Negotiate(_) => Command::NEGOTIATE,
            Self::SessionSetup(_) => Command::SESSION_SETUP,
            Self::Logoff => Command::LOGOFF,
            Self::TreeConnect(_) => Command::TREE_CONNECT,
            Self::TreeDisconnect => Command::TREE_DISCONNECT,
            Self::Create(_) => Command::CREATE,
            Self::Close(_) => Command::CLOSE,
            Self::Flush(_) => Command::FLUSH,
            Self::Read(_) => Command::READ,
            Self::Write(_) => Command::WRITE,
            Self::Lock(_) => Command::LOCK,
            Self::Ioctl(_) => Command::IOCTL,
            Self::Cancel => Command::CANCEL,
            Self::Echo => Command::ECHO,
            Self::QueryDirectory(_) => Command::QUERY_DIRECTORY,
            Self::ChangeNotify(_) => Command::CHANGE_NOTIFY,
            Self::QueryInfo(_) => Command::QUERY_INFO,
            Self::SetInfo(_) => Command::SET_INFO,
            Self::OplockBreak(_) => Command::OPLOCK_BREAK,
        }
    }
}

#[cfg(feature = "client")]
impl Encode for Request {
    fn encode(&self, out: &mut OutgoingMessage) {
        match self {
            Self::Negotiate(body) => body.encode(out),
            Self::SessionSetup(body) => body.encode(out),
            Self::TreeConnect(body) => body.encode(out),
            Self::Logoff | Self::TreeDisconnect | Self::Cancel | Self::Echo => EmptyBody.encode(out),
            Self::Create(body) => body.encode(out),
            Self::Close(body) => body.encode(out),
            Self::Flush(body) => body.encode(out),
            Self::Read(body) => body.encode(out),
            Self::Write(body) => body.encode(out),
            Self::Lock(body) => body.encode(out),
            Self::Ioctl(body) => body.encode(out),
            Self::QueryDirectory(body) => body.encode(out),
            Self::ChangeNotify(body) => body.encode(out),
            Self::QueryInfo(body) => body.encode(out),
            Self::SetInfo(body) => body.encode(out),
            Self::OplockBreak(BreakAcknowledgment::Oplock(body)) => body.encode(out),
            Self::OplockBreak(BreakAcknowledgment::Lease(body)) => body.encode(out),
        }
    }
}

#[cfg(test)]
mod tests;

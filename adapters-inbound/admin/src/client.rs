//! The other end of the socket.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use dittofs_ports::BackupRequest;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::{Method, Request, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

use crate::{
    backup::{BackupLine, BackupsView, ReleasedView, to_query},
    check::CheckLine,
    users::{UserRequest, UsersView, digits_of},
    wire::{Refused, ReloadView, SharesView},
};

/// The most bytes that a reply may take. The longest is that of a check, whose 10,000 findings have 1.6 KB each within
/// this.
const REPLY_BYTES_MAX: usize = 16 << 20;

/// Why a server did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No server listens there.
    #[error("no server listens on {}", .0.display())]
    NotRunning(PathBuf),
    /// The socket can't be used.
    #[error("the server's socket {} can't be used: {source}", socket.display())]
    Socket {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server said no.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The reply makes no sense.
    #[error("the server's reply can't be read: {0}")]
    Reply(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Asks a running server. Each call takes a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// For the server that listens on this socket.
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_owned() }
    }

    /// All shares.
    ///
    /// # Errors
    /// `NotRunning` where no server is.
    pub async fn shares(&self) -> Result<SharesView, ClientError> {
        self.ask(Method::GET, "/v1/shares").await
    }

    /// Brings all that was acknowledged to its content stores.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused` where a store failed.
    pub async fn flush(&self) -> Result<(), ClientError> {
        self.ask::<IgnoredAny>(Method::POST, "/v1/flush").await.map(drop)
    }

    /// Has the server read its configuration again.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused` where the configuration can't be used.
    pub async fn reload(&self) -> Result<ReloadView, ClientError> {
        self.ask(Method::POST, "/v1/reload").await
    }

    /// Checks a share, line by line; the last one is a summary or a failure. No timeout: reading a share takes as long
    /// as it takes.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Reply` where it ends before it has said how the check ended.
    pub async fn check(&self, share: u64, content: bool, each: impl FnMut(CheckLine)) -> Result<(), ClientError> {
        let uri = format!("/v1/shares/{share}/check?content={content}");
        let is_last = |line: &CheckLine| matches!(line, CheckLine::Summary(_) | CheckLine::Failed { .. });
        self.lines(&uri, is_last, each).await
    }

    /// Has the server write a backup into a folder, whose path is absolute. Likewise line by line; whoever drops this gives the backup up.
    ///
    /// # Errors
    /// As [`Client::check`].
    pub async fn back_up(&self, request: &BackupRequest, each: impl FnMut(BackupLine)) -> Result<(), ClientError> {
        let uri = format!("/v1/backups?{}", to_query(request));
        let is_last = |line: &BackupLine| matches!(line, BackupLine::Summary(_) | BackupLine::Failed { .. });
        self.lines(&uri, is_last, each).await
    }

    /// The backups that pin objects.
    ///
    /// # Errors
    /// `NotRunning` where no server is.
    pub async fn backups(&self) -> Result<BackupsView, ClientError> {
        self.ask(Method::GET, "/v1/backups").await
    }

    /// Releases a backup.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused` where there is no such backup.
    pub async fn release_backup(&self, backup: &str) -> Result<ReleasedView, ClientError> {
        self.ask(Method::DELETE, &format!("/v1/backups/{backup}")).await
    }

    /// The users of the server.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused` where they can't be read.
    pub async fn users(&self) -> Result<UsersView, ClientError> {
        self.ask(Method::GET, "/v1/users").await
    }

    /// Adds or changes a user.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused`, with the reason.
    pub async fn change_user(&self, request: &UserRequest) -> Result<(), ClientError> {
        // Wiped by its owner: it has a secret.
        let body = Zeroizing::new(serde_json::to_vec(request).map_err(reply)?);
        let answer = self.ask_with::<IgnoredAny>(Method::POST, "/v1/users", Bytes::from_owner(body)).await;
        answer.map(drop)
    }

    /// Removes a user.
    ///
    /// # Errors
    /// `NotRunning` where no server is; `Refused` where there is no such user.
    pub async fn remove_user(&self, name: &str) -> Result<(), ClientError> {
        self.ask::<IgnoredAny>(Method::DELETE, &format!("/v1/users/{}", digits_of(name))).await.map(drop)
    }

    /// Asks for something that is answered line by line, and gives each line to `each`.
    async fn lines<L: DeserializeOwned>(
        &self,
        uri: &str,
        is_last: impl Fn(&L) -> bool,
        mut each: impl FnMut(L),
    ) -> Result<(), ClientError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.connect().await?)).await.map_err(reply)?;
        let request = Request::builder().method(Method::POST).uri(uri).header(HOST, "localhost");
        let request = request.body(Empty::<Bytes>::new()).map_err(reply)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(reply)?;
            let status = response.status();
            let mut body = response.into_body();
            let (mut rest, mut has_ended) = (Vec::new(), false);
            while let Some(frame) = body.frame().await {
                rest.extend_from_slice(&frame.map_err(reply)?.into_data().unwrap_or_default());
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n').filter(|_| status.is_success()) {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let line: L = serde_json::from_slice(&line).map_err(reply)?;
                    has_ended |= is_last(&line);
                    each(line);
                }
                if rest.len() > REPLY_BYTES_MAX {
                    return Err(reply("a line is too long"));
                }
            }
            drop(sender);
            match (status.is_success(), has_ended) {
                (true, true) => Ok(()),
                (true, false) => Err(reply("the server ended before it was done")),
                (false, _) => Err(ClientError::Refused(serde_json::from_slice::<Refused>(&rest).map_err(reply)?.error)),
            }
        };
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, ClientError> {
        self.ask_with(method, path, Bytes::new()).await
    }

    async fn ask_with<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(reply)?;
        let request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        let request = request.body(Full::new(body)).map_err(reply)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(reply)?;
            let status = response.status();
            let body =
                Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await.map_err(ClientError::Reply)?;
            drop(sender);
            Ok((status, body.to_bytes()))
        };
        let (answer, _) = tokio::join!(exchange, connection);
        let (status, body) = answer?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(reply);
        }
        let refused: Refused = serde_json::from_slice(&body).map_err(reply)?;
        Err(ClientError::Refused(refused.error))
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        UnixStream::connect(&self.socket).await.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NotRunning(self.socket.clone()),
            _ => ClientError::Socket { socket: self.socket.clone(), source },
        })
    }
}

fn reply(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Reply(error.into())
}

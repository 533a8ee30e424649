//! The other end of the socket.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::wire::{Refused, SharesView};

/// What a reply may take.
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
    /// What came back makes no sense.
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
        self.ask::<serde::de::IgnoredAny>(Method::POST, "/v1/flush").await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(reply)?;
        let request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        let request = request.body(Empty::<Bytes>::new()).map_err(reply)?;
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

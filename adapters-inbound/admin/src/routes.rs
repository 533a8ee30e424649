//! From a request to a call of the service, and from its result to a reply.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::{FsError, ShareId, backup::BackupId};
use dittofs_ports::{AccountService, AdminService, BackupError, CheckOptions};
use http_body_util::{BodyExt, Full, Limited, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;

use crate::backup::{BackupsView, ReleasedView, backup_lines, of_query};
use crate::check::check_lines;
use crate::configured::Configured;
use crate::lines::LinesBody;
use crate::users::{self, Refusal};
use crate::wire::{Refused, ShareView, SharesView};

/// The most bytes that a request may bring: a user with a thousand groups has a quarter of it.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long it may take. As with the head, only a peer that hangs needs longer.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A body that may come in pieces, so that what takes long can report how far it is.
pub(crate) type Body = BoxBody<Bytes, std::convert::Infallible>;

/// The sources from which requests are answered.
pub(crate) struct Routes {
    pub(crate) service: Arc<dyn AdminService>,
    pub(crate) accounts: Arc<dyn AccountService>,
    pub(crate) configured: Arc<dyn Configured>,
}

impl Routes {
    /// Answers a request. Only a change of users takes a body; no other is read.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/v1/shares") => self.shares().await,
            (&Method::POST, "/v1/flush") => self.flush().await,
            (&Method::POST, "/v1/reload") => self.reload().await,
            (&Method::POST, path) if share_to_check(path).is_some() => {
                self.check(share_to_check(path).unwrap_or_default(), request.uri().query())
            }
            (&Method::GET, "/v1/backups") => self.backups().await,
            (&Method::POST, "/v1/backups") => self.back_up(request.uri().query()),
            (&Method::DELETE, path) if backup_to_release(path).is_some() => match backup_to_release(path) {
                Some(backup) => self.release_backup(backup).await,
                None => refused(StatusCode::NOT_FOUND, "no backup has this id"),
            },
            (&Method::GET, "/v1/users") => answered(users::list(&*self.accounts).await),
            (&Method::POST, "/v1/users") => self.change_user(request.into_body()).await,
            (&Method::DELETE, path) if path.starts_with(USER) => {
                answered(users::remove(&*self.accounts, path.trim_start_matches(USER)).await)
            }
            (_, "/v1/shares" | "/v1/flush" | "/v1/reload" | "/v1/backups" | "/v1/users") => {
                refused(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
            }
            _ => refused(StatusCode::NOT_FOUND, "this server knows no such request"),
        }
    }

    async fn shares(&self) -> Response<Body> {
        let running = self.service.shares();
        let mut shares = Vec::with_capacity(running.len());
        for facts in self.configured.facts() {
            let Some(info) = running.iter().find(|info| info.name == facts.name) else {
                continue;
            };
            let space = match self.service.space(info.id).await {
                Ok(space) => Some(space.into()),
                Err(error) => return failed(error),
            };
            shares.push(ShareView { facts, id: Some(info.id.0), state: "served".into(), space });
        }
        json(StatusCode::OK, &SharesView { shares, unnamed: self.configured.unnamed() })
    }

    fn check(&self, share: ShareId, query: Option<&str>) -> Response<Body> {
        let options = CheckOptions { content: query != Some("content=false"), ..CheckOptions::default() };
        lines(check_lines(Arc::clone(&self.service), share, options))
    }

    fn back_up(&self, query: Option<&str>) -> Response<Body> {
        match query.and_then(of_query) {
            Some(request) => lines(backup_lines(Arc::clone(&self.service), request)),
            None => refused(
                StatusCode::BAD_REQUEST,
                "a backup is asked for by `folder`, `pin`, `allow_damaged` and `share`",
            ),
        }
    }

    async fn backups(&self) -> Response<Body> {
        match self.service.backups().await {
            Ok(backups) => {
                let backups = backups.into_iter().map(Into::into).collect();
                json(StatusCode::OK, &BackupsView { backups })
            }
            Err(error) => backup_failed(&error),
        }
    }

    async fn release_backup(&self, backup: BackupId) -> Response<Body> {
        match self.service.release_backup(backup).await {
            Ok(bytes) => json(StatusCode::OK, &ReleasedView { bytes }),
            Err(error) => backup_failed(&error),
        }
    }

    async fn reload(&self) -> Response<Body> {
        match Arc::clone(&self.configured).reload().await {
            Ok(view) => json(StatusCode::OK, &view),
            Err(error) => refused(StatusCode::CONFLICT, &error),
        }
    }

    async fn change_user<B>(&self, body: B) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await;
        let Ok(Ok(body)) = body else {
            return refused(StatusCode::BAD_REQUEST, "the body does not come, or is too long");
        };
        // Without a word of the body, which has a secret.
        match serde_json::from_slice(&body.to_bytes()) {
            Ok(request) => answered(users::change(&*self.accounts, request).await),
            Err(_) => refused(StatusCode::BAD_REQUEST, "the body is no change of a user"),
        }
    }

    async fn flush(&self) -> Response<Body> {
        match self.service.flush().await {
            Ok(()) => json(StatusCode::OK, &serde_json::json!({})),
            Err(error) => failed(error),
        }
    }
}

/// Before the digits of a user's name.
const USER: &str = "/v1/users/";

fn answered(result: Result<impl Serialize, Refusal>) -> Response<Body> {
    match result {
        Ok(value) => json(StatusCode::OK, &value),
        Err(refusal) => {
            let (status, error) = refusal.answer();
            refused(status, &error)
        }
    }
}

/// The share in `/v1/shares/ID/check`.
fn share_to_check(path: &str) -> Option<ShareId> {
    path.strip_prefix("/v1/shares/")?.strip_suffix("/check")?.parse().ok().map(ShareId)
}

/// The backup in `/v1/backups/ID`.
fn backup_to_release(path: &str) -> Option<BackupId> {
    path.strip_prefix("/v1/backups/")?.parse().ok()
}

fn lines(body: LinesBody) -> Response<Body> {
    let mut response = Response::new(body.boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

fn backup_failed(error: &BackupError) -> Response<Body> {
    refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn failed(error: FsError) -> Response<Body> {
    refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn refused(status: StatusCode, error: &str) -> Response<Body> {
    json(status, &Refused { error: error.to_owned() })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // Every type that is sent has text for keys, which is all that could fail.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

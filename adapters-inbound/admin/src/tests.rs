use std::{io, sync::Arc};

use dittofs_domain::{FsError, NodeId, ShareId, check::Finding};
use dittofs_ports::{
    AccountService, AdminService, CheckOptions, CheckPhase, CheckProgress, CheckReport, Checked, RepairOutcome,
    ShareInfo, ShareSpace, Survives,
    mocks::{MockAccountService, MockAdminService},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use super::*;

const SPACE: ShareSpace =
    ShareSpace { bytes_total: 9, bytes_free: 4, bytes_used: 2, nodes_total: 8, nodes_free: 3, nodes_used: 1 };

fn facts(name: &str) -> ShareFacts {
    ShareFacts {
        name: name.into(),
        metadata_store: "m (redb)".into(),
        content_store: "c (fs)".into(),
        journal: Some("journal".into()),
        durability: "local".into(),
        compression: "none".into(),
        encryption: "none".into(),
        clients: vec!["127.0.0.0/8".into()],
        secure_ports: true,
        squash: "none".into(),
        anonymous_uid: 1,
        anonymous_gid: 2,
        access: vec!["alice write".into()],
        read_only: false,
        quota: Some(7),
        quota_files: Some(5),
        smb_name: "export".into(),
        smb_encryption: "offered".into(),
        mounts: vec!["mount -t nfs …".into()],
    }
}

fn unnamed() -> UnnamedView {
    UnnamedView { name: "/left".into(), id: 9, metadata_store: "m".into() }
}

fn info(name: &str, id: u64) -> ShareInfo {
    let (name, short_name, clients) = (name.to_owned(), name.to_owned(), Vec::new());
    ShareInfo {
        id: ShareId(id),
        name,
        short_name,
        clients,
        read_only: false,
        requires_encryption: false,
        survives: Survives::PowerLoss,
    }
}

/// A server with these shares in its configuration, which fails to take some of a newer one.
pub(crate) struct OfServer(pub(crate) Vec<ShareFacts>);

#[async_trait::async_trait]
impl Configured for OfServer {
    fn facts(&self) -> Vec<ShareFacts> {
        self.0.clone()
    }

    fn unnamed(&self) -> Vec<UnnamedView> {
        vec![unnamed()]
    }

    async fn reload(self: Arc<Self>) -> Result<ReloadView, String> {
        Ok(reloaded())
    }
}

fn reloaded() -> ReloadView {
    ReloadView { applied: vec!["share /one (quota)".into()], restart: vec!["journal.size".into()], failed: vec![] }
}

fn started(service: MockAdminService) -> (tempfile::TempDir, Client) {
    started_as(service, Arc::new(MockAccountService::new()))
}

/// A server with these users.
pub(crate) fn started_with(accounts: Arc<dyn AccountService>) -> (tempfile::TempDir, Client) {
    started_as(MockAdminService::new(), accounts)
}

fn started_as(service: MockAdminService, accounts: Arc<dyn AccountService>) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let service: Arc<dyn AdminService> = Arc::new(service);
    let configured = vec![facts("/one"), facts("/not served"), facts("/two")];
    tokio::spawn(serve(listener, service, accounts, Arc::new(OfServer(configured))));
    (folder, Client::new(&socket))
}

#[tokio::test]
async fn shares_are_listed_with_what_is_configured_and_their_space() {
    let mut service = MockAdminService::new();
    service.expect_shares().returning(|| vec![info("/two", u64::MAX), info("/one", 1)]);
    service.expect_space().returning(|_| Ok(SPACE));
    let (_folder, client) = started(service);
    let SharesView { shares, unnamed: beside } = client.shares().await.unwrap();
    assert_eq!(beside, [unnamed()]);
    let listed: Vec<_> = shares.iter().map(|share| (share.facts.name.as_str(), share.id)).collect();
    assert_eq!(listed, [("/one", Some(1)), ("/two", Some(u64::MAX))]);
    assert_eq!(shares[0].facts, facts("/one"));
    assert_eq!(shares[0].space, Some(SPACE.into()));
}

#[tokio::test]
async fn a_flush_is_done_once_and_its_failure_is_reported() {
    let mut service = MockAdminService::new();
    service.expect_flush().times(1).returning(|| Ok(()));
    let (_folder, client) = started(service);
    client.flush().await.unwrap();

    let mut service = MockAdminService::new();
    service.expect_flush().returning(|| Err(FsError::Io));
    let (_folder, client) = started(service);
    let refused = client.flush().await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn what_came_of_a_reload_is_reported() {
    let (_folder, client) = started(MockAdminService::new());
    assert_eq!(client.reload().await.unwrap(), reloaded());
}

#[tokio::test]
async fn where_no_server_is_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    assert!(matches!(Client::new(&socket).shares().await, Err(ClientError::NotRunning(_))));
    // One that ended in whatever way leaves its socket behind.
    drop(UnixListener::bind(&socket).unwrap());
    assert!(matches!(Client::new(&socket).shares().await, Err(ClientError::NotRunning(_))));
}

async fn raw(client_of: &tempfile::TempDir, request: &[u8]) -> io::Result<String> {
    let mut stream = UnixStream::connect(client_of.path().join("socket")).await?;
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn what_is_no_request_of_ours_is_refused() {
    let (folder, _client) = started(MockAdminService::new());
    let cases: [(&[u8], &str); 8] = [
        (b"PUT /v1/users HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 405"),
        (b"DELETE /v1/users/xx HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 400"),
        (b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 400"),
        (b"GET /v1/nothing HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 404"),
        (b"POST /v1/shares HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 405"),
        (b"GET /v1/reload HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 405"),
        (b"GET /v1/flush HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 405"),
        (b"\x80\0\0\x28\0\0\0\0\r\n\r\n", "HTTP/1.1 400"),
    ];
    for (request, expected) in cases {
        let answer = raw(&folder, request).await.unwrap();
        assert!(answer.starts_with(expected), "{answer}");
    }
    let long = [b"GET /", vec![b'x'; 64 << 10].as_slice()].concat();
    // The connection may be cut while the request is still being written.
    if let Ok(answer) = raw(&folder, &long).await {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn a_check_is_reported_line_by_line() {
    let mut service = MockAdminService::new();
    service.expect_check().times(1).returning(|share, options, observer| {
        assert_eq!((share, options), (ShareId(u64::MAX), CheckOptions { content: false, ..CheckOptions::default() }));
        observer.progress(CheckProgress { phase: CheckPhase::Names, done: 3, of: 4 });
        let finding = Finding::NoName { node: NodeId(5) };
        let findings = vec![Checked { path: Some("/a".into()), finding, repair: RepairOutcome::NotAsked }];
        Ok(CheckReport { findings, nodes: 9, ..CheckReport::default() })
    });
    let (_folder, client) = started(service);
    let mut lines = Vec::new();
    client.check(u64::MAX, false, |line| lines.push(line)).await.unwrap();
    let lines: Vec<_> = lines.into_iter().filter(|line| !matches!(line, CheckLine::Progress { .. })).collect();
    let [CheckLine::Finding(finding), CheckLine::Summary(summary)] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((finding.class.as_str(), finding.path.as_deref(), finding.repaired), ("no-name", Some("/a"), None));
    assert_eq!((summary.errors, summary.nodes, summary.notes), (1, 9, 0));
}

#[tokio::test]
async fn a_check_that_fails_says_so_in_its_last_line() {
    let mut service = MockAdminService::new();
    service.expect_check().returning(|_, _, _| Err(FsError::Busy));
    let (_folder, client) = started(service);
    let mut lines = Vec::new();
    client.check(1, true, |line| lines.push(line)).await.unwrap();
    assert_eq!(lines.last(), Some(&CheckLine::Failed { error: FsError::Busy.to_string() }));
}

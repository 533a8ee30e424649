use std::{ffi::OsString, sync::Arc};

use dittofs_domain::{ShareId, Timestamp, backup::BackupId};
use dittofs_ports::{BackupError, mocks::MockAdminService};
use tokio::net::UnixListener;

use super::*;
use crate::{Client, ClientError, serve};

fn started(service: MockAdminService) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let service: Arc<dyn AdminService> = Arc::new(service);
    let accounts = Arc::new(dittofs_ports::mocks::MockAccountService::new());
    tokio::spawn(serve(listener, service, accounts, Arc::new(crate::tests::OfServer(Vec::new()))));
    (folder, Client::new(&socket))
}

fn id() -> BackupId {
    BackupId::of_bits(0xb1)
}

#[test]
fn a_request_is_what_its_query_says_whatever_bytes_the_folder_has() {
    let folder = PathBuf::from(OsString::from_vec(b"/a b&c=\xff/\xc3\xa4".to_vec()));
    for (shares, pin, allow_damaged) in [(vec![], false, true), (vec![1, u64::MAX], true, false)] {
        let shares = shares.into_iter().map(ShareId).collect();
        let request = BackupRequest { folder: folder.clone(), shares, pin, allow_damaged };
        assert_eq!(of_query(&to_query(&request)), Some(request));
    }
}

fn request(folder: &str, shares: &[u64], pin: bool) -> BackupRequest {
    let shares = shares.iter().copied().map(ShareId).collect();
    BackupRequest { folder: folder.into(), shares, pin, allow_damaged: false }
}

#[test]
fn other_queries_make_no_sense() {
    let relative = to_query(&request("relative", &[], false));
    for query in ["", "folder", "folder=zz&pin=true", "folder=2&pin=maybe", "pin=true", "folder=2f&else=1", &relative] {
        assert_eq!(of_query(query), None, "{query}");
    }
}

#[tokio::test]
async fn a_backup_is_reported_line_by_line_to_its_end() {
    let mut service = MockAdminService::new();
    service.expect_back_up().times(1).returning(|request, observer| {
        assert_eq!(request, self::request("/place", &[7], true));
        observer.progress(BackupProgress { phase: BackupPhase::Rows, done: 1, of: 2 });
        let (shares, incomplete) = (vec!["/export".into()], vec!["/file of /export".into()]);
        Ok(BackupReport { backup: id(), shares, nodes: 3, objects: 4, bytes: 5, incomplete })
    });
    let (_folder, client) = started(service);
    let mut lines = Vec::new();
    client.back_up(&request("/place", &[7], true), |line| lines.push(line)).await.unwrap();
    let Some(BackupLine::Summary(summary)) = lines.last() else { panic!("{lines:?}") };
    let written = (summary.backup.as_str(), summary.nodes, summary.objects, summary.bytes);
    assert_eq!(written, ("00000000000000b1", 3, 4, 5));
    assert_eq!(summary.incomplete, ["/file of /export"]);

    let mut service = MockAdminService::new();
    service.expect_back_up().returning(|_, _| Err(BackupError::Running));
    let (_folder, client) = started(service);
    let mut lines = Vec::new();
    client.back_up(&request("/place", &[], false), |line| lines.push(line)).await.unwrap();
    assert_eq!(lines, [BackupLine::Failed { error: BackupError::Running.to_string() }]);
}

#[tokio::test]
async fn backups_are_listed_and_released() {
    let mut service = MockAdminService::new();
    let at = Timestamp::new(9, 0).unwrap();
    let known = PinningBackup { backup: id(), share: "/export".into(), at, is_kept: true, objects: 1, bytes: 2 };
    let listed = known.clone();
    service.expect_backups().returning(move || Ok(vec![listed.clone()]));
    service.expect_release_backup().returning(|backup| match backup == id() {
        true => Ok(2),
        false => Err(BackupError::UnknownBackup(backup)),
    });
    let (_folder, client) = started(service);
    assert_eq!(client.backups().await.unwrap().backups, [BackupView::from(known)]);
    assert_eq!(client.release_backup(&id().to_string()).await.unwrap(), ReleasedView { bytes: 2 });
    for other in ["00000000000000b2", "b1", "0000000000000000"] {
        let refused = client.release_backup(other).await.unwrap_err();
        assert!(matches!(refused, ClientError::Refused(_)), "{refused}");
    }
}

//! Who may do what: ACCESS, and the calls themselves.

use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, root_session, status, user, with_mode};

const ALL: u32 = ACCESS3_READ | ACCESS3_LOOKUP | ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_DELETE | ACCESS3_EXECUTE;

async fn rights(session: &mut Session, object: &nfs_fh3) -> u32 {
    let granted = session.access(&ACCESS3args { object: object.clone(), access: ALL }).await.unwrap().unwrap();
    assert!(granted.obj_attributes.is_some());
    granted.access
}

fn owned_by(uid: u32, gid: u32, mode: u32) -> sattr3 {
    sattr3 { uid: Nfs3Option::Some(uid), gid: Nfs3Option::Some(gid), ..with_mode(mode) }
}

#[tokio::test]
async fn access_tells_each_user_their_rights() {
    const WRITE: u32 = ACCESS3_MODIFY | ACCESS3_EXTEND;
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o640).await;
    session.set(&file, owned_by(1000, 2000, 0o640), None).await.unwrap();
    let directory = session.make_directory(&root, b"directory", 0o751).await;
    session.set(&directory, owned_by(1000, 2000, 0o751), None).await.unwrap();
    let change = WRITE | ACCESS3_DELETE;
    let cases = [
        (user(0, 0, &[]), ACCESS3_READ | WRITE, ACCESS3_READ | ACCESS3_LOOKUP | change),
        (user(1000, 1000, &[]), ACCESS3_READ | WRITE, ACCESS3_READ | ACCESS3_LOOKUP | change),
        (user(1001, 2000, &[]), ACCESS3_READ, ACCESS3_READ | ACCESS3_LOOKUP),
        (user(1001, 1, &[2, 3, 2000]), ACCESS3_READ, ACCESS3_READ | ACCESS3_LOOKUP),
        (user(1002, 1002, &[]), 0, ACCESS3_LOOKUP),
    ];
    for (who, of_file, of_directory) in cases {
        let mut session = Session::open(server.address(), "/export", &who).await;
        assert_eq!(rights(&mut session, &file).await, of_file, "file, user {}", who.uid);
        assert_eq!(rights(&mut session, &directory).await, of_directory, "directory, user {}", who.uid);
    }
}

#[tokio::test]
async fn calls_are_refused_to_those_without_the_right() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o600).await;
    session.set(&file, owned_by(1000, 1000, 0o600), None).await.unwrap();
    let secret = session.make_directory(&root, b"secret", 0o700).await;
    session.make_file(&secret, b"inner", 0o666).await;

    let mut other = Session::open(server.address(), "/export", &user(1001, 1001, &[])).await;
    let read = other.read(&READ3args { file: file.clone(), offset: 0, count: 1 }).await.unwrap();
    assert_eq!(status(&read), nfsstat3::NFS3ERR_ACCES);
    let written = other.write_at(&file, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(status(&written), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(status(&other.set(&file, with_mode(0o666), None).await), nfsstat3::NFS3ERR_PERM);
    assert_eq!(other.find(&secret, b"inner").await.unwrap_err(), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(status(&other.remove_file(&root, b"file").await), nfsstat3::NFS3ERR_ACCES);

    // NFSv3 has no open: a file stays usable for its owner whatever its mode says meanwhile.
    let mut owner = Session::open(server.address(), "/export", &user(1000, 1000, &[])).await;
    owner.set(&file, with_mode(0), None).await.unwrap();
    owner.write_at(&file, 0, b"mine", stable_how::UNSTABLE).await.unwrap();
    assert_eq!(owner.read_at(&file, 0, 10).await.data.as_ref(), b"mine");
    let given = owner.set(&file, sattr3 { uid: Nfs3Option::Some(1001), ..sattr3::default() }, None).await;
    assert_eq!(status(&given), nfsstat3::NFS3ERR_PERM);
}

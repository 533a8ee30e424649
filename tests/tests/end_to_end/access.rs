//! Who may do what: ACCESS, and the calls themselves.

use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, place, root_session, status, user, with_mode};

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

/// One reply of READDIRPLUS that holds the whole directory.
async fn list_plus(session: &mut Session, dir: &nfs_fh3) -> Result<Vec<entryplus3<'static>>, nfsstat3> {
    let (cookie, cookieverf) = (0, cookieverf3::default());
    let arguments = READDIRPLUS3args { dir: dir.clone(), cookie, cookieverf, dircount: 65_536, maxcount: 65_536 };
    match session.readdirplus(&arguments).await.unwrap() {
        Nfs3Result::Ok(page) => Ok(page.reply.entries.0),
        Nfs3Result::Err((status, _)) => Err(status),
    }
}

#[tokio::test]
async fn who_may_read_a_directory_but_not_search_it_gets_names_and_nothing_of_what_they_lead_to() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o744).await;
    session.make_file(&directory, b"file", 0o644).await;
    session.make_symlink(&directory, b"symlink", b"target").await.unwrap();
    session.make_directory(&directory, b"inner", 0o755).await;
    let mut other = Session::open(server.address(), "/export", &user(1000, 1000, &[])).await;
    let names = [&b"."[..], b"..", b"file", b"symlink", b"inner"];

    let listed = list_plus(&mut other, &directory).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.name.as_ref()).collect::<Vec<_>>(), names);
    for entry in &listed {
        assert!(entry.name_attributes.is_none() && entry.name_handle.is_none(), "{entry:?}");
    }
    let dir = directory.clone();
    let plain = READDIR3args { dir, cookie: 0, cookieverf: cookieverf3::default(), count: 65_536 };
    assert_eq!(other.readdir(&plain).await.unwrap().unwrap().reply.entries.0.len(), names.len());
    for name in names {
        assert_eq!(other.find(&directory, name).await.unwrap_err(), nfsstat3::NFS3ERR_ACCES);
    }
    // To search without reading is the other half.
    session.set(&directory, with_mode(0o711), None).await.unwrap();
    assert_eq!(list_plus(&mut other, &directory).await.unwrap_err(), nfsstat3::NFS3ERR_ACCES);
    other.find(&directory, b"file").await.unwrap();
    session.set(&directory, with_mode(0o755), None).await.unwrap();
    for entry in list_plus(&mut other, &directory).await.unwrap().iter().filter(|entry| entry.name.as_ref() != b"..") {
        assert!(entry.name_attributes.is_some() && entry.name_handle.is_some(), "{entry:?}");
    }
}

#[tokio::test]
async fn no_reply_gives_a_handle_of_what_the_caller_may_not_look_up() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    session.set(&root, with_mode(0o777), None).await.unwrap();
    let secret = session.make_directory(&root, b"secret", 0o700).await;
    let inner = session.make_directory(&secret, b"inner", 0o777).await;
    session.make_file(&secret, b"file", 0o666).await;
    let mut other = Session::open(server.address(), "/export", &user(1000, 1000, &[])).await;
    let mine = other.make_file(&root, b"mine", 0o644).await;

    for name in [&b"."[..], b"..", b"file", b"inner", b"missing"] {
        assert_eq!(other.find(&secret, name).await.unwrap_err(), nfsstat3::NFS3ERR_ACCES);
    }
    let how = [
        createhow3::UNCHECKED(sattr3::default()),
        createhow3::GUARDED(sattr3::default()),
        createhow3::EXCLUSIVE(createverf3::default()),
    ];
    for how in how {
        let made = other.create(&CREATE3args { where_: place(&secret, b"file"), how }).await.unwrap();
        assert_eq!(status(&made), nfsstat3::NFS3ERR_ACCES);
    }
    let made = other.mkdir(&MKDIR3args { where_: place(&secret, b"inner"), attributes: sattr3::default() }).await;
    assert_eq!(status(&made.unwrap()), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(status(&other.make_symlink(&secret, b"file", b"t").await), nfsstat3::NFS3ERR_ACCES);
    let what = mknoddata3::NF3FIFO(sattr3::default());
    let made = other.mknod(&MKNOD3args { where_: place(&secret, b"file"), what }).await.unwrap();
    assert_eq!(status(&made), nfsstat3::NFS3ERR_ACCES);
    let linked = other.link(&LINK3args { file: mine, link: place(&secret, b"file") }).await.unwrap();
    assert_eq!(status(&linked), nfsstat3::NFS3ERR_ACCES);
    // Who has come into a directory before may stay there, and looks its parent up as on any file system.
    assert_eq!(other.find(&inner, b"..").await.unwrap(), secret);
}

#[tokio::test]
async fn an_id_that_is_none_is_nobody_and_owns_nothing() {
    const NONE: u32 = u32::MAX;
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    session.set(&root, with_mode(0o777), None).await.unwrap();
    let mut nobody = Session::open(server.address(), "/export", &user(NONE, NONE, &[NONE, 5])).await;
    let file = nobody.make_file(&root, b"file", 0o600).await;
    let attributes = nobody.attributes_of(&file).await;
    assert_eq!((attributes.uid, attributes.gid), (65_534, 65_534));

    let uid = || sattr3 { uid: Nfs3Option::Some(NONE), ..sattr3::default() };
    let gid = || sattr3 { gid: Nfs3Option::Some(NONE), ..sattr3::default() };
    for session in [&mut session, &mut nobody] {
        for owner in [uid(), gid(), owned_by(NONE, 0, 0o644)] {
            assert_eq!(status(&session.set(&file, owner, None).await), nfsstat3::NFS3ERR_INVAL);
        }
        for (name, how) in [(&b"a"[..], createhow3::UNCHECKED(uid())), (b"b", createhow3::GUARDED(gid()))] {
            let made = session.create(&CREATE3args { where_: place(&root, name), how }).await.unwrap();
            assert_eq!(status(&made), nfsstat3::NFS3ERR_INVAL);
        }
        let made = session.mkdir(&MKDIR3args { where_: place(&root, b"d"), attributes: uid() }).await.unwrap();
        assert_eq!(status(&made), nfsstat3::NFS3ERR_INVAL);
        let symlink = symlinkdata3 { symlink_attributes: gid(), symlink_data: b"t"[..].into() };
        let made = session.symlink(&SYMLINK3args { where_: place(&root, b"l"), symlink }).await.unwrap();
        assert_eq!(status(&made), nfsstat3::NFS3ERR_INVAL);
        let what = mknoddata3::NF3FIFO(uid());
        let made = session.mknod(&MKNOD3args { where_: place(&root, b"p"), what }).await.unwrap();
        assert_eq!(status(&made), nfsstat3::NFS3ERR_INVAL);
    }
    let attributes = nobody.attributes_of(&file).await;
    assert_eq!((attributes.uid, attributes.gid, attributes.mode), (65_534, 65_534, 0o600));
}

//! CREATE, MKDIR, MKNOD, REMOVE, RMDIR: what is made, what is refused, and what the directory's attributes say.

use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, at, place, root_session, status, with_mode, with_size};

async fn create(session: &mut Session, directory: &nfs_fh3, name: &[u8], how: createhow3) -> CREATE3res {
    session.create(&CREATE3args { where_: place(directory, name), how }).await.unwrap()
}

#[tokio::test]
async fn a_guarded_create_happens_once_and_an_unchecked_one_takes_what_is_there() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let made = create(&mut session, &root, b"file", createhow3::GUARDED(with_mode(0o640))).await.unwrap();
    let file = made.obj.unwrap();
    assert_eq!(made.obj_attributes.unwrap().mode, 0o640);
    session.write_at(&file, 0, b"content", stable_how::FILE_SYNC).await.unwrap();

    let again = create(&mut session, &root, b"file", createhow3::GUARDED(with_mode(0o600))).await;
    assert_eq!(status(&again), nfsstat3::NFS3ERR_EXIST);
    let taken = create(&mut session, &root, b"file", createhow3::UNCHECKED(with_mode(0o600))).await.unwrap();
    assert_eq!(taken.obj.unwrap(), file);
    assert_eq!(taken.obj_attributes.unwrap().size, 7);
    let emptied = create(&mut session, &root, b"file", createhow3::UNCHECKED(with_size(0))).await.unwrap();
    assert_eq!(emptied.obj_attributes.unwrap().size, 0);
    assert!(session.read_at(&file, 0, 100).await.data.is_empty());
}

#[tokio::test]
async fn an_exclusive_create_is_known_again_by_its_verifier() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let verifier = createverf3(*b"verifier");
    let first = create(&mut session, &root, b"file", createhow3::EXCLUSIVE(verifier)).await.unwrap();
    let again = create(&mut session, &root, b"file", createhow3::EXCLUSIVE(createverf3(*b"verifier"))).await.unwrap();
    assert_eq!(first.obj.unwrap(), again.obj.unwrap());
    let other = create(&mut session, &root, b"file", createhow3::EXCLUSIVE(createverf3(*b"Verifier"))).await;
    assert_eq!(status(&other), nfsstat3::NFS3ERR_EXIST);
}

#[tokio::test]
async fn of_concurrent_exclusive_creates_one_succeeds() {
    let (server, session) = root_session().await;
    let attempts = (0..8u8).map(|number| {
        let (address, root) = (server.address(), session.root.clone());
        tokio::spawn(async move {
            let mut session = Session::open(address, "/export", &crate::session::user(0, 0, &[])).await;
            let how = createhow3::EXCLUSIVE(createverf3([number; 8]));
            status(&create(&mut session, &root, b"contested", how).await)
        })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut won = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            nfsstat3::NFS3_OK => won += 1,
            other => assert_eq!(other, nfsstat3::NFS3ERR_EXIST),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn special_files_keep_their_type_and_device() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let device =
        || devicedata3 { dev_attributes: with_mode(0o600), spec: specdata3 { specdata1: 8, specdata2: 0x12345 } };
    let kinds = [
        (&b"fifo"[..], mknoddata3::NF3FIFO(with_mode(0o644)), ftype3::NF3FIFO),
        (b"socket", mknoddata3::NF3SOCK(with_mode(0o644)), ftype3::NF3SOCK),
        (b"block", mknoddata3::NF3BLK(device()), ftype3::NF3BLK),
        (b"character", mknoddata3::NF3CHR(device()), ftype3::NF3CHR),
    ];
    for (name, what, kind) in kinds {
        let made = session.mknod(&MKNOD3args { where_: place(&root, name), what }).await.unwrap().unwrap();
        let attributes = session.attributes_of(&made.obj.unwrap()).await;
        assert_eq!(attributes.type_, kind);
        if matches!(kind, ftype3::NF3BLK | ftype3::NF3CHR) {
            assert_eq!((attributes.rdev.specdata1, attributes.rdev.specdata2), (8, 0x12345));
        }
    }
    for (specdata1, specdata2) in [(1 << 12, 1), (8, 1 << 20), (u32::MAX, u32::MAX)] {
        let spec = specdata3 { specdata1, specdata2 };
        let what = mknoddata3::NF3CHR(devicedata3 { dev_attributes: with_mode(0o600), spec });
        let refused = session.mknod(&MKNOD3args { where_: place(&root, b"other"), what }).await.unwrap();
        assert_eq!(status(&refused), nfsstat3::NFS3ERR_INVAL);
    }
    session.set(&root, with_mode(0o777), None).await.unwrap();
    let mut other = Session::open(server.address(), "/export", &crate::session::user(1000, 1000, &[])).await;
    let what = mknoddata3::NF3BLK(device());
    let refused = other.mknod(&MKNOD3args { where_: place(&root, b"mine"), what }).await.unwrap();
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_PERM);
    let what = mknoddata3::NF3FIFO(with_mode(0o600));
    other.mknod(&MKNOD3args { where_: place(&root, b"mine"), what }).await.unwrap().unwrap();
}

#[tokio::test]
async fn names_have_at_most_255_bytes_of_any_value() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let long = [b'n'; 256];
    session.make_file(&root, &long[..255], 0o644).await;
    session.find(&root, &long[..255]).await.unwrap();
    let how = || createhow3::GUARDED(sattr3::default());
    let cases: [(&[u8], nfsstat3); 6] = [
        (&long, nfsstat3::NFS3ERR_NAMETOOLONG),
        (b"", nfsstat3::NFS3ERR_INVAL),
        (b"a/b", nfsstat3::NFS3ERR_INVAL),
        (b"a\0b", nfsstat3::NFS3ERR_INVAL),
        (b".", nfsstat3::NFS3ERR_EXIST),
        (b"..", nfsstat3::NFS3ERR_EXIST),
    ];
    for (name, expected) in cases {
        let refused = create(&mut session, &root, name, how()).await;
        assert_eq!(status(&refused), expected, "{}", name.escape_ascii());
    }
    assert_eq!(session.find(&root, &long).await.unwrap_err(), nfsstat3::NFS3ERR_NAMETOOLONG);
    session.make_file(&root, b"\xff\xfe not UTF-8 \x01", 0o644).await;
    session.find(&root, b"\xff\xfe not UTF-8 \x01").await.unwrap();
}

#[tokio::test]
async fn removal_takes_what_the_procedure_is_for() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    session.make_file(&directory, b"inner", 0o644).await;
    session.make_file(&root, b"file", 0o644).await;
    assert_eq!(status(&session.remove_file(&root, b"directory").await), nfsstat3::NFS3ERR_ISDIR);
    assert_eq!(status(&session.remove_directory(&root, b"file").await), nfsstat3::NFS3ERR_NOTDIR);
    assert_eq!(status(&session.remove_directory(&root, b"directory").await), nfsstat3::NFS3ERR_NOTEMPTY);
    assert_eq!(status(&session.remove_file(&root, b"missing").await), nfsstat3::NFS3ERR_NOENT);
    assert_eq!(session.attributes_of(&root).await.nlink, 3);
    session.remove_file(&directory, b"inner").await.unwrap();
    session.remove_directory(&root, b"directory").await.unwrap();
    assert_eq!(session.attributes_of(&root).await.nlink, 2);
}

/// The attributes before a change are those that the client last saw, and those after it those that it sees next.
#[tokio::test]
async fn each_change_of_a_directory_tells_its_attributes_before_and_after() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let mut seen = session.attributes_of(&root).await;
    for change in 0..6u8 {
        let wcc = match change {
            0 => create(&mut session, &root, b"file", createhow3::GUARDED(sattr3::default())).await.unwrap().dir_wcc,
            1 => {
                let arguments = MKDIR3args { where_: place(&root, b"directory"), attributes: sattr3::default() };
                session.mkdir(&arguments).await.unwrap().unwrap().dir_wcc
            }
            2 => session.make_symlink(&root, b"symlink", b"file").await.unwrap().dir_wcc,
            3 => session.move_to((&root, b"file"), (&root, b"renamed")).await.unwrap().fromdir_wcc,
            4 => session.remove_file(&root, b"renamed").await.unwrap().dir_wcc,
            _ => session.remove_directory(&root, b"directory").await.unwrap().dir_wcc,
        };
        let (before, after) = (wcc.before.unwrap(), wcc.after.unwrap());
        let now = session.attributes_of(&root).await;
        assert_eq!((before.size, at(before.mtime), at(before.ctime)), (seen.size, at(seen.mtime), at(seen.ctime)));
        assert_eq!((after.size, at(after.mtime), at(after.ctime)), (now.size, at(now.mtime), at(now.ctime)));
        assert!(at(after.ctime) > at(before.ctime) && at(after.mtime) > at(before.mtime), "change {change}");
        seen = now;
    }
    let refused = session.remove_file(&root, b"missing").await;
    let Nfs3Result::Err((_, refused)) = refused else { panic!("removed what is not there") };
    assert_eq!(at(refused.dir_wcc.after.unwrap().ctime), at(seen.ctime));
}

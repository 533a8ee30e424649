//! RENAME.

use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{at, place, root_session, status};

#[tokio::test]
async fn a_rename_replaces_its_target_and_keeps_handles() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    let file = session.make_file(&root, b"file", 0o644).await;
    let replaced = session.make_file(&directory, b"target", 0o644).await;
    let before = (session.attributes_of(&root).await, session.attributes_of(&directory).await);
    let renamed = session.move_to((&root, b"file"), (&directory, b"target")).await.unwrap();
    assert_eq!(at(renamed.fromdir_wcc.before.unwrap().ctime), at(before.0.ctime));
    assert_eq!(at(renamed.todir_wcc.before.unwrap().ctime), at(before.1.ctime));
    let after = (session.attributes_of(&root).await, session.attributes_of(&directory).await);
    assert_eq!(at(renamed.fromdir_wcc.after.unwrap().ctime), at(after.0.ctime));
    assert_eq!(at(renamed.todir_wcc.after.unwrap().ctime), at(after.1.ctime));
    assert_eq!(session.find(&directory, b"target").await.unwrap(), file);
    assert_eq!(session.find(&root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);
    assert_eq!(session.state_of(&replaced).await, nfsstat3::NFS3ERR_STALE);
}

#[tokio::test]
async fn a_rename_between_two_links_of_a_file_changes_nothing() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"one", 0o644).await;
    session.link(&LINK3args { file: file.clone(), link: place(&root, b"two") }).await.unwrap().unwrap();
    let before = session.attributes_of(&file).await;
    session.move_to((&root, b"one"), (&root, b"two")).await.unwrap();
    session.move_to((&root, b"one"), (&root, b"one")).await.unwrap();
    let after = session.attributes_of(&file).await;
    assert_eq!((after.nlink, at(after.ctime)), (2, at(before.ctime)));
    assert_eq!(session.find(&root, b"one").await.unwrap(), file);
}

#[tokio::test]
async fn what_a_rename_refuses() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let outer = session.make_directory(&root, b"outer", 0o755).await;
    let inner = session.make_directory(&outer, b"inner", 0o755).await;
    session.make_directory(&root, b"empty", 0o755).await;
    session.make_file(&root, b"file", 0o644).await;
    let long = [b'n'; 256];
    let cases: [(_, [&[u8]; 2], _); 7] = [
        ([&root, &root], [b"missing", b"other"], nfsstat3::NFS3ERR_NOENT),
        ([&root, &inner], [b"outer", b"own"], nfsstat3::NFS3ERR_INVAL),
        ([&root, &root], [b"file", b"empty"], nfsstat3::NFS3ERR_ISDIR),
        ([&root, &root], [b"empty", b"file"], nfsstat3::NFS3ERR_NOTDIR),
        ([&root, &root], [b"empty", b"outer"], nfsstat3::NFS3ERR_NOTEMPTY),
        ([&root, &root], [b"file", &long], nfsstat3::NFS3ERR_NAMETOOLONG),
        ([&root, &root], [b".", b"other"], nfsstat3::NFS3ERR_INVAL),
    ];
    for (directories, names, expected) in cases {
        let refused = session.move_to((directories[0], names[0]), (directories[1], names[1])).await;
        let [from, to] = names.map(<[u8]>::escape_ascii);
        assert_eq!(status(&refused), expected, "{from} to {to}");
    }
    let moved = session.make_directory(&root, b"moved", 0o755).await;
    session.move_to((&root, b"moved"), (&inner, b"moved")).await.unwrap();
    assert_eq!(session.find(&moved, b"..").await.unwrap(), inner);
    assert_eq!(session.attributes_of(&inner).await.nlink, 3);
}

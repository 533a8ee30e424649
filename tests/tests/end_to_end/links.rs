//! LINK, SYMLINK, READLINK.

use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, place, root_session, status};

async fn link(session: &mut Session, file: &nfs_fh3, directory: &nfs_fh3, name: &[u8]) -> LINK3res {
    session.link(&LINK3args { file: file.clone(), link: place(directory, name) }).await.unwrap()
}

#[tokio::test]
async fn a_link_is_another_name_for_the_same_node() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    let before = session.attributes_of(&directory).await;
    let linked = link(&mut session, &file, &directory, b"linked").await.unwrap();
    assert_eq!(linked.file_attributes.unwrap().nlink, 2);
    assert_eq!(linked.linkdir_wcc.before.unwrap().ctime, before.ctime);
    assert!(linked.linkdir_wcc.after.is_some());
    assert_eq!(session.find(&directory, b"linked").await.unwrap(), file);

    assert_eq!(status(&link(&mut session, &file, &directory, b"linked").await), nfsstat3::NFS3ERR_EXIST);
    assert_eq!(status(&link(&mut session, &directory, &root, b"loop").await), nfsstat3::NFS3ERR_PERM);
    session.remove_file(&root, b"file").await.unwrap();
    assert_eq!(session.attributes_of(&file).await.nlink, 1);
    session.remove_file(&directory, b"linked").await.unwrap();
    assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_STALE);
    assert_eq!(status(&link(&mut session, &file, &root, b"back").await), nfsstat3::NFS3ERR_STALE);
}

#[tokio::test]
async fn a_symlink_keeps_up_to_4095_bytes_as_they_are() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let long = [b't'; 4096];
    for target in [&b"a"[..], b"../..//x/./\xff", &long[..4095]] {
        let made = session.make_symlink(&root, b"symlink", target).await.unwrap();
        let attributes = made.obj_attributes.unwrap();
        assert_eq!((attributes.type_, attributes.size), (ftype3::NF3LNK, target.len() as u64));
        let read = session.readlink(&READLINK3args { symlink: made.obj.unwrap() }).await.unwrap().unwrap();
        assert!(read.symlink_attributes.is_some());
        assert_eq!(read.data.as_ref(), target);
        session.remove_file(&root, b"symlink").await.unwrap();
    }
    let refused = session.make_symlink(&root, b"symlink", &long).await;
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_NAMETOOLONG);
    let refused = session.make_symlink(&root, b"symlink", b"").await;
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_INVAL);
    let file = session.make_file(&root, b"file", 0o644).await;
    let refused = session.readlink(&READLINK3args { symlink: file }).await.unwrap();
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_INVAL);
}

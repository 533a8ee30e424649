//! Handles: what is stale, what was never one, and what lies above a root.

use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque};

use crate::session::root_session;

fn handle(bytes: &[u8]) -> nfs_fh3 {
    nfs_fh3 { data: Opaque::owned(bytes.to_vec()) }
}

#[tokio::test]
async fn a_removed_node_is_stale_and_its_id_is_not_used_again() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"name", 0o644).await;
    let first = session.attributes_of(&file).await.fileid;
    session.remove_file(&root, b"name").await.unwrap();
    assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_STALE);
    let second = session.make_file(&root, b"name", 0o644).await;
    assert_ne!(session.attributes_of(&second).await.fileid, first);
    assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_STALE);
}

#[tokio::test]
async fn no_changed_bit_of_a_handle_leads_anywhere() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let good = file.data.to_vec();
    assert_eq!(good.len(), 32);
    for bit in 0..good.len() * 8 {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let state = session.state_of(&handle(&forged)).await;
        let refused = matches!(state, nfsstat3::NFS3ERR_STALE | nfsstat3::NFS3ERR_BADHANDLE);
        assert!(refused, "bit {bit}: {state}");
        if bit >= 8 * 8 {
            assert_eq!(state, nfsstat3::NFS3ERR_STALE, "bit {bit} of share, node or tag");
        }
    }
}

#[tokio::test]
async fn what_was_never_a_handle_is_bad() {
    let (_server, mut session) = root_session().await;
    let good = session.root.data.to_vec();
    let mut longer = good.clone();
    longer.push(0);
    for bytes in [&b""[..], b"short", &good[..31], &longer, &[0; 32], &[0xff; 32], &[0xff; 64]] {
        assert_eq!(session.state_of(&handle(bytes)).await, nfsstat3::NFS3ERR_BADHANDLE, "{} bytes", bytes.len());
    }
}

#[tokio::test]
async fn nothing_lies_above_the_root() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    assert_eq!(session.find(&root, b"..").await.unwrap(), root);
    assert_eq!(session.find(&root, b".").await.unwrap(), root);
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    assert_eq!(session.find(&directory, b"..").await.unwrap(), root);
    let file = session.make_file(&root, b"file", 0o644).await;
    assert_eq!(session.find(&file, b"x").await.unwrap_err(), nfsstat3::NFS3ERR_NOTDIR);
}

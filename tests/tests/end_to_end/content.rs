//! READ, WRITE, COMMIT.

use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque};

use crate::session::{at, pattern, root_session, status, with_size};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn reads_at_every_odd_offset_tell_the_same_bytes() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let data = pattern(9_001);
    // In pieces that overlap, in no order.
    for start in [7_000, 0, 3_500, 1_750, 5_250] {
        let end = (start + 2_001).min(data.len());
        session.write_at(&file, start as u64, &data[start..end], stable_how::UNSTABLE).await.unwrap();
    }
    for offset in (1..data.len() + 10).step_by(2) {
        let read = session.read_at(&file, offset as u64, 777).await;
        let expected = &data[offset.min(data.len())..(offset + 777).min(data.len())];
        assert!(read.data.as_ref() == expected, "offset {offset}");
        assert_eq!(read.count as usize, expected.len());
        assert_eq!(read.eof, offset + 777 >= data.len(), "offset {offset}");
        assert!(read.file_attributes.is_some());
    }
}

#[tokio::test]
async fn a_transfer_of_one_mebibyte_at_an_odd_offset_comes_back() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let data = pattern(3 * MIB + 5);
    for start in (0..data.len()).step_by(MIB) {
        let piece = &data[start..(start + MIB).min(data.len())];
        let written = session.write_at(&file, start as u64, piece, stable_how::UNSTABLE).await.unwrap();
        assert_eq!(written.count as usize, piece.len());
    }
    session.commit(&COMMIT3args { file: file.clone(), offset: 0, count: 0 }).await.unwrap().unwrap();
    assert!(session.attributes_of(&file).await.used >= data.len() as u64);
    // About the edges of frames and pages, and all of it.
    for edge in [128 << 10, MIB, 2 * MIB] {
        for offset in (edge - 9..edge + 9).step_by(2) {
            let read = session.read_at(&file, offset as u64, MIB as u32).await;
            assert!(read.data.as_ref() == &data[offset..(offset + MIB).min(data.len())], "offset {offset}");
        }
    }
    // More than the server's rtmax is a short read, not an error.
    let read = session.read_at(&file, 1, 4 * MIB as u32).await;
    assert!(!read.eof && read.data.as_ref() == &data[1..=MIB]);
}

#[tokio::test]
async fn the_verifier_stays_while_the_server_does_and_is_new_at_the_next_start() {
    let mut verifiers = Vec::new();
    for _ in 0..2 {
        let (_server, mut session) = root_session().await;
        let root = session.root.clone();
        let file = session.make_file(&root, b"file", 0o644).await;
        let unstable = session.write_at(&file, 0, b"one", stable_how::UNSTABLE).await.unwrap();
        let stable = session.write_at(&file, 3, b"two", stable_how::FILE_SYNC).await.unwrap();
        assert_eq!(stable.committed, stable_how::FILE_SYNC);
        let data = session.write_at(&file, 6, b"three", stable_how::DATA_SYNC).await.unwrap();
        assert_ne!(data.committed, stable_how::UNSTABLE);
        let committed = session.commit(&COMMIT3args { file, offset: 0, count: 0 }).await.unwrap().unwrap();
        assert_eq!(unstable.verf, stable.verf);
        assert_eq!(unstable.verf, committed.verf);
        verifiers.push(committed.verf);
    }
    assert_ne!(verifiers[0], verifiers[1]);
}

#[tokio::test]
async fn writes_tell_the_attributes_before_and_after() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let mut seen = session.attributes_of(&file).await;
    for stable in [stable_how::UNSTABLE, stable_how::FILE_SYNC, stable_how::UNSTABLE] {
        let written = session.write_at(&file, seen.size, b"more", stable).await.unwrap();
        let (before, after) = (written.file_wcc.before.unwrap(), written.file_wcc.after.unwrap());
        assert_eq!((before.size, at(before.ctime)), (seen.size, at(seen.ctime)));
        seen = session.attributes_of(&file).await;
        assert_eq!((after.size, at(after.ctime)), (seen.size, at(seen.ctime)));
        assert!(after.used >= after.size);
    }
    let committed = session.commit(&COMMIT3args { file, offset: 0, count: 0 }).await.unwrap().unwrap();
    assert_eq!(at(committed.file_wcc.after.unwrap().mtime), at(seen.mtime));
}

#[tokio::test]
async fn holes_and_cut_ends_read_as_zeros() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, &[b'a'; 5_000], stable_how::UNSTABLE).await.unwrap();
    session.set(&file, with_size(101), None).await.unwrap();
    session.set(&file, with_size(9_001), None).await.unwrap();
    session.write_at(&file, (3 * MIB + 1) as u64, b"end", stable_how::UNSTABLE).await.unwrap();
    let read = session.read_at(&file, 0, MIB as u32).await;
    assert!(read.data[..101].iter().all(|byte| *byte == b'a'));
    assert!(read.data.len() == MIB && read.data[101..].iter().all(|byte| *byte == 0));
    let tail = session.read_at(&file, 3 * MIB as u64, 100).await;
    assert!(tail.eof);
    assert_eq!(tail.data.as_ref(), b"\0end");
}

#[tokio::test]
async fn what_reads_and_writes_refuse() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let most = session.fsinfo(&root.clone().into()).await.unwrap().unwrap().maxfilesize;
    let beyond = session.write_at(&file, most, b"x", stable_how::UNSTABLE).await;
    assert_eq!(status(&beyond), nfsstat3::NFS3ERR_FBIG);
    let beyond = session.write_at(&file, u64::MAX, b"x", stable_how::UNSTABLE).await;
    assert_eq!(status(&beyond), nfsstat3::NFS3ERR_FBIG);
    let read = session.read_at(&file, u64::MAX, 10).await;
    assert!(read.eof && read.data.is_empty());
    let nothing = session.write_at(&file, 0, b"", stable_how::UNSTABLE).await.unwrap();
    assert_eq!(nothing.count, 0);
    let data = Opaque::borrowed(b"four");
    let lie = WRITE3args { file: file.clone(), offset: 0, count: 5, stable: stable_how::UNSTABLE, data };
    assert_eq!(status(&session.write(&lie).await.unwrap()), nfsstat3::NFS3ERR_INVAL);
    let directory = session.read(&READ3args { file: root.clone(), offset: 0, count: 1 }).await.unwrap();
    let refused = status(&directory);
    assert!(matches!(refused, nfsstat3::NFS3ERR_ISDIR | nfsstat3::NFS3ERR_INVAL), "{refused}");
    assert_eq!(session.attributes_of(&file).await.size, 0);
}
